"""Prompts on pages: read by version, changed into a new version, tried."""

import pytest
from django.test import Client
from django.urls import reverse

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation import example_sets
from generation.models import Prompt, Stage
from tests.generation.runs import NOWHERE, draft, endpoint_at, small_corpus

pytestmark = pytest.mark.django_db


@pytest.fixture
def researcher(researcher: Client) -> Client:
    example_sets.load_all()
    return researcher


@pytest.fixture
def prompt(researcher: Client) -> Prompt:
    return Prompt.objects.get(stage=Stage.FURTHER_SPLIT)


def edit(client: Client, prompt: Prompt, user: str, newest: int = 1) -> object:
    there = reverse("generation:prompt_edit", args=[prompt.pk])
    return client.post(there, {"system": prompt.system, "user": user, "newest": newest}, follow=True)


def test_every_stage_has_its_versions(researcher: Client) -> None:
    text = researcher.get(reverse("generation:prompts")).content.decode()
    for stage in Stage:
        assert stage.label in text
    assert text.count("the newest ·") == len(Stage)


def test_a_prompt_shows_its_words_and_who_used_it(researcher: Client, prompt: Prompt) -> None:
    run = draft(small_corpus(1), endpoint_at(NOWHERE))
    Prompt.objects.filter(pk=prompt.pk).update(user="<script>x()</script> {pairs} {dialogue}")
    text = researcher.get(prompt.get_absolute_url()).content.decode()
    assert "&lt;script&gt;x()" in text
    assert "<script>x()" not in text
    assert run.get_absolute_url() in text
    assert "Try it" in text
    judge = Prompt.objects.get(stage=Stage.JUDGE)
    assert "Try it" not in researcher.get(judge.get_absolute_url()).content.decode()
    assert researcher.get(reverse("generation:try_prompt", args=[judge.pk])).status_code == 404


def test_an_edit_is_a_new_version_and_the_old_one_stays(researcher: Client, prompt: Prompt) -> None:
    words = prompt.user + "\n  Be brief.\n"
    page = edit(researcher, prompt, words)
    assert "Saved as" in page.content.decode()  # type: ignore[attr-defined]
    newest = example_sets.newest_prompts([Stage.FURTHER_SPLIT])[0]
    assert (newest.version, newest.user) == (2, words)
    prompt.refresh_from_db()
    assert prompt.version == 1
    assert AuditEvent.objects.filter(verb=AuditVerb.PROMPT_CREATED, subject=f"prompt:{newest.pk}").count() == 1


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("No placeholders", "the prompt lacks"),
        ("{pairs} {dialogue} {sun}", "unknown placeholder"),
        ("", "This field is required"),
    ],
)
def test_a_wording_that_cannot_be_filled_is_refused_with_the_reason(
    researcher: Client, prompt: Prompt, words: str, reason: str
) -> None:
    page = edit(researcher, prompt, words)
    assert page.status_code == 422  # type: ignore[attr-defined]
    assert reason in page.content.decode()  # type: ignore[attr-defined]
    assert Prompt.objects.filter(stage=Stage.FURTHER_SPLIT).count() == 1


def test_the_same_words_again_are_no_new_version(researcher: Client, prompt: Prompt) -> None:
    page = edit(researcher, prompt, prompt.user)
    assert "says exactly this already" in page.content.decode()  # type: ignore[attr-defined]
    assert Prompt.objects.filter(stage=Stage.FURTHER_SPLIT).count() == 1


def test_two_who_edit_at_once_see_both_texts_and_lose_none(researcher: Client, prompt: Prompt) -> None:
    edit(researcher, prompt, prompt.user + " First.")
    page = edit(researcher, prompt, prompt.user + " Second.")
    text = page.content.decode()  # type: ignore[attr-defined]
    assert page.status_code == 409  # type: ignore[attr-defined]
    assert " First." in text
    assert " Second." in text
    assert Prompt.objects.filter(stage=Stage.FURTHER_SPLIT).count() == 2
    seen = page.context["form"]["newest"].value()  # type: ignore[attr-defined]
    edit(researcher, prompt, prompt.user + " Second.", newest=seen)
    assert example_sets.newest_prompts([Stage.FURTHER_SPLIT])[0].user.endswith(" Second.")


def test_a_wording_can_be_tried_before_it_is_saved(researcher: Client, prompt: Prompt) -> None:
    endpoint_at(NOWHERE)
    small_corpus(1)
    there = reverse("generation:try_prompt", args=[prompt.pk])
    page = researcher.post(there, {"system": "", "user": "{pairs}\r\n{dialogue}", "newest": 1, "look": "1"})
    assert page.context["form"]["user"].value() == "{pairs}\n{dialogue}"
    assert Prompt.objects.filter(stage=Stage.FURTHER_SPLIT).count() == 1
