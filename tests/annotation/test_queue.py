"""The queue in one process: what is next, what a submit keeps, what comes back."""

import uuid
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import IntegrityError, transaction
from django.http import Http404

from annotation.models import Assignment, Rating, Score
from annotation.monitoring import states
from annotation.rating import queue
from annotation.rating.access import own_assignment, own_membership
from annotation.rating.answers import Answer, AnswerError
from tests.annotation.setting import ANSWER, NOW, SCORES, corpus, member, rate, rate_all, study, take, user

pytestmark = pytest.mark.django_db


def test_everyone_is_given_everything_once_with_versions_kept_apart() -> None:
    everything = study(of=corpus(5))
    orders = []
    for name in ("ann", "bob", "cem"):
        rated = rate_all(member(everything, name))
        assert len({assignment.item_id for assignment in rated}) == 20
        assert all(a.item.background_id != b.item.background_id for a, b in pairwise(rated))
        orders.append(tuple(assignment.item_id for assignment in rated))
    assert len(set(orders)) == 3
    assert Rating.objects.counted().for_study(everything).count() == 60
    assert Score.objects.count() == 360


def test_a_rater_who_comes_back_finds_the_item_they_left() -> None:
    for one in (study(), study(2, of=corpus(2, name="B"))):
        rater = member(one, "ann")
        assert take(rater) == take(rater, NOW + timedelta(days=3))


@pytest.mark.parametrize("k", [1, 2, 3])
def test_every_item_gets_exactly_k_raters(k: int) -> None:
    places = study(k, of=corpus(3))
    raters = [member(places, name) for name in ("ann", "bob", "cem", "dee")]
    busy = True
    while busy:
        busy = False
        for rater in raters:
            if queue.next_assignment(rater, now=NOW):
                rate(rater)
                busy = True
    per_item = Counter(Rating.objects.values_list("assignment__item_id", flat=True))
    assert set(per_item.values()) == {k}
    assert len(per_item) == 12
    by_rater = Counter(Rating.objects.values_list("assignment__item_id", "assignment__membership_id"))
    assert set(by_rater.values()) == {1}


def test_raters_of_a_k_study_meet_the_items_in_their_own_order_with_versions_apart() -> None:
    places = study(3, of=corpus(6))
    orders = [[a.item_id for a in rate_all(member(places, name))] for name in ("ann", "bob", "cem")]
    assert len({tuple(order) for order in orders}) == 3
    for name in ("ann", "bob"):
        mine = Assignment.objects.filter(membership__rater__username=name).order_by("opened_at")
        backgrounds = list(mine.values_list("item__background_id", flat=True))
        # Only the very last ones may have no other background left.
        assert sum(a == b for a, b in pairwise(backgrounds[:-4])) == 0


def test_an_item_that_was_left_alone_past_its_lease_goes_to_another_rater() -> None:
    places = study(1, of=corpus(1, ("alpha", "beta")), versions=("alpha", "beta"))
    ann, bob = member(places, "ann"), member(places, "bob")
    left = take(ann)
    queue.save_draft(ann.rater, left.token, version=0, answer=Answer({"natural": 2}), now=NOW)
    rate(bob)
    assert queue.next_assignment(bob, now=NOW + queue.LEASE - timedelta(minutes=1)) is None
    assert queue.others_hold_slots(bob)
    taken = take(bob, NOW + queue.LEASE)
    assert taken.item == left.item
    assert (taken.draft, taken.draft_version) == ({}, 0)
    with pytest.raises(Http404):
        own_assignment(ann.rater, left.token)
    assert queue.next_assignment(ann, now=NOW + queue.LEASE) is None


def test_a_draft_outlives_its_lease_while_nobody_wants_the_place() -> None:
    places = study(1)
    ann = member(places, "ann")
    left = take(ann)
    queue.save_draft(ann.rater, left.token, version=0, answer=Answer({"natural": 2}), now=NOW)
    found = take(ann, NOW + timedelta(days=2))
    assert found.draft["scores"] == {"natural": 2}


def test_a_late_submit_counts_while_nobody_has_taken_the_place() -> None:
    ann = member(study(1), "ann")
    left = take(ann)
    late = NOW + timedelta(days=2)
    assert not queue.submit(ann.rater, left.token, submission_id=left.submission_id, answer=ANSWER, now=late).repeated


def test_a_draft_counts_up_and_a_stale_one_is_answered_with_the_newer() -> None:
    ann = member(study(), "ann")
    token = take(ann).token
    assert queue.save_draft(ann.rater, token, version=0, answer=Answer({"natural": 2}), now=NOW) == 1
    # The same again: the answer to the first was lost on the way.
    assert queue.save_draft(ann.rater, token, version=0, answer=Answer({"natural": 2}), now=NOW) == 1
    with pytest.raises(queue.StaleDraftError) as caught:
        queue.save_draft(ann.rater, token, version=0, answer=Answer({"natural": 5}), now=NOW)
    assert caught.value.draft["scores"] == {"natural": 2}
    assert caught.value.version == 1


