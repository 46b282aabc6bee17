"""A draft step by step over HTTP: every step is kept by itself, nobody's change is lost, launch freezes all."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.design import drafting, launch
from annotation.design.step_views import steps_of
from annotation.design.texts import CONSENT_DRAFT
from annotation.models import FrozenDesignError, Study
from core.fingerprint import StaleError, fingerprint
from dialogues.models import Corpus
from tests.annotation.setting import check, corpus, draft, study

pytestmark = pytest.mark.django_db
SCORING = steps_of(Study.Kind.SCORES)


def address(of: Study, step: str) -> str:
    return reverse("study_step", args=[of.pk, step])


def as_shown(researcher: Client, of: Study, step: str, **changed: Any) -> dict[str, Any]:
    """The form of a step as a browser would send it back."""
    form = researcher.get(address(of, step)).context["form"]
    shown = {bound.name: bound.initial for bound in form}
    return {name: value for name, value in {**shown, **changed}.items() if value not in (None, False)}


@pytest.mark.parametrize("step", SCORING, ids=[step.slug for step in SCORING])
def test_any_step_can_be_opened_first_and_sent_back_unchanged(researcher: Client, step: Any) -> None:
    one = draft()
    before = Study.objects.values().get(pk=one.pk)
    answer = researcher.post(address(one, step.slug), as_shown(researcher, one, step.slug))
    assert answer.status_code == 302
    assert Study.objects.values().get(pk=one.pk) == before


def test_a_name_makes_a_draft_that_begins_with_the_newest_corpus(researcher: Client) -> None:
    corpus(1, name="Older")
    newest = corpus(2, ("alpha", "beta"), name="Newest")
    answer = researcher.post(reverse("study_new"), {"name": "N", "public_name": "Chats", "kind": "pairs"})
    made = Study.objects.get(name="N")
    assert answer.headers["Location"] == address(made, "items")
    assert (made.corpus, made.kind) == (newest, "pairs")
    assert {version.pk for version in made.versions.all()} == {"alpha", "beta"}


@pytest.mark.parametrize("path", ["new", "step"])
def test_a_taken_name_is_a_sentence_at_the_field_and_no_error_of_the_server(researcher: Client, path: str) -> None:
    chats = corpus(1)
    taken, mine = draft(of=chats, name="Taken"), draft(of=chats, name="Mine")
    where = reverse("study_new") if path == "new" else address(mine, "basics")
    data = {} if path == "new" else as_shown(researcher, mine, "basics")
    page = researcher.post(where, {**data, "name": taken.name, "public_name": "x", "kind": "scores"})
    assert page.status_code == 422
    assert "A study named “Taken” already exists" in page.content.decode()
    assert Study.objects.filter(name="Taken").count() == 1
    mine.refresh_from_db()
    assert mine.name == "Mine"


def test_what_somebody_else_changed_meanwhile_is_shown_beside_and_not_overwritten(researcher: Client) -> None:
    one = draft()
    mine = as_shown(researcher, one, "ethics", retention="Ten years")
    drafting.change_study(study=one, by=None, retention="Two years")
    page = researcher.post(address(one, "ethics"), mine)
    assert page.status_code == 409
    text = page.content.decode()
    assert "Ten years" in text
    assert "Two years" in text
    one.refresh_from_db()
    assert one.retention == "Two years"
    kept = researcher.post(address(one, "ethics"), {**mine, "seen": page.context["seen"]})
    assert kept.status_code == 302
    one.refresh_from_db()
    assert one.retention == "Ten years"


def test_sending_a_step_twice_is_harmless(researcher: Client) -> None:
    one = draft()
    data = as_shown(researcher, one, "raters", pay_note="12 an hour", raters_per_item="3")
    for _ in range(2):
        assert researcher.post(address(one, "raters"), data).status_code == 302
    one.refresh_from_db()
    assert (one.pay_note, one.raters_per_item) == ("12 an hour", 3)


def test_a_change_elsewhere_in_the_draft_is_no_conflict(researcher: Client) -> None:
    one = draft()
    data = as_shown(researcher, one, "raters", pay_note="none")
    drafting.change_study(study=one, by=None, retention="Two years")
    assert researcher.post(address(one, "raters"), data).status_code == 302


def test_a_choice_can_be_looked_at_without_keeping_it(researcher: Client) -> None:
    one = draft(of=corpus(5))
    one.corpus.dialogues.filter(version="gamma").first().delete()  # type: ignore[union-attr]
    data = as_shown(researcher, one, "items", versions=["alpha", "gamma"], background_count=3, look="1")
    text = researcher.post(address(one, "items"), data).content.decode()
    assert "6 dialogues from 3 backgrounds × 2 versions" in text
    assert "1 background of the corpus lacks a chosen version and is left out" in text
    one.refresh_from_db()
    assert one.background_count is None
    assert one.versions.count() == 4


def test_another_corpus_can_be_chosen_with_its_own_versions(researcher: Client) -> None:
    one, other = draft(of=corpus(1)), corpus(2, ("alpha", "beta"), name="Other")
    data = as_shown(researcher, one, "items", corpus=other.pk, versions=["alpha", "beta"])
    assert researcher.post(address(one, "items"), data).status_code == 302
    one.refresh_from_db()
    assert one.corpus == other
    data = as_shown(researcher, one, "items", corpus=other.pk, versions=["gamma"])
    page = researcher.post(address(one, "items"), data)
    assert page.status_code == 422
    assert "gamma is not one of the available choices" in page.content.decode()


def test_pairs_of_versions_become_pairs_of_dialogues_of_one_background(researcher: Client) -> None:
    one = draft(of=corpus(3), kind="pairs")
    page = researcher.get(one.get_absolute_url())
    assert "Choose at least one pair of versions." in page.content.decode()
    data = as_shown(researcher, one, "items", pairs=["alpha:stephanie", "gamma:stephanie"])
    assert researcher.post(address(one, "items"), data).status_code == 302
    one.refresh_from_db()
    assert {version.pk for version in one.versions.all()} == {"alpha", "gamma", "stephanie"}
    launched = launch.launch(study=one, by=None)
    assert launched.items.count() == launched.selection["items"] == 6
    for item in launched.items.select_related("dialogue", "other"):
        assert item.other is not None
        assert item.other.version_id == "stephanie"
        assert {item.background_id, item.other.origin_id} == {item.background_id}
        assert (item.dialogue.origin_id or item.dialogue_id) == item.background_id


def test_the_consent_draft_is_offered_marked_and_never_launched_as_it_is(researcher: Client) -> None:
    one = draft(of=corpus(2))
    page = researcher.get(address(one, "words"), {"start": "consent"})
    assert "[A draft to be adapted" in page.content.decode()
    one.refresh_from_db()
    assert one.consent_text == ""
    drafting.change_study(study=one, by=None, consent_text=CONSENT_DRAFT)
    assert "disabled" in researcher.get(one.get_absolute_url()).content.decode()
    with pytest.raises(drafting.DesignError, match="place to fill in"):
        launch.launch(study=one, by=None)
    one.refresh_from_db()
    assert one.is_draft


def test_the_check_list_says_what_a_reviewer_would_ask_and_links_the_step(researcher: Client) -> None:
    one = draft(of=corpus(2), raters_per_item=1)
    text = researcher.get(one.get_absolute_url()).content.decode()
    for sentence in ("Enter the ethics approval", "no agreement to report", "Without a consent text"):
        assert sentence in text
    assert address(one, "ethics") in text
    assert "could say more" in text


def test_a_launched_design_is_refused_by_page_function_and_model(researcher: Client) -> None:
    one = study(of=corpus(1))
    for step in SCORING:
        page = researcher.post(address(one, step.slug), {"name": "x"}, follow=True)
        assert "frozen at launch" in page.content.decode()
    with pytest.raises(drafting.DesignError, match="next version"):
        drafting.change_study(study=one, by=None, pay_note="more")
    for name, value in (("seed", 9), ("consent_text", "x"), ("kind", "pairs"), ("pairs", [["a", "b"]])):
        row = Study.objects.get(pk=one.pk)
        setattr(row, name, value)
        with pytest.raises(FrozenDesignError):
            row.save(update_fields=[name])
        with pytest.raises(FrozenDesignError):
            row.save()
    Study.objects.get(pk=one.pk).save()


def test_a_stale_fingerprint_is_refused_by_the_function_itself() -> None:
    one = draft()
    with pytest.raises(StaleError):
        drafting.change_study(study=one, by=None, seen=fingerprint({"seed": 1}), seed=99)
    drafting.change_study(study=one, by=None, seen=fingerprint({"seed": 7}), seed=99)
    one.refresh_from_db()
    assert one.seed == 99


@pytest.mark.parametrize("part", ["welcome", "training", "items", "gold", "attention", "nonsense"])
def test_every_part_can_be_previewed_before_and_after_launch(researcher: Client, part: str) -> None:
    chats = corpus(4)
    one = draft(of=chats, consent_text="I agree to this.", pay_note="12 an hour")
    kept = chats.dialogues.of_version("beta")
    for row, purpose in zip(kept, ("training", "gold", "attention"), strict=False):
        check(one, row, purpose, note=f"Said of {purpose}")
    for _ in range(2):
        page = researcher.get(reverse("study_preview", args=[one.pk]), {"part": part, "number": 5})
        assert page.status_code == 200
        text = page.content.decode()
        assert ("I agree to this." in text) == (part == "welcome")
        assert (f"Said of {part}" in text) == (part in ("training", "attention"))
        if one.is_draft:
            one = launch.launch(study=one, by=None)


def test_a_preview_of_a_pair_shows_both_sides_and_three_answers(researcher: Client) -> None:
    one = draft(of=corpus(1), kind="pairs", pairs=[["alpha", "stephanie"]])
    text = researcher.get(reverse("study_preview", args=[one.pk])).content.decode()
    assert "Left dialogue" in text
    assert "Right dialogue" in text
    assert text.count("no difference") >= 6


def test_a_step_asks_the_database_no_more_for_a_larger_corpus(
    researcher: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    one = draft(of=corpus(12))
    for step in ("basics", "items", "checks"):
        with django_assert_max_num_queries(28):
            assert researcher.get(address(one, step)).status_code == 200


def test_an_unknown_step_does_not_exist(researcher: Client) -> None:
    assert researcher.get(address(draft(), "nonsense")).status_code == 404


def test_copies_of_trials_are_no_corpus_to_rate(researcher: Client) -> None:
    Corpus.objects.create(name="Scratch", is_scratch=True)
    assert "Import a corpus" in researcher.get(reverse("study_new")).content.decode()
