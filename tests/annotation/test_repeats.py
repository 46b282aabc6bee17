"""Hidden repeats: who meets which item again, and when; that nothing else counts them; what a report makes of them."""

import csv
import io
import json
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from annotation.allocation.orders import BETWEEN, repeats_due
from annotation.allocation.repeats import ITEMS_A_REPEAT
from annotation.checklists.documents import checklists
from annotation.checklists.entries import Entry
from annotation.design import checklist, document, drafting, launch
from annotation.design.files import document_of, make_from
from annotation.design.methods import methods_text
from annotation.design.record_views import next_version
from annotation.design.selection import select
from annotation.imported.imported_study import read_ratings
from annotation.models import Assignment, Membership, Rating, Study
from annotation.models.studies import FrozenDesignError
from annotation.monitoring import progress
from annotation.monitoring.raters import rater_rows
from annotation.rating import membership_changes, pace, queue
from annotation.rating.answers import Answer
from annotation.reports.agreement import alpha, icc
from annotation.reports.exports import ratings_csv
from annotation.reports.preference_findings import preferences_of
from annotation.reports.preference_tables import preference_tables
from annotation.reports.repeats import own_agreement, scored_twice
from annotation.roles import Role
from core.tables import Estimate
from demo.simulation import simulate
from tests.annotation.chat_designs import chat_draft
from tests.annotation.imported_files import source
from tests.annotation.setting import (
    ANSWER,
    KEYS,
    NOW,
    TWO,
    corpus,
    counted,
    draft,
    even,
    fresh,
    member,
    rate,
    rate_all,
    study,
    take,
)
from tests.annotation.test_tables import tables_of
from tests.people import client_of, logged_in

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("k", [None, 2], ids=["crossed", "places"])


def with_repeats(k: int | None = None, repeats: int = 2, backgrounds: int = 8, **fields: Any) -> Study:
    """By default 16 items."""
    return study(k, of=corpus(backgrounds, TWO), versions=TWO, hidden_repeats=repeats, **fields)


def until_a_repeat(rater: Membership) -> Assignment:
    """Rate, an item a second, until the next item is a repeat."""
    for second in range(200):
        held = take(fresh(rater), NOW + timedelta(seconds=second))
        if held.is_repeat:
            return held
        submit(rater, held, ANSWER, second)
    raise AssertionError("no repeat came")


def submit(rater: Membership, held: Assignment, answer: Answer, second: int = 0) -> None:
    now = NOW + timedelta(seconds=second)
    queue.submit(rater.rater, held.token, submission_id=held.submission_id, answer=answer, now=now)


def again(rater: Membership) -> Any:
    return rater.assignments.filter(is_repeat=True)


# --- when, and of what -----------------------------------------------------------------------------


@given(st.integers(1, 200), st.integers(0, 8), st.integers(0, 2**32))
def test_repeats_are_due_in_order_behind_as_many_items_as_there_can_be(rated: int, repeats: int, seed: int) -> None:
    due = repeats_due(rated, repeats, seed)
    assert due == repeats_due(rated, repeats, seed)
    assert len(due) == repeats
    assert due == sorted(due)
    assert all(min(BETWEEN + 1, rated) <= one <= rated for one in due)


@BOTH
@pytest.mark.parametrize("name", ["ann", "bob"])
def test_a_rater_meets_items_of_theirs_again_much_later_and_apart_from_their_background(
    k: int | None, name: str
) -> None:
    one = with_repeats(k, repeats=3)
    ann = member(one, name)
    met = rate_all(ann)
    assert [held.is_repeat for held in met].count(True) == 3
    assert len({held.item_id for held in met if held.is_repeat}) == 3
    for place, held in enumerate(met):
        if held.is_repeat:
            before = [other.item_id for other in met[:place] if not other.is_repeat]
            assert len(before) - 1 - before.index(held.item_id) >= BETWEEN
    # Only the very last ones may have no other background left.
    assert not any(a.item.background_id == b.item.background_id for a, b in pairwise(met[:-4]))
    assert set(counted(one).values()) == {1}
    assert len(counted(one)) == 16


def test_where_everybody_meets_few_items_a_repeat_comes_at_the_end_as_late_as_it_can() -> None:
    met = rate_all(member(with_repeats(repeats=1, backgrounds=3), "ann"))
    assert [held.is_repeat for held in met] == [False] * 6 + [True]
    assert met[-1].item == met[0].item


