"""Next, draft, submit, skip: each one transaction that holds for any number of raters and processes."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import Http404
from django.utils.translation import gettext as _

from annotation.models import NO_LEASE, Assignment, Item, Membership, Rating, Score, Study, opaque_token
from annotation.rating import checks
from annotation.rating.answers import Answer, scale_of
from annotation.studies.assignment import claim_pivot

# How long a place is kept for a rater who says nothing; every draft and every look begins it anew.
LEASE = timedelta(hours=1)

AnyUser = AbstractBaseUser | AnonymousUser


class QueueError(Exception):
    """Something the queue refuses; the text tells the rater why and what to do."""


class StaleDraftError(QueueError):
    """Someone, most likely the same rater in another tab, saved a newer draft."""

    def __init__(self, draft: dict[str, Any], version: int) -> None:
        super().__init__(_("Another tab or device has saved other scores for this item."))
        self.draft = draft
        self.version = version


@dataclass(frozen=True, slots=True)
class Submission:
    rating: Rating
    # True where this submission id, or these very scores, had been kept before.
    repeated: bool


def own_membership(user: AnyUser, token: str) -> Membership:
    """The rater's place in a study by its token; 404 for everybody else."""
    membership = Membership.objects.select_related("study__rubric").filter(token=token, rater_id=user.pk)
    found = membership.filter(withdrawn_at__isnull=True).first()
    if found is None or found.study.is_draft:
        raise Http404("You are not a rater of such a study.")
    return found


def own_assignment(user: AnyUser, token: str, *, lock: bool = False) -> Assignment:
    """The rater's own item by its token; 404 for everybody else. `lock` needs a transaction."""
    rows = Assignment.objects.select_related("item", "membership", "study__rubric")
    if lock:
        rows = rows.select_for_update(no_key=True, of=("self",))
    found = rows.filter(token=token, membership__rater_id=user.pk, membership__withdrawn_at__isnull=True).first()
    if found is None or found.membership is None:
        raise Http404("This item is not yours, or it went to another rater.")
    return found


@transaction.atomic
def next_assignment(membership: Membership, *, now: datetime) -> Assignment | None:
    """What the rater should score now: what they already hold, else a free place, else None."""
    study = membership.study
    if not study.is_open:
        return None
    # A rater's own tabs take turns here, so that two of them never claim two places.
    Membership.objects.select_for_update(no_key=True).get(pk=membership.pk)
    # What is practised before has a page of its own.
    mine = Assignment.objects.opened().filter(membership=membership).order_by("position")
    mine = mine.exclude(item__purpose=Item.Purpose.TRAINING)
    if study.raters_per_item is None:
        held = mine.first()
    else:
        # Locked, or a place whose lease has run out could go to another rater while this one is sent to it.
        held = mine.select_for_update(no_key=True, of=("self",)).first() or _claim(membership, study, now)
    if held is not None:
        show(held, now=now)
    return held


def show(assignment: Assignment, *, now: datetime) -> None:
    """Note when the rater first saw the item, and begin the lease anew."""
    fields = []
    if assignment.opened_at is None:
        assignment.opened_at = now
        fields.append("opened_at")
    if assignment.slot is not None and assignment.state == Assignment.State.OPEN:
        assignment.lease_until = now + LEASE
        fields.append("lease_until")
    if fields:
        assignment.save(update_fields=fields)


def _claim(membership: Membership, study: Study, now: datetime) -> Assignment | None:
    """Write the rater into one free place; rows that another claim has locked are stepped over."""
    mine = Assignment.objects.filter(membership=membership)
    pivot = claim_pivot(membership.seed, mine.count(), study.selection["items"])
    last = mine.order_by("-opened_at").values_list("item__background_id", flat=True).first()
    free = (
        Assignment.objects.places_to_give(study, now)
        .exclude(Exists(Assignment.objects.filter(membership=membership, item=OuterRef("item"))))
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("position")
    )
    # Not the background just seen, unless nothing else is left.
    apart = free.exclude(item__background_id=last)
    place = apart.filter(position__gte=pivot).first() or apart.filter(position__lt=pivot).first() or free.first()
    if place is None:
        return None
    place.membership = membership
    place.token = opaque_token()
    place.submission_id = uuid.uuid4()
    place.draft, place.draft_version = {}, 0
    place.opened_at, place.lease_until = now, now + LEASE
    place.save(
        update_fields=["membership", "token", "submission_id", "draft", "draft_version", "opened_at", "lease_until"]
    )
    return place


@transaction.atomic
def save_draft(user: AnyUser, token: str, *, version: int, answer: Answer, now: datetime) -> int:
    """Keep a draft that was made on top of `version`; gives its new version.

    Raises StaleDraftError where a newer draft says something else; a repeat of the newest draft is no conflict.
    """
    assignment = own_assignment(user, token, lock=True)
    _must_be_open(assignment.study)
    if assignment.draft_version != version:
        latest = latest_answer(assignment)
        if latest == answer:
            return assignment.draft_version
        raise StaleDraftError(latest.to_json(), assignment.draft_version)
    assignment.draft = answer.to_json()
    assignment.draft_version += 1
    assignment.save(update_fields=["draft", "draft_version"])
    show(assignment, now=now)
    return assignment.draft_version


