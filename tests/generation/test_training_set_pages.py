"""The pages of training sets, as a researcher's browser gets them."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse, reverse_lazy

from dialogues.models import Corpus
from generation.models import TrainingItem, TrainingRun, TrainingSet
from generation.training import build_jobs, tasks
from tests.generation.test_training_building import built, families

pytestmark = pytest.mark.django_db
LIST, NEW = reverse_lazy("generation:training_sets"), reverse_lazy("generation:training_set_new")
HOSTILE = 'Set <b>&"'


def address(corpus: Corpus) -> str:
    return f"{NEW}?corpus={corpus.pk}"


def asked(client: Client, corpus: Corpus, **others: Any) -> dict[str, Any]:
    """What the form says as it comes, with these changes."""
    form = client.get(address(corpus)).context["form"]
    given = {name: form[name].value() for name in form.fields}
    given = {name: value for name, value in given.items() if value is not None and value is not False}
    return {**given, "name": "Set", "validation": 0.1, "test": 0.1, **others}


def test_the_list_says_what_to_do_first_and_then_shows_the_sets(researcher: Client) -> None:
    assert b"No training set yet" in researcher.get(LIST).content
    made = built(families(), HOSTILE)
    page = researcher.get(LIST).content.decode()
    assert f'href="{made.get_absolute_url()}"' in page
    assert "Set &lt;b&gt;&amp;&quot; v1" in page
    assert "<b>" not in page


def test_without_a_corpus_the_form_asks_for_one(researcher: Client) -> None:
    assert b"First, a corpus" in researcher.get(NEW).content
    families()
    assert b'name="corpus"' in researcher.get(NEW).content


def test_a_preview_shows_what_would_be_built_and_writes_nothing(researcher: Client) -> None:
    corpus = families()
    page = researcher.post(address(corpus), asked(researcher, corpus, filter_most_messages=9))
    assert page.status_code == 200
    assert not TrainingSet.objects.exists()
    context = page.context
    assert [step["name"] for step in context["counts"]["filters"]] == ["most_messages", "unrated", "once"]
    assert (context["version"], len(context["examples"])) == (1, 3)
    text = page.content.decode()
    assert "&lt;|msg|&gt;" in text
    assert "This is an estimate" in text


def test_build_writes_what_the_preview_showed_and_a_second_click_finds_it(researcher: Client) -> None:
    corpus = families()
    given = asked(researcher, corpus, name=HOSTILE)
    preview = researcher.post(address(corpus), given)
    for _ in range(2):
        answer = researcher.post(address(corpus), {**given, "build": "1", "version": 1})
        made = TrainingSet.objects.get()
        assert answer.headers["Location"] == made.get_absolute_url()
    assert made.counts == preview.context["counts"]
    assert (made.name, made.created_by.username) == (HOSTILE, "the-researcher")  # type: ignore[union-attr]


@pytest.mark.parametrize("version", ["", "0", "-1", "x", "99999999999", "1\0"])
def test_a_version_that_no_preview_promised_is_the_next_one(researcher: Client, version: str) -> None:
    corpus = families()
    researcher.post(address(corpus), {**asked(researcher, corpus), "build": "1", "version": version})
    assert TrainingSet.objects.get().version == 1


def test_the_hidden_fields_of_a_preview_are_the_form_again(researcher: Client) -> None:
    corpus = families()
    given = asked(researcher, corpus, delimiter="\n", filter_unrated="", sides=[2])
    form = researcher.post(address(corpus), given).context["form"]
    hidden = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    built_one = researcher.post(address(corpus), {**hidden, "build": "1", "version": 1})
    assert built_one.status_code == 302
    recipe = TrainingSet.objects.get().recipe
    assert (recipe["delimiter"], recipe["sides"], recipe["filters"]) == ("\n", [2], {"once": True})


def test_change_something_leads_back_to_the_filled_form(researcher: Client) -> None:
    corpus = families()
    page = researcher.post(address(corpus), asked(researcher, corpus, name="Once more", change="1"))
    assert page.status_code == 200
    assert page.context["form"]["name"].value() == "Once more"
    assert not TrainingSet.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"name": ""}, "name", "required"),
        ({"name": "x" * 81}, "name", "at most 80"),
        ({"versions": []}, "versions", "Choose at least one version"),
        ({"versions": ["omega"]}, "versions", "omega"),
        ({"sides": []}, "sides", "required"),
        ({"delimiter": "hello"}, "delimiter", "12 dialogues hold the delimiter"),
        ({"delimiter": "<s>"}, "delimiter", "Chat templates use"),
        ({"system": "{age}"}, "system", "unknown placeholder"),
        ({"validation": 0.5, "test": 0.5}, "test", "Hold out at most"),
        ({"seed": 2**40}, "seed", "less than or equal"),
        ({"filter_fewest_messages": 50}, "", "dropped most of them"),
        ({"filter_kept": "much"}, "filter_kept", "number"),
        ({"kind": "preferences", "worse": "stephanie"}, "worse", "two different versions"),
    ],
)
def test_a_wrong_choice_is_told_at_its_field(researcher: Client, wrong: dict[str, Any], field: str, says: str) -> None:
    corpus = families()
    page = researcher.post(address(corpus), asked(researcher, corpus, **wrong))
    assert page.status_code == 422
    errors = page.context["form"].errors
    assert says in " ".join(errors[field or "__all__"])
    assert not TrainingSet.objects.exists()


def test_a_large_set_is_left_to_a_worker_and_its_page_says_how_far_it_is(
    researcher: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_jobs, "LARGE", 5)
    monkeypatch.setattr(tasks, "wake_builder", lambda pk: None)
    corpus = families()
    researcher.post(address(corpus), {**asked(researcher, corpus), "build": "1", "version": 1})
    row = TrainingSet.objects.get()
    assert b"Waiting for a worker" in researcher.get(row.get_absolute_url()).content
    TrainingSet.objects.update(done=3, told_at=row.created_at)
    part = researcher.get(row.get_absolute_url(), headers={"HX-Request": "true"}).content
    assert b"3 of 12" in part
    assert b"<html" not in part
    answer = researcher.post(reverse("generation:training_set_stop", args=[row.pk]))
    assert answer.headers["Location"] == LIST
    assert not TrainingSet.objects.exists()


def test_a_refused_set_says_why(researcher: Client) -> None:
    row = TrainingSet.objects.create(
        name="Odd", corpus=families(), recipe={"corpus": 1}, state="refused", problem="Because of <i>."
    )
    assert b"Because of &lt;i&gt;." in researcher.get(row.get_absolute_url()).content


def test_the_page_of_a_set_turns_its_examples_over_and_names_its_runs(researcher: Client) -> None:
    made = built(families())
    page = researcher.get(f"{made.get_absolute_url()}?page=2")
    assert page.context["item"].number == 2
    assert "No model was trained on it yet" in page.content.decode()
    assert made.sha256 in page.content.decode()
    assert "12 dialogues of stephanie, written by <bdi>gpt</bdi>" in page.content.decode()
    assert reverse("generation:training_files", args=[made.pk]) in page.content.decode()


def test_a_set_is_deleted_after_a_question_unless_a_run_uses_it(researcher: Client) -> None:
    made = built(families())
    where = reverse("generation:training_set_delete", args=[made.pk])
    assert b"This cannot be undone" in researcher.get(where).content
    researcher.post(where)
    assert not TrainingItem.objects.exists()


def test_a_corpus_that_a_set_uses_cannot_be_deleted(admin: Client) -> None:
    made = built(families())
    page = admin.post(reverse("dialogues:delete", args=[made.corpus_id]))
    assert page.status_code == 409
    assert "training set “Set v1”" in page.content.decode()
    assert TrainingRun.objects.count() == 0


def test_raters_see_no_training_sets(rater: Client) -> None:
    assert rater.get(LIST).status_code == 403