def test_a_rater_of_fewer_items_than_expected_gets_fewer_repeats() -> None:
    """With one rater an item, those who come first leave nothing to the last."""
    one = with_repeats(1, repeats=3)
    ann, bob = member(one, "ann"), member(one, "bob")
    for second in range(8):
        rate(fresh(ann), now=NOW + timedelta(seconds=second))
    assert [held.is_repeat for held in rate_all(bob)] == [False] * 8 + [True] * (8 // ITEMS_A_REPEAT)


@BOTH
def test_whoever_leaves_early_has_none(k: int | None) -> None:
    ann = member(with_repeats(k), "ann")
    for second in range(BETWEEN):
        rate(fresh(ann), now=NOW + timedelta(seconds=second))
    membership_changes.withdraw(membership=ann, by=ann.rater)
    assert not Assignment.objects.filter(is_repeat=True).exists()
    assert not Rating.objects.repeats().exists()


@BOTH
def test_progress_counts_repeats_for_the_rater_and_not_for_researchers(k: int | None) -> None:
    one = with_repeats(k)
    ann = member(one, "ann")
    assert pace.pace(fresh(ann)).total == 18
    rate_all(ann)
    firsts = Rating.objects.filter(assignment__is_repeat=False).order_by("pk").values_list("pk", flat=True)
    Rating.objects.filter(pk__in=list(firsts[:8])).update(seconds=20)
    Rating.objects.exclude(pk__in=list(firsts[:8])).update(seconds=40)
    assert (pace.pace(fresh(ann)).done, pace.pace(fresh(ann)).total) == (18, 18)
    (row,), (line,) = rater_rows(one), progress.rater_table(one)
    assert (row.done, row.total, row.quality.ratings, line.done, line.total) == (16, 16, 16, 16, 16)
    assert row.quality.median_seconds == line.median_seconds == 30


# --- skip, undo, correct, tabs ---------------------------------------------------------------------


@BOTH
def test_a_repeat_can_be_drafted_scored_corrected_and_taken_back(k: int | None) -> None:
    one = with_repeats(k)
    ann = member(one, "ann")
    held = until_a_repeat(ann)
    before = counted(one)
    queue.save_draft(ann.rater, held.token, version=0, answer=Answer({"natural": 2}), now=NOW)
    assert take(fresh(ann), NOW + timedelta(days=2)).token == held.token
    submit(ann, held, even(2))
    queue.take_back(ann.rater, held.token, now=NOW)
    assert not Rating.objects.repeats().exists()
    found = take(fresh(ann))
    assert (found.token, found.draft["scores"]["natural"]) == (held.token, 2)
    submit(ann, found, even(3))
    queue.submit(ann.rater, held.token, submission_id=uuid.uuid4(), answer=even(5), now=NOW)
    (kept,) = Rating.objects.repeats()
    assert queue.answer_of(kept) == even(5)
    assert counted(one) == before
    assert not take(fresh(ann), NOW + timedelta(minutes=1)).is_repeat


@BOTH
def test_a_skipped_repeat_frees_no_place_and_does_not_come_again(k: int | None) -> None:
    one = with_repeats(k, repeats=1)
    ann = member(one, "ann")
    held, rows = until_a_repeat(ann), one.assignments.count()
    queue.skip(ann.rater, held.token, reason="unreadable")
    assert one.assignments.count() == rows
    assert not any(row.is_repeat for row in rate_all(ann))
    if k is not None:
        # As with every other item.
        with pytest.raises(queue.QueueError, match="given back"):
            submit(ann, held, ANSWER)


@BOTH
def test_a_second_tab_gets_the_same_repeat(k: int | None) -> None:
    ann = member(with_repeats(k), "ann")
    for second in range(200):
        first_tab, second_tab = fresh(ann), fresh(ann)
        held = take(first_tab, NOW + timedelta(seconds=second))
        if held.is_repeat:
            assert take(second_tab, NOW + timedelta(seconds=second)) == held
            assert again(ann).count() == 1
            return
        submit(ann, held, ANSWER, second)


@pytest.mark.django_db(transaction=True)
def test_tabs_that_ask_at_once_get_one_repeat() -> None:
    ann = member(with_repeats(repeats=2, backgrounds=6), "ann")
    for second in range(12):
        rate(fresh(ann), now=NOW + timedelta(seconds=second))
        again(ann).delete()
        Membership.objects.filter(pk=ann.pk).update(repeats_due=[99])
    Membership.objects.filter(pk=ann.pk).update(repeats_due=[12, 99])
    tabs = [fresh(ann) for _ in range(4)]

    def ask(tab: Membership) -> int:
        try:
            return take(tab, NOW + timedelta(minutes=1)).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(ask, tabs))
    assert found == set(again(ann).values_list("pk", flat=True))
    assert len(found) == 1


