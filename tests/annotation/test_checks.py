"""Training, gold and attention items: kept apart from what is rated, given to every rater, spread by seed."""

import math
from collections import Counter
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from annotation.allocation.orders import checks_due
from annotation.allocation.slots import allocate
from annotation.design import checks, drafting, launch
from annotation.design.checks import CheckError
from annotation.design.selection import select
from annotation.models import FrozenDesignError, Item, Study
from dialogues.models import Dialogue
from tests.annotation.setting import KEYS, check, corpus, draft, member, study


@given(st.integers(1, 500), st.integers(1, 12), st.integers(0, 2**32))
def test_checks_are_spread_over_the_queue_and_never_first(rated: int, count: int, seed: int) -> None:
    places = checks_due(rated, count, seed)
    assert places == checks_due(rated, count, seed)
    assert len(places) == count
    assert all(1 <= place <= rated for place in places)
    if rated >= 6 * (count + 1):
        assert min(places) >= 5
        # One in each stretch: no two are bunched.
        stretch = (rated - 5) / count
        assert sorted(math.floor((place - 5) / stretch + 1e-9) for place in places) == list(range(count))


def test_without_checks_nothing_is_due() -> None:
    assert checks_due(10, 0, 1) == []


def of_background(one: Study, background: int, version: str = "beta") -> Dialogue:
    return one.corpus.dialogues.get(key=f"d{background}-{version}")


@pytest.mark.django_db
def test_a_background_that_is_trained_on_is_not_rated_and_another_comes_in_its_place() -> None:
    one = draft(of=corpus(6), background_count=3)
    before = [choice.background for choice in select(one).choices]
    unsampled = one.corpus.dialogues.originals().exclude(pk__in=before)
    check(one, unsampled[0])
    assert [choice.background for choice in select(one).choices] == before
    check(one, Dialogue.objects.get(pk=before[0]))
    after = [choice.background for choice in select(one).choices]
    assert len(after) == 3
    assert before[0] not in after
    assert after[:2] == before[1:]
    assert select(one).set_aside == 2


@pytest.mark.django_db
@pytest.mark.parametrize("k", [None, 2])
def test_every_rater_has_places_of_their_own_for_training_and_checks(k: int | None) -> None:
    one = draft(k, of=corpus(12))
    early = member(one, "early")
    for number, purpose in enumerate(["training", "training", "gold", "attention"]):
        check(one, of_background(one, number), purpose)
    one = launch.launch(study=one, by=None)
    assert one.selection["items"] == one.items.filter(purpose="rated").count() == 8 * 4
    rated = one.items.filter(purpose="rated").values_list("position", flat=True)
    assert sorted(rated) == list(range(32))
    for membership in (early, member(one, "late")):
        mine = membership.assignments.exclude(item__purpose="rated").select_related("item")
        assert all(row.slot is None for row in mine)
        assert Counter(row.item.purpose for row in mine) == {"training": 2, "gold": 1, "attention": 1}
        assert {row.position for row in mine if row.item.purpose == "training"} == {0}
        assert all(row.position >= 5 for row in mine if row.item.purpose != "training")
        allocate(membership)
        assert membership.assignments.exclude(item__purpose="rated").count() == 4


@pytest.mark.django_db
def test_only_rated_items_have_places_and_are_dealt_in_order() -> None:
    one = draft(of=corpus(3))
    check(one, of_background(one, 0))
    one = launch.launch(study=one, by=None)
    ann = member(one, "ann")
    rated = ann.assignments.filter(item__purpose="rated").order_by("position")
    assert [row.position for row in rated] == list(range(8))


@pytest.mark.django_db
def test_a_check_comes_from_the_studys_corpus_and_fits_its_kind() -> None:
    one, other = draft(of=corpus(2)), corpus(1, name="Other")
    with pytest.raises(CheckError, match="own corpus"):
        check(one, other.dialogues.first())  # type: ignore[arg-type]
    with pytest.raises(CheckError, match="two dialogues"):
        check(one, of_background(one, 0), other=of_background(one, 0, "gamma"))
    pairs = draft(of=one.corpus, kind="pairs", pairs=[["beta", "gamma"]])
    with pytest.raises(CheckError, match="one background"):
        check(pairs, of_background(one, 0), other=of_background(one, 1, "gamma"))
    check(pairs, of_background(one, 0), other=of_background(one, 0, "gamma"), expected={"natural": 1})
    assert pairs.items.count() == 1