@transaction.atomic
def submit(user: AnyUser, token: str, *, submission_id: uuid.UUID, answer: Answer, now: datetime) -> Submission:
    """Keep a complete answer as the item's current rating.

    A submission id that was kept before gives its first answer. Scores that differ from an earlier rating of the
    same item supersede it. Raises AnswerError for missing scores and QueueError where the queue refuses.
    """
    assignment = own_assignment(user, token, lock=True)
    known = Rating.objects.filter(submission_id=submission_id).first()
    if known is not None:
        if known.assignment_id != assignment.pk:
            raise QueueError(_("This submission id belongs to another item. Reload the page and submit again."))
        return Submission(known, repeated=True)
    _must_be_open(assignment.study)
    answer.require_complete(assignment.study.rubric)
    _must_have_its_place(assignment)
    current = assignment.ratings.filter(is_current=True).first()
    if current is not None and answer_of(current) == answer:
        return Submission(current, repeated=True)
    rating = _write(assignment, submission_id, answer, current, now)
    assignment.state = Assignment.State.SUBMITTED
    assignment.draft, assignment.draft_version = {}, assignment.draft_version + 1
    assignment.submission_id = uuid.uuid4()
    assignment.skip_reason = ""
    assignment.save(update_fields=["state", "draft", "draft_version", "submission_id", "skip_reason"])
    checks.screen(assignment, now=now)
    return Submission(rating, repeated=False)


def _write(
    assignment: Assignment, submission_id: uuid.UUID, answer: Answer, current: Rating | None, now: datetime
) -> Rating:
    seconds = None
    if current is not None:
        current.is_current = False
        current.save(update_fields=["is_current"])
    elif assignment.opened_at is not None:
        seconds = (now - assignment.opened_at).total_seconds()
    rating = Rating.objects.create(
        assignment=assignment,
        submission_id=submission_id,
        supersedes=current,
        comment=answer.comment,
        flag=answer.flag,
        seconds=seconds,
    )
    scale = scale_of(assignment.study)
    Score.objects.bulk_create(
        Score(
            rating=rating,
            metric=key,
            value=value,
            scale_low=scale.low,
            scale_high=scale.high,
            comment=answer.comments.get(key, ""),
            evidence=answer.evidence.get(key, []),
        )
        for key, value in answer.scores.items()
    )
    return rating


@transaction.atomic
def take_back(user: AnyUser, token: str, *, now: datetime) -> Assignment:
    """Undo a submit: the rating no longer counts, and the item is open again with its scores as the draft.

    Taking back what is open already changes nothing.
    """
    assignment = own_assignment(user, token, lock=True)
    _must_be_open(assignment.study)
    current = assignment.ratings.filter(is_current=True).first()
    if current is None:
        return assignment
    answer = answer_of(current)
    current.is_current = False
    current.save(update_fields=["is_current"])
    assignment.state = Assignment.State.OPEN
    assignment.draft, assignment.draft_version = answer.to_json(), assignment.draft_version + 1
    assignment.save(update_fields=["state", "draft", "draft_version"])
    show(assignment, now=now)
    return assignment


@transaction.atomic
def skip(user: AnyUser, token: str, *, reason: str) -> None:
    """Put an unrated item aside; where items have places, the place is free for another rater."""
    assignment = own_assignment(user, token, lock=True)
    _must_be_open(assignment.study)
    if assignment.state == Assignment.State.SUBMITTED:
        raise QueueError(_("You have rated this item. Change its scores instead of skipping it."))
    if assignment.state == Assignment.State.SKIPPED:
        return
    slot = assignment.slot
    assignment.state, assignment.skip_reason, assignment.slot = Assignment.State.SKIPPED, reason, None
    assignment.save(update_fields=["state", "skip_reason", "slot"])
    if slot is not None:
        Assignment.objects.create(
            study=assignment.study,
            item=assignment.item,
            slot=slot,
            position=assignment.position,
            lease_until=NO_LEASE,
        )


def latest_answer(assignment: Assignment) -> Answer:
    """What the rater last said about the item: the draft, else the current rating, else nothing."""
    if assignment.draft:
        return Answer.from_draft(assignment.draft)
    rating = assignment.ratings.filter(is_current=True).first()
    return answer_of(rating) if rating else Answer()


def answer_of(rating: Rating) -> Answer:
    """A stored rating as the answer it was given as."""
    scores = list(rating.scores.all())
    return Answer(
        {score.metric: score.value for score in scores},
        rating.comment,
        rating.flag,
        {score.metric: score.comment for score in scores if score.comment},
        {score.metric: score.evidence for score in scores if score.evidence},
    )


def previous(assignment: Assignment) -> Assignment | None:
    """The item this rater scored before this one."""
    rated = Assignment.objects.filter(membership=assignment.membership_id, state=Assignment.State.SUBMITTED)
    rated = rated.exclude(item__purpose=Item.Purpose.TRAINING)
    return rated.filter(opened_at__lt=assignment.opened_at).order_by("-opened_at").first()


def others_hold_places(membership: Membership) -> bool:
    """Whether places this rater could take are held by others just now, and may yet come back."""
    mine = Assignment.objects.filter(membership=membership, item=OuterRef("item"))
    return Assignment.objects.opened().filter(study=membership.study, slot__isnull=False).exclude(Exists(mine)).exists()


def _must_be_open(study: Study) -> None:
    if not study.is_open:
        raise QueueError(_("The study is closed; its ratings can no longer be changed."))


def _must_have_its_place(assignment: Assignment) -> None:
    if assignment.state == Assignment.State.SKIPPED and assignment.study.raters_per_item is not None:
        raise QueueError(_("You skipped this item and its place was given back. Go on with the next one."))