def test_the_database_holds_one_repeat_of_an_item_and_never_in_a_place() -> None:
    one = with_repeats(2)
    held = until_a_repeat(member(one, "ann"))
    other = one.items.exclude(pk__in=again(held.membership).values("item")).first()
    wrong: list[dict[str, Any]] = [
        {"item": held.item},
        {"item": other, "slot": 9, "lease_until": NOW},
        {"item": other, "condition": 1},
        {"item": other, "membership": None},
    ]
    for changes in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            Assignment.objects.create(
                **{"study": one, "membership": held.membership, "position": 0, "is_repeat": True} | changes
            )
    with pytest.raises(IntegrityError), transaction.atomic():
        Study.objects.filter(pk=one.pk).update(kind="chats")


# --- what raters see -------------------------------------------------------------------------------


@BOTH
def test_a_submit_leads_straight_to_a_repeat_as_to_any_item(k: int | None) -> None:
    ann = member(with_repeats(k), "ann")
    client = client_of(ann)
    page: Any = client.get(reverse("rate_next", args=[ann.token]), follow=True)
    for _ in range(18):
        item = page.context["item"]
        body = {"submission_id": str(item.submission_id), "scores": dict.fromkeys(KEYS, 3)}
        kept: Any = client.post(reverse("rate_submit", args=[item.token]), body, content_type="application/json")
        page = client.get(kept.json()["next"], follow=True)
        if again(ann).exists() and k is not None:
            assert "/item/" in kept.json()["next"]
            return
    assert again(ann).count() == 2


# --- the design ------------------------------------------------------------------------------------


def test_the_check_list_refuses_more_repeats_than_one_in_five_items() -> None:
    one = draft(of=corpus(12, TWO), versions=TWO, hidden_repeats=5)
    said = [problem.text for problem in checklist.musts(one, select(one))]
    assert said == [
        "Hidden repeats per rater: at most 4, because each scores about 24 items, and at most one in 5 is repeated."
    ]
    with pytest.raises(drafting.DesignError, match="at most 4"):
        launch.launch(study=one, by=None)
    drafting.change_study(study=one, by=None, hidden_repeats=4)
    launched = launch.launch(study=one, by=None)
    launched.hidden_repeats = 1
    with pytest.raises(FrozenDesignError):
        launched.save()
    assert next_version(study=launched, by=None).hidden_repeats == 4


def test_with_a_number_of_raters_an_item_the_check_list_goes_by_who_can_join() -> None:
    one = draft(2, of=corpus(10, TWO), versions=TWO, hidden_repeats=4)
    assert not checklist.musts(one, select(one))
    Study.objects.filter(pk=one.pk).update(door_limit=8)
    one.refresh_from_db()
    (said,) = checklist.musts(one, select(one))
    assert "at most 1, because each scores about 5 items" in said.text


def test_the_step_sets_them_and_an_empty_field_means_none() -> None:
    one = draft(of=corpus(12, TWO), versions=TWO)
    client, address = logged_in(Role.RESEARCHER), reverse("study_step", args=[one.pk, "checks"])
    for sent, kept in (("3", 3), ("", 0)):
        form = client.get(address).context["form"]
        assert client.post(address, {"hidden_repeats": sent, "seen": form["seen"].value()}).status_code == 302
        one.refresh_from_db()
        assert one.hidden_repeats == kept


def test_a_study_of_chats_has_none() -> None:
    one = draft(of=corpus(12, TWO), versions=TWO, hidden_repeats=1)
    with pytest.raises(drafting.DesignError, match="hidden repeats to 0"):
        drafting.change_study(study=one, by=None, kind="chats")
    with pytest.raises(IntegrityError), transaction.atomic():
        chat_draft(hidden_repeats=1)


