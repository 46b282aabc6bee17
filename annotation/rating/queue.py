"""Next, draft, submit, undo, skip: one transaction each, safe for any number of raters and processes."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from annotation.allocation import claiming, repeats
from annotation.allocation.block_state import LEASE, OvertakenError
from annotation.chats import places
from annotation.chats.plan import ChatPlan
from annotation.models import Assignment, Item, Membership, Rating, Score, Study
from annotation.rating import access, membership_changes
from annotation.rating.access import AnyUser, own_assignment
from annotation.rating.answers import Answer, scale_of
from core.database.prepared import Prepared

__all__ = ["LEASE"]
# A lease is renewed only after this much of it has passed, to save writes.
LEASE_STEP = LEASE / 60
TRIES = 5

# An answer, or a function that reads it once the item is known, so that the item is fetched only once.
Said = Answer | Callable[[Assignment], Answer]


class QueueError(Exception):
    """A refusal of the queue; the text tells the rater why and what to do."""


class StaleDraftError(QueueError):
    """A newer draft exists, most likely from another tab of the same rater."""

    def __init__(self, draft: dict[str, Any], version: int) -> None:
        super().__init__(_("Another tab or device has saved other scores for this item."))
        self.draft = draft
        self.version = version


@dataclass(frozen=True, slots=True)
class Submission:
    rating: Rating
    # True if this submission id, or the same scores, had been stored before.
    repeated: bool


def next_assignment(membership: Membership, *, now: datetime) -> Assignment | None:
    """The item to score now: one that is due, or one they hold, or a free slot; None if there is none."""
    if not membership.study.is_open or not membership.is_ongoing:
        return None
    for _attempt in range(TRIES):
        try:
            return _next(membership, now)
        except OvertakenError:
            membership.refresh_from_db(fields=["turn", "course", "repeats_due"])
    raise QueueError(_("Another tab of yours is taking items. Close it and try again."))


@transaction.atomic
def _next(membership: Membership, now: datetime) -> Assignment | None:
    held = claiming.due(membership)
    if (held is None or _is_ahead(held)) and (repeat := repeats.begin(membership, now)):
        return repeat
    if held is None:
        claimed = claiming.claim(membership, now) if _may_claim(membership) else None
        return claimed or repeats.begin(membership, now, at_end=True)
    held.study, held.membership = membership.study, membership
    if claiming.starts_block(membership, held):
        return claiming.begin_block(membership, held, now)
    show(held, now=now)
    return held


def go_on(assignment: Assignment, *, now: datetime) -> Assignment | None:
    """The rater's next item after a submit, if it can be found cheaply; if None, the next page looks for it.

    `assignment` comes from `own_assignment(…, lock=True)`.
    """
    membership = assignment.membership
    if membership is None or not membership.study.is_open or not membership.is_ongoing:
        return None
    following = None
    if membership.study.raters_per_item is None:
        following = claiming.due(membership)
        if following is None or claiming.starts_block(membership, following):
            return None
        if not (_is_ahead(following) and repeats.is_due(membership)):
            return following
    elif assignment.holds_more or not _may_claim(membership):
        return None
    try:
        with transaction.atomic():
            repeat = repeats.begin(membership, now)
            return repeat or following or claiming.claim(membership, now, access.lines(assignment))
    except OvertakenError:
        return None


def _is_ahead(held: Assignment) -> bool:
    """Whether it is the next item of the rater's own order, which they have not seen yet."""
    return bool(held.condition) and held.opened_at is None


def _may_claim(membership: Membership) -> bool:
    """Whether there are slots for them: in a study of chats each tester has so many chats at most."""
    study = membership.study
    most = ChatPlan.of(study.chat_plan).chats_each if study.has_chats else None
    return study.raters_per_item is not None and (most is None or membership.turn < most)


def show(assignment: Assignment, *, now: datetime) -> None:
    """Record when the rater first saw the item, and renew the lease."""
    if assignment.opened_at is None:
        unseen = Assignment.objects.filter(pk=assignment.pk, opened_at__isnull=True)
        is_first = unseen.update(opened_at=now)
        assignment.opened_at = now
        if is_first and assignment.condition and assignment.membership is not None:
            claiming.note_shown(assignment, assignment.membership, now)
    _renew(assignment, now)


def _renew(assignment: Assignment, now: datetime) -> None:
    if assignment.slot is None or assignment.state != Assignment.State.OPEN or assignment.lease_until is None:
        return
    if assignment.lease_until < now + LEASE - LEASE_STEP:
        held = Assignment.objects.opened().filter(pk=assignment.pk, membership=assignment.membership_id)
        held.update(lease_until=now + LEASE)
        assignment.lease_until = now + LEASE