@pytest.mark.django_db
def test_asking_twice_keeps_one_and_after_launch_nothing_changes() -> None:
    one = draft(of=corpus(3))
    first = check(one, of_background(one, 0))
    assert check(one, of_background(one, 0)) == first
    with pytest.raises(CheckError, match="already used"):
        check(one, of_background(one, 0), "gold")
    launch.launch(study=one, by=None)
    for act in (
        lambda: check(one, of_background(one, 1)),
        lambda: checks.change_check(item=first, seen="", by=None, note="x"),
        lambda: checks.remove_check(item=first, by=None),
    ):
        with pytest.raises(FrozenDesignError):
            act()


@pytest.mark.django_db
def test_checks_that_no_longer_fit_forbid_the_launch() -> None:
    one = draft(of=corpus(3))
    item = check(one, of_background(one, 0), expected={"unheard_of": 3})
    with pytest.raises(drafting.DesignError, match="questions that the rubric does not have: 1"):
        launch.launch(study=one, by=None)
    Item.objects.filter(pk=item.pk).update(expected={"natural": 9})
    with pytest.raises(drafting.DesignError, match="not on the scale: 1"):
        launch.launch(study=one, by=None)


@pytest.mark.django_db
def test_with_every_background_set_aside_nothing_is_left_to_rate() -> None:
    one = draft(of=corpus(1))
    check(one, of_background(one, 0))
    with pytest.raises(drafting.DesignError, match="nothing is left to rate"):
        launch.launch(study=one, by=None)


@pytest.mark.django_db
def test_a_researcher_finds_a_dialogue_says_what_is_expected_and_changes_it(researcher: Client) -> None:
    one = draft(of=corpus(3))
    listed = researcher.get(reverse("study_check_choose", args=[one.pk]), {"purpose": "training", "q": "d1-beta"})
    add = f"{reverse('study_check_add', args=[one.pk, of_background(one, 1).pk])}?purpose=training"
    assert add in listed.content.decode()
    empty = researcher.post(add, {"tolerance": 1})
    assert empty.status_code == 422
    assert "at least one question" in empty.content.decode()
    assert researcher.post(add, {"expect-natural": 4, "tolerance": 1, "note": "Reads well."}).status_code == 302
    item = one.items.get()
    assert (item.expected, item.note, item.purpose) == ({"natural": 4}, "Reads well.", "training")
    edit = reverse("study_check_edit", args=[one.pk, item.pk])
    seen = checks.shown(item)
    data = {"expect-natural": 5, "tolerance": 0, "note": "", "seen": seen}
    assert researcher.post(edit, data).status_code == 302
    stale = researcher.post(edit, {**data, "expect-natural": 1})
    assert stale.status_code == 409
    item.refresh_from_db()
    assert item.expected == {"natural": 5}
    for _ in range(2):
        gone = researcher.post(reverse("study_check_remove", args=[one.pk, item.pk]))
        assert gone.status_code in (302, 404)
    assert not one.items.exists()


@pytest.mark.django_db
def test_an_attention_check_asks_for_points_in_words(researcher: Client) -> None:
    one = draft(of=corpus(2))
    add = f"{reverse('study_check_add', args=[one.pk, of_background(one, 0).pk])}?purpose=attention"
    data: dict[str, Any] = {f"expect-{key}": 2 for key in KEYS}
    assert researcher.post(add, data).status_code == 302
    item = one.items.get()
    assert "choose “2” for every question" in item.note
    assert item.tolerance == 0


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", ["rated", "", "x" * 500])
def test_a_dialogue_is_kept_for_a_known_purpose_only(researcher: Client, purpose: str) -> None:
    one = draft(of=corpus(1))
    assert researcher.get(reverse("study_check_choose", args=[one.pk]), {"purpose": purpose}).status_code == 404


@pytest.mark.django_db
def test_rated_items_are_not_edited_as_checks(researcher: Client) -> None:
    one = study(of=corpus(1))
    item = one.items.first()
    assert item is not None
    assert researcher.get(reverse("study_check_edit", args=[one.pk, item.pk])).status_code == 404
    assert researcher.post(reverse("study_check_remove", args=[one.pk, item.pk])).status_code == 404