def test_a_submit_repeated_ten_times_is_one_rating() -> None:
    ann = member(study(), "ann")
    assignment = take(ann)
    first, *rest = [
        queue.submit(ann.rater, assignment.token, submission_id=assignment.submission_id, answer=ANSWER, now=NOW)
        for _ in range(10)
    ]
    assert not first.repeated
    assert all(again.repeated and again.rating == first.rating for again in rest)
    assert Rating.objects.count() == 1


def test_the_same_scores_under_a_new_id_are_no_second_rating() -> None:
    ann = member(study(), "ann")
    assignment = rate(ann)
    again = queue.submit(ann.rater, assignment.token, submission_id=uuid.uuid4(), answer=ANSWER, now=NOW)
    assert again.repeated
    assert Rating.objects.count() == 1


def test_a_correction_supersedes_and_keeps_the_first() -> None:
    ann = member(study(), "ann")
    assignment = rate(ann)
    better = Answer({**SCORES, "natural": 1}, comment="read it again")
    second = queue.submit(ann.rater, assignment.token, submission_id=uuid.uuid4(), answer=better, now=NOW)
    assert second.rating.supersedes is not None
    assert Rating.objects.counted().get() == second.rating
    assert Rating.objects.count() == 2
    assert queue.answer_of(second.rating) == better


def test_a_submission_id_of_another_item_is_refused() -> None:
    ann = member(study(), "ann")
    first = rate(ann)
    spent = first.ratings.get().submission_id
    with pytest.raises(queue.QueueError, match="another item"):
        queue.submit(ann.rater, take(ann).token, submission_id=spent, answer=ANSWER, now=NOW)


def test_missing_scores_are_named_and_nothing_is_kept() -> None:
    ann = member(study(), "ann")
    assignment = take(ann)
    partial = Answer({key: 3 for key in SCORES if key not in ("natural", "on_topic")})
    with pytest.raises(AnswerError, match="Natural, On-topic"):
        queue.submit(ann.rater, assignment.token, submission_id=assignment.submission_id, answer=partial, now=NOW)
    assert not Rating.objects.exists()


def test_a_skipped_place_goes_to_another_rater_and_not_back_to_the_skipper() -> None:
    places = study(1, of=corpus(1, ("alpha",)), versions=("alpha",))
    ann, bob = member(places, "ann"), member(places, "bob")
    skipped = take(ann)
    queue.skip(ann.rater, skipped.token, reason="offensive")
    assert queue.next_assignment(ann, now=NOW) is None
    with pytest.raises(queue.QueueError, match="given back"):
        queue.submit(ann.rater, skipped.token, submission_id=skipped.submission_id, answer=ANSWER, now=NOW)
    assert rate(bob).item == skipped.item
    assert Assignment.objects.filter(item=skipped.item, slot__isnull=False).count() == 1


def test_a_skipped_item_that_everyone_rates_can_still_be_rated_later() -> None:
    ann = member(study(of=corpus(1, ("alpha",)), versions=("alpha",)), "ann")
    skipped = take(ann)
    queue.skip(ann.rater, skipped.token, reason="")
    assert queue.next_assignment(ann, now=NOW) is None
    queue.submit(ann.rater, skipped.token, submission_id=skipped.submission_id, answer=ANSWER, now=NOW)
    assert Rating.objects.count() == 1


def test_nothing_is_taken_or_changed_after_the_study_closes() -> None:
    one = study()
    ann = member(one, "ann")
    rated, held = rate(ann), take(ann)
    first = rated.ratings.get()
    states.close(study=one, by=None)
    ann.refresh_from_db()
    assert queue.next_assignment(ann, now=NOW) is None
    with pytest.raises(queue.QueueError, match="closed"):
        queue.submit(ann.rater, held.token, submission_id=held.submission_id, answer=ANSWER, now=NOW)
    with pytest.raises(queue.QueueError, match="closed"):
        queue.save_draft(ann.rater, held.token, version=0, answer=ANSWER, now=NOW)
    # The repeat of a submit whose answer was lost still finds it.
    again = queue.submit(ann.rater, rated.token, submission_id=first.submission_id, answer=ANSWER, now=NOW)
    assert again.rating == first


def test_another_raters_item_does_not_exist_for_me() -> None:
    one = study()
    ann, bob = member(one, "ann"), member(one, "bob")
    with pytest.raises(Http404):
        own_assignment(bob.rater, take(ann).token)
    with pytest.raises(Http404):
        own_membership(bob.rater, ann.token)
    with pytest.raises(Http404):
        own_membership(user("stranger"), ann.token)


def test_the_database_refuses_a_place_too_many_and_a_second_current_rating() -> None:
    one = study(1)
    ann = member(one, "ann")
    assignment = rate(ann)
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.create(
            study=one, item=assignment.item, membership=member(one, "bob"), slot=1, position=0, lease_until=NOW
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Rating.objects.create(assignment=assignment)


def test_previous_is_what_was_rated_before() -> None:
    ann = member(study(), "ann")
    rated = [rate(ann, now=NOW + timedelta(minutes=minute)) for minute in range(3)]
    current = take(ann, NOW + timedelta(minutes=5))
    shown = [own_assignment(ann.rater, one.token) for one in (*rated, current)]
    assert [one.previous_token for one in shown] == [None, *(one.token for one in rated)]
    given = [Rating.objects.get(assignment=one).created_at for one in rated]
    assert [one.previous_rated_at for one in shown] == [None, *given]