def test_a_design_file_carries_them() -> None:
    one = draft(of=corpus(12, TWO), versions=TWO, hidden_repeats=3)
    found = document_of(one).to_json()
    assert found["hidden_repeats"] == 3
    made = make_from(document.read(json.dumps(found | {"name": "Again"}).encode()), by=None)
    assert made.hidden_repeats == 3
    for wrong in (-1, 51, None, "2"):
        with pytest.raises(document.DocumentError, match="hidden_repeats must be a whole number from 0 to 50"):
            document.read(json.dumps(found | {"hidden_repeats": wrong}).encode())
    with pytest.raises(document.DocumentError, match="hidden_repeats: a study of chats"):
        document.read(json.dumps({"name": "C", "corpus": "C", "kind": "chats", "hidden_repeats": 2}).encode())


# --- results ---------------------------------------------------------------------------------------


def scored_again(k: int | None = None) -> tuple[Study, Membership, Membership]:
    """Ann scores repeats as before, Bob one point higher, and both once three points off."""
    one = with_repeats(k, repeats=3)
    people = [member(one, "ann"), member(one, "bob")]
    for shift, rater in enumerate(people):
        seen: Counter[bool] = Counter()
        for second in range(200):
            held = queue.next_assignment(fresh(rater), now=NOW + timedelta(seconds=second))
            if held is None:
                break
            value = 1 + held.item_id % 2
            if held.is_repeat:
                seen[True] += 1
                value += 3 if seen[True] == 3 else shift
            submit(rater, held, even(value), second)
    return one, people[0], people[1]


def shown(cell: Any) -> tuple[float, int]:
    assert isinstance(cell, Estimate)
    return round(cell.value), cell.n


@BOTH
def test_the_report_says_how_far_raters_agree_with_themselves(k: int | None) -> None:
    one, ann, bob = scored_again(k)
    # α and κ of these twelve scores are checked as those of two raters, so here only what is easily counted.
    table = tables_of(one)["own-agreement"]
    labels = ["Metric", "α, ordinal", "α, interval", "ICC(2,1)", "Weighted κ", "Exact, %", "Within one, %", "Raters"]
    assert [column.label for column in table.columns] == labels
    twice = scored_twice(Rating.objects.counted(), Rating.objects.repeats().for_study(one))
    pairs = np.array([(pair.first, pair.second) for pair in twice if pair.metric == "natural"], dtype=float).T
    for place, value in ((2, alpha(pairs, "interval")), (3, icc(pairs, "2,1"))):
        cell = table.rows[0][place]
        assert isinstance(cell, Estimate)
        assert (cell.value, cell.n) == (pytest.approx(value.value), 6)
    assert "With fewer than 12 backgrounds" in " ".join(table.notes)
    assert len(table.rows) == len(KEYS)
    for row in table.rows:
        assert (shown(row[-3]), shown(row[-2]), row[-1]) == ((33, 6), (67, 6), 2)
    found = own_agreement(one)["natural"]
    assert (found.raters, found.pairs, found.agreement.estimates["exact"].value) == (2, 6, pytest.approx(1 / 3))
    (first, second) = (rater_rows(one, rater)[0].repeats for rater in (ann, bob))
    assert first is not None
    assert second is not None
    assert (first.mean, first.scores, first.items) == (1.0, 18, 3)
    assert second.mean == pytest.approx(5 / 3)


def test_an_excluded_raters_repeats_leave_the_report_and_stay_on_their_page() -> None:
    one, ann, _ = scored_again()
    membership_changes.exclude(membership=ann, reason="a reason", by=None)
    assert own_agreement(one)["natural"].pairs == 3
    (row,) = rater_rows(one, ann)
    assert row.repeats is not None
    membership_changes.reinstate(membership=ann, by=None)
    assert own_agreement(one)["natural"].pairs == 6


def test_a_taken_back_first_rating_leaves_its_repeat_without_a_pair() -> None:
    one, ann, _ = scored_again()
    item = again(ann).first().item
    first = Rating.objects.get(assignment__item=item, assignment__membership=ann, assignment__is_repeat=False)
    Rating.objects.filter(pk=first.pk).update(is_current=False)
    assert own_agreement(one)["natural"].pairs == 5
    (row,) = rater_rows(one, ann)
    assert row.repeats is not None
    assert row.repeats.items == 2


def test_no_other_figure_counts_repeats() -> None:
    one, *_ = scored_again()
    before = {slug: table for slug, table in tables_of(one).items() if slug != "own-agreement"}
    Rating.objects.filter(assignment__is_repeat=True).delete()
    assert tables_of(one) == before