@transaction.atomic
def save_draft(user: AnyUser, token: str, *, version: int, answer: Said, now: datetime) -> int:
    """Store a draft based on `version`; returns its new version. A paused study accepts drafts too.

    Raises StaleDraftError if a newer draft differs; repeating the newest draft is no conflict.
    """
    assignment = own_assignment(user, token, lock=True)
    _must_take_drafts(assignment)
    _must_have_chatted(assignment)
    said = _said(answer, assignment)
    if assignment.draft_version != version:
        latest = latest_answer(assignment)
        if latest == said:
            return assignment.draft_version
        raise StaleDraftError(latest.to_json(), assignment.draft_version)
    assignment.draft = said.to_json()
    assignment.draft_version += 1
    fields = ["draft", "draft_version"]
    if assignment.slot is not None and assignment.state == Assignment.State.OPEN:
        assignment.lease_until = now + LEASE
        fields.append("lease_until")
    assignment.save(update_fields=fields)
    if assignment.opened_at is None:
        show(assignment, now=now)
    return assignment.draft_version


@transaction.atomic
def submit(user: AnyUser, token: str, *, submission_id: uuid.UUID, answer: Said, now: datetime) -> Submission:
    """Store a complete answer as the item's current rating.

    A submission id that was stored before returns its first rating. Scores that differ from an earlier rating of the
    item supersede it. Raises AnswerError for missing scores, QueueError if the queue refuses.
    """
    assignment = own_assignment(user, token, lock=True)
    # The first submit replaces the page's id, so with the current id nothing can have been stored yet.
    is_fresh = assignment.state == Assignment.State.OPEN and assignment.submission_id == submission_id
    known = None if is_fresh else Rating.objects.filter(submission_id=submission_id).first()
    if known is not None:
        if known.assignment_id != assignment.pk:
            raise QueueError(_("This submission id belongs to another item. Reload the page and submit again."))
        known.assignment = assignment
        return Submission(known, repeated=True)
    _must_be_open(assignment)
    _must_have_chatted(assignment)
    said = _said(answer, assignment)
    said.require_complete(assignment.item.asked(assignment.study.rubric))
    _must_not_be_skipped(assignment)
    if not is_fresh:
        latest = assignment.ratings.order_by("-pk").first()
        if latest is not None and latest.is_current and answer_of(latest) == said:
            latest.assignment = assignment
            return Submission(latest, repeated=True)
        assignment.last_rating_id = latest.pk if latest else None
    rating = _write(assignment, submission_id, said, now)
    assignment.state = Assignment.State.SUBMITTED
    assignment.draft, assignment.draft_version = {}, assignment.draft_version + 1
    assignment.submission_id = uuid.uuid4()
    assignment.skip_reason = ""
    _keep_if_open(assignment, ["state", "draft", "draft_version", "submission_id", "skip_reason"])
    membership_changes.screen_if_due(assignment, now=now)
    return Submission(rating, repeated=False)


@transaction.atomic
def take_back(user: AnyUser, token: str, *, now: datetime) -> Assignment:
    """Undo the rater's last submit: its rating no longer counts, and the item is open again with it as the draft.

    Undoing twice changes nothing. Raises QueueError if something was submitted since.
    """
    assignment = own_assignment(user, token, lock=True)
    if assignment.state == Assignment.State.OPEN and assignment.draft:
        return assignment
    _must_be_open(assignment)
    current = assignment.ratings.filter(is_current=True).first()
    if current is None or current.pk != _last_rating(assignment):
        raise QueueError(_("Only what you submitted last can be taken back. Open the item to change its scores."))
    if assignment.item.purpose == Item.Purpose.TRAINING:
        raise QueueError(_("You have seen what was expected here, so it stays as it is."))
    _must_hold_its_slot(assignment)
    assignment.draft = answer_of(current).to_json()
    assignment.draft_version += 1
    assignment.state = Assignment.State.OPEN
    assignment.submission_id = uuid.uuid4()
    fields = ["draft", "draft_version", "state", "submission_id"]
    if assignment.slot is not None:
        assignment.lease_until = now + LEASE
        fields.append("lease_until")
    _keep_if_open(assignment, fields)
    current.is_current = False
    current.save(update_fields=["is_current"])
    return assignment


def _in_open_study(assignment: int) -> Any:
    return Assignment.objects.filter(pk=assignment, study__state=Study.State.OPEN).order_by().values("pk")


IN_OPEN_STUDY: Prepared[Assignment] = Prepared(_in_open_study, assignment=int)


def _keep_if_open(assignment: Assignment, fields: list[str]) -> None:
    """Write these fields if the study is still open: it may have been closed just before the submit lock was taken."""
    values = {name: getattr(assignment, name) for name in fields}
    if not Assignment.objects.write(*IN_OPEN_STUDY.sql(assignment=assignment.pk), **values):
        assignment.study.refresh_from_db(fields=["state"])
        _must_be_open(assignment)
        raise QueueError(_("The study was paused for a moment. Submit again."))


def _last_rating(assignment: Assignment) -> int | None:
    mine = Rating.objects.filter(assignment__membership=assignment.membership_id)
    return mine.order_by("-pk").values_list("pk", flat=True).first()


