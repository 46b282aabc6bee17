"""Places move and every item keeps exactly k: exclusion, reinstatement, withdrawal, replacement, growth."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.http import Http404

from annotation.design import launch
from annotation.design.drafting import DesignError
from annotation.models import Assignment, Item, Membership, Rating, Study
from annotation.monitoring import states
from annotation.rating import membership_changes, queue
from annotation.rating.access import own_membership
from annotation.rating.answers import Answer
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from tests.annotation.setting import ANSWER, NOW, SCORES, corpus, counted, fresh, member, rate, rate_all, study, user

pytestmark = pytest.mark.django_db


def slots(of: Study) -> set[tuple[int, ...]]:
    """The numbers of the places that items have: one entry where all have the same."""
    found: dict[int, list[int]] = {}
    for item, slot in of.assignments.filter(slot__isnull=False).values_list("item_id", "slot"):
        found.setdefault(item, []).append(slot)
    return {tuple(sorted(numbers)) for numbers in found.values()}


def test_an_excluded_raters_ratings_stay_uncounted_and_new_raters_bring_every_item_back_to_k() -> None:
    one = study(2, of=corpus(3))
    ann, bob, cem = (member(one, name) for name in ("ann", "bob", "cem"))
    assert len(rate_all(ann)) == len(rate_all(bob)) == 12
    assert membership_changes.exclude(membership=ann, reason="straight lines", by=None) == 12
    assert set(counted(one).values()) == {1}
    assert Rating.objects.for_study(one).count() == 24
    assert len(rate_all(cem)) == 12
    assert set(counted(one).values()) == {2}
    assert slots(one) == {(1, 2)}
    assert queue.next_assignment(fresh(ann), now=NOW) is None


def test_excluding_twice_changes_nothing_and_needs_a_reason() -> None:
    one = study(1, of=corpus(1))
    ann = member(one, "ann")
    rate(ann)
    with pytest.raises(membership_changes.MembershipError, match="Say why"):
        membership_changes.exclude(membership=ann, reason="  ", by=None)
    with pytest.raises(membership_changes.MembershipError, match="at most 300"):
        membership_changes.exclude(membership=ann, reason="x" * 301, by=None)
    boss = user("boss", "researcher")
    assert membership_changes.exclude(membership=ann, reason="why", by=boss) == 1
    assert membership_changes.exclude(membership=ann, reason="another", by=None) == 0
    assert (fresh(ann).exclusion_reason, fresh(ann).excluded_by) == ("why", boss)
    assert AuditEvent.objects.filter(verb=AuditVerb.RATER_EXCLUDED).count() == 1


def test_an_excluded_rater_can_change_nothing_and_is_told_so() -> None:
    for one in (study(1, of=corpus(1)), study(None, of=corpus(1, name="B"))):
        ann = member(one, "ann")
        rated = rate(ann)
        membership_changes.exclude(membership=ann, reason="why", by=None)
        with pytest.raises(queue.QueueError, match="no longer rate"):
            queue.save_draft(ann.rater, rated.token, version=1, answer=ANSWER, now=NOW)
        with pytest.raises(queue.QueueError, match="no longer rate"):
            queue.take_back(ann.rater, rated.token, now=NOW)


def test_a_reinstated_rater_gets_back_the_places_that_nobody_has_taken() -> None:
    one = study(1, of=corpus(2))
    ann, bob = member(one, "ann"), member(one, "bob")
    assert len(rate_all(ann)) == 8
    membership_changes.exclude(membership=ann, reason="why", by=None)
    taken = {rate(bob).item_id for _ in range(3)}
    assert membership_changes.reinstate(membership=ann, by=None) == 5
    assert membership_changes.reinstate(membership=ann, by=None) == 0
    assert set(counted(one).values()) == {1}
    assert len(counted(one)) == 8
    aside = Rating.objects.filter(assignment__membership=ann).exclude(pk__in=Rating.objects.counted())
    assert set(aside.values_list("assignment__item_id", flat=True)) == taken
    assert slots(one) == {(1,)}
    assert fresh(ann).exclusion_reason == ""


def test_what_a_rater_held_when_they_were_excluded_is_free_and_theirs_again_when_they_return() -> None:
    one = study(1, of=corpus(1, ("alpha",)), versions=("alpha",))
    ann = member(one, "ann")
    rated = rate(ann)
    queue.take_back(ann.rater, rated.token, now=NOW)
    assert membership_changes.exclude(membership=ann, reason="why", by=None) == 1
    assert slots(one) == {(1,)}
    membership_changes.reinstate(membership=ann, by=None)
    back = queue.next_assignment(fresh(ann), now=NOW)
    assert back is not None
    assert back.item == rated.item
    assert back.draft["scores"] == SCORES


def test_where_everyone_rates_everything_exclusion_only_marks_and_is_taken_back_whole() -> None:
    one = study(None, of=corpus(1))
    ann, bob = member(one, "ann"), member(one, "bob")
    rate_all(ann)
    rate_all(bob)
    assert membership_changes.exclude(membership=ann, reason="why", by=None) == 0
    assert set(counted(one).values()) == {1}
    membership_changes.reinstate(membership=ann, by=None)
    assert set(counted(one).values()) == {2}


@pytest.mark.parametrize("k", [None, 1])
def test_who_withdraws_leaves_no_name_and_their_scores_stay_where_the_policy_keeps_them(k: int | None) -> None:
    one = study(k, of=corpus(1), withdrawal=Study.Withdrawal.KEEP)
    ann = member(one, "ann")
    Membership.objects.filter(pk=ann.pk).update(prolific_pid="a-person", prolific_session="s")
    rated = rate(ann)
    queue.next_assignment(fresh(ann), now=NOW)
    membership_changes.withdraw(membership=ann, by=ann.rater)
    gone = fresh(ann)
    assert gone.rater != ann.rater
    assert not gone.rater.is_active
    assert (gone.prolific_pid, gone.prolific_session) == ("", "")
    assert counted(one) == {rated.item_id: 1}
    assert not gone.assignments.exclude(state=Assignment.State.SUBMITTED).exists()
    assert not AuditEvent.objects.filter(verb=AuditVerb.RATER_WITHDRAWN).get().actor
    with pytest.raises(Http404):
        own_membership(ann.rater, ann.token)
    assert membership_changes.withdraw(membership=ann, by=None) == 0


@pytest.mark.parametrize("k", [None, 1])
def test_where_the_policy_removes_scores_they_go_with_their_history_and_places_are_free(k: int | None) -> None:
    one = study(k, of=corpus(1), withdrawal=Study.Withdrawal.REMOVE)
    ann, bob = member(one, "ann"), member(one, "bob")
    rated = rate(ann)
    better = Answer({**SCORES, "natural": 1})
    queue.submit(ann.rater, rated.token, submission_id=uuid.uuid4(), answer=better, now=NOW)
    freed = membership_changes.withdraw(membership=ann, by=None)
    assert freed == (0 if k is None else 1)
    assert not Rating.objects.for_study(one).exists()
    assert not ann.assignments.exists()
    assert len(rate_all(bob)) == 4
    assert set(counted(one).values()) == {1}


def test_what_a_rater_who_left_holds_goes_to_others_at_once() -> None:
    one = study(1, of=corpus(1, ("alpha",)), versions=("alpha",))
    ann, bob = member(one, "ann"), member(one, "bob")
    held = queue.next_assignment(ann, now=NOW)
    assert held is not None
    assert queue.next_assignment(bob, now=NOW) is None
    assert membership_changes.replace(membership=ann, by=None) == 1
    assert rate(bob).item == held.item


def test_a_study_extended_to_more_raters_fills_up_to_the_new_number_and_no_further() -> None:
    one = study(1, of=corpus(2))
    raters = [member(one, name) for name in ("ann", "bob", "cem")]
    assert len(rate_all(raters[0])) == 8
    assert launch.extend(study=one, raters_per_item=2, by=None) == 8
    assert sum(len(rate_all(rater)) for rater in raters) == 8
    assert set(counted(one).values()) == {2}
    for fewer in (1, 2):
        with pytest.raises(DesignError, match="more than that"):
            launch.extend(study=one, raters_per_item=fewer, by=None)
    states.close(study=one, by=None)
    with pytest.raises(DesignError, match="open or paused"):
        launch.extend(study=one, raters_per_item=3, by=None)
    with pytest.raises(DesignError, match="everyone"):
        launch.extend(study=study(None, of=corpus(1, name="B")), raters_per_item=3, by=None)


@pytest.mark.parametrize("k", [None, 2])
def test_more_backgrounds_come_with_all_their_versions_and_go_to_every_rater(k: int | None) -> None:
    chats = corpus(12)
    one = study(k, of=chats, background_count=8)
    ann, bob = member(one, "ann"), member(one, "bob")
    assert len(rate_all(ann)) == 32
    assert launch.add_items(study=one, backgrounds=3, by=None) == 12
    assert len(rate_all(ann)) == 12
    assert len(rate_all(bob)) == 44
    assert set(counted(one).values()) == {2}
    assert len(counted(one)) == 44
    positions = list(Item.objects.filter(study=one).order_by("position").values_list("position", flat=True))
    assert positions == list(range(44))
    with pytest.raises(DesignError, match="1 backgrounds with every version are left"):
        launch.add_items(study=one, backgrounds=2, by=None)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL plans with counted rows")
def test_the_planner_knows_of_all_places_as_soon_as_a_study_is_launched(
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        launched = study(3, of=corpus(25))
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, reltuples FROM pg_class WHERE relname LIKE 'annotation_%'")
        counted_rows = dict(cursor.fetchall())
    assert counted_rows[Assignment._meta.db_table] >= launched.assignments.count() == 300
    assert counted_rows[Item._meta.db_table] >= launched.items.count()