def test_the_ratings_name_repeats_and_an_import_sets_them_aside(tmp_path: Path) -> None:
    one, ann, _ = scored_again()
    text = "".join(ratings_csv(one))
    rows = list(csv.DictReader(io.StringIO(text)))
    purposes = [row["purpose"] for row in rows]
    assert Counter(purposes) == {"rated": 32 * len(KEYS), "repeat": 6 * len(KEYS)}
    assert purposes == sorted(purposes)
    numbers = again(ann).values_list("item__position", flat=True)
    name = ann.rater.profile.pseudonym
    assert {int(row["item"]) for row in rows if row["purpose"] == "repeat" and row["rater"] == name} == set(numbers)
    path = tmp_path / "ratings.csv"
    path.write_text(text)
    gathered = read_ratings(source(path))
    assert (gathered.report.scores, dict(gathered.report.tally)) == (32 * len(KEYS), {"hidden_repeats": 6 * len(KEYS)})


def of_criterion(one: Study, metric: str) -> list[Entry]:
    [heds] = [found for found in checklists(one) if found.slug == "heds"]
    return [entry for entry in heds.entries if entry.criterion == metric]


def test_json_methods_text_and_pages_tell_of_them() -> None:
    one, ann, _ = scored_again()
    out = io.StringIO()
    call_command("study_report", one.name, "--json", stdout=out)
    assert json.loads(out.getvalue())["own_agreement"]["natural"]["pairs"] == 6
    said = " ".join(methods_text(one).split())
    assert (
        "Up to 3 items were shown to each rater a second time, unannounced, with at least 10 other items in between "
        "if the rater had that many; 2 raters scored 6 items again. These second scores count only in raters' "
        "agreement with themselves."
    ) in said
    own = own_agreement(one)["natural"].agreement.estimates["alpha_ordinal"].value
    answers = {entry.question.number: entry.answer.text for entry in of_criterion(one, "Natural")}
    assert answers["4.3.12.1"].startswith("Hidden repeats: Krippendorff’s ordinal α")
    assert answers["4.3.12.2"].startswith(f"Krippendorff’s ordinal α {own:.2f}")
    assert ", over 6 pairs of scores by 2 raters." in answers["4.3.12.2"]
    client = logged_in(Role.ADMIN)
    pages = [
        client.get(address).content.decode()
        for address in (
            one.get_absolute_url(),
            reverse("study_raters", args=[one.pk]) + "?sort=-repeats",
            reverse("study_rater", args=[one.pk, ann.pk]),
            reverse("study_report", args=[one.pk]),
        )
    ]
    assert "3 a rater" in pages[0]
    assert "Mean absolute difference of the rater’s two scores" in pages[1]
    assert "1.00 points apart on average" in pages[2]
    assert pages[2].count(">repeat</span>") == 3
    assert "agreement with themselves" in pages[3]


def test_a_study_without_repeats_says_nothing_of_them() -> None:
    one = study(of=corpus(2, TWO), versions=TWO)
    rate_all(member(one, "ann"))
    assert own_agreement(one) == {}
    assert "own-agreement" not in tables_of(one)
    assert "second time" not in methods_text(one)


def test_fewer_than_two_pairs_say_nothing() -> None:
    one = with_repeats(repeats=1)
    rate_all(member(one, "ann"))
    row = tables_of(one)["own-agreement"].rows[0]
    assert row[1:] == (*(None,) * 6, 1)


def test_a_pair_is_repeated_as_it_stood_and_has_its_own_table() -> None:
    made = draft(of=corpus(12, TWO), versions=TWO, kind="pairs", pairs=[list(TWO)], hidden_repeats=2)
    one = launch.launch(study=made, by=None)
    people = [member(one, "ann"), member(one, "bob")]
    for rater in people:
        assert len(rate_all(rater, even(1))) == 14
    for row in one.assignments.filter(is_repeat=True):
        first = one.assignments.get(item=row.item, membership=row.membership, is_repeat=False)
        assert row.is_flipped == first.is_flipped
    table = preference_tables(one, preferences_of(one))["own-agreement"]
    assert [column.label for column in table.columns] == ["Metric", "α, ordinal", "Weighted κ", "Exact, %", "Raters"]
    assert (shown(table.rows[0][-2]), table.rows[0][-1]) == ((100, 4), 2)


@BOTH
def test_the_simulator_scores_repeats(k: int | None) -> None:
    one = with_repeats(k, is_simulated=True)
    simulate(study=one, raters=3)
    assert Rating.objects.repeats().for_study(one).count() == 6