def _write(assignment: Assignment, submission_id: uuid.UUID, answer: Answer, now: datetime) -> Rating:
    """Write a new current rating that supersedes the latest one, which may have been taken back."""
    seconds = None
    if assignment.last_rating_id is not None:
        Rating.objects.filter(pk=assignment.last_rating_id, is_current=True).update(is_current=False)
    if assignment.state != Assignment.State.SUBMITTED and assignment.opened_at is not None:
        seconds = (now - assignment.opened_at).total_seconds()
    rating = Rating(
        assignment=assignment,
        submission_id=submission_id,
        supersedes_id=assignment.last_rating_id,
        comment=answer.comment,
        flag=answer.flag,
        seconds=seconds,
    )
    rating.save(force_insert=True)
    scale = scale_of(assignment.study)
    scores = [
        Score(
            rating_id=rating.pk,
            metric=key,
            value=value,
            scale_low=scale.low,
            scale_high=scale.high,
            comment=answer.comments.get(key, ""),
            evidence=answer.evidence.get(key, []),
        )
        for key, value in answer.scores.items()
    ]
    Score.objects.bulk_create(scores)
    return rating


@transaction.atomic
def skip(user: AnyUser, token: str, *, reason: str) -> None:
    """Skip an unrated item; its slot, if it has one, becomes free for another rater."""
    assignment = own_assignment(user, token, lock=True)
    _must_be_open(assignment)
    if assignment.state == Assignment.State.SUBMITTED:
        raise QueueError(_("You have rated this item. Change its scores instead of skipping it."))
    if assignment.state == Assignment.State.SKIPPED:
        return
    slot = assignment.slot
    if assignment.study.has_chats:
        places.leave(assignment)
    assignment.state, assignment.skip_reason, assignment.slot = Assignment.State.SKIPPED, reason, None
    _keep_if_open(assignment, ["state", "skip_reason", "slot"])
    if slot is not None:
        assignment.slot = slot
        claiming.open_slots([assignment])
        assignment.slot = None


def latest_answer(assignment: Assignment) -> Answer:
    """The rater's latest answer about the item: the draft, or the current rating, or an empty one."""
    if assignment.draft:
        return Answer.from_draft(assignment.draft)
    # An open item without a draft has never been rated: taking a rating back leaves a draft.
    if assignment.state == Assignment.State.OPEN:
        return Answer()
    rating = assignment.ratings.filter(is_current=True).first()
    return answer_of(rating) if rating else Answer()


def answer_of(rating: Rating) -> Answer:
    """The answer of a stored rating."""
    scores = list(rating.scores.all())
    return Answer(
        {score.metric: score.value for score in scores},
        rating.comment,
        rating.flag,
        {score.metric: score.comment for score in scores if score.comment},
        {score.metric: score.evidence for score in scores if score.evidence},
    )


def others_hold_slots(membership: Membership) -> bool:
    """Whether others hold slots that this rater could take if they come free."""
    if not _may_claim(membership):
        return False
    mine = Assignment.objects.filter(membership=membership, item=OuterRef("item"))
    return Assignment.objects.opened().filter(study=membership.study, slot__isnull=False).exclude(Exists(mine)).exists()


def _said(answer: Said, assignment: Assignment) -> Answer:
    return answer if isinstance(answer, Answer) else answer(assignment)


def _must_rate(assignment: Assignment) -> None:
    if assignment.membership is None or not assignment.membership.is_ongoing:
        raise QueueError(_("You no longer rate in this study, so nothing of it can be changed. Ask who invited you."))


def _must_take_drafts(assignment: Assignment) -> None:
    _must_rate(assignment)
    if not (assignment.study.is_open or assignment.study.is_paused):
        raise QueueError(_("The study is closed; its ratings can no longer be changed."))


def _must_be_open(assignment: Assignment) -> None:
    _must_take_drafts(assignment)
    if assignment.study.is_paused:
        raise QueueError(_("The study is paused. Your scores are kept as a draft; submit them when it goes on."))


def _must_have_chatted(assignment: Assignment) -> None:
    if places.is_due(assignment):
        raise QueueError(_("Finish the chat first; then score it."))


def _must_not_be_skipped(assignment: Assignment) -> None:
    """A slot that was skipped or given up has gone to others, and the item has no further slot."""
    if assignment.state == Assignment.State.SKIPPED and _has_slots(assignment):
        raise QueueError(_("You skipped this item and its place was given back. Go on with the next one."))


def _must_hold_its_slot(assignment: Assignment) -> None:
    if assignment.slot is None and _has_slots(assignment) and not assignment.is_repeat:
        raise QueueError(_("The place of this rating went to another rater, so it stays as it is."))


def _has_slots(assignment: Assignment) -> bool:
    return assignment.study.raters_per_item is not None and assignment.item.purpose == Item.Purpose.RATED
