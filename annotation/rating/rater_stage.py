"""A rater's stages in a study: consent, practice, breaks, and undoing the last submit."""

from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.models import Assignment, Item, Membership, Study
from annotation.rating.membership_changes import screen_after_practice
from annotation.rating.queue import QueueError
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent

# How long a submit can be undone on the following page; later, raters use the list of rated items.
UNDO = timedelta(minutes=10)
# A longer time between two items is a pause.
PAUSE = timedelta(minutes=15)
# Look back at most this many items: nobody scores more in one sitting.
MOST_ITEMS = 500


def consent_fingerprint(study: Study) -> str:
    """The SHA-256 of the consent text; empty if the study has none."""
    return sha256(study.consent_text.encode()).hexdigest() if study.consent_text else ""


def must_agree(membership: Membership) -> bool:
    """Whether the rater has yet to agree to the study's present consent text."""
    asked = consent_fingerprint(membership.study)
    return bool(asked) and membership.consent_sha256 != asked


def is_new(membership: Membership) -> bool:
    """Whether the welcome page comes first: it tells of pay, time or a pass mark, and the rater has seen no item."""
    study = membership.study
    if not (study.pay_note or study.minutes_estimate or study.least_passed):
        return False
    return not membership.assignments.filter(opened_at__isnull=False).exists()


def must_practise(membership: Membership) -> bool:
    """Whether the rater has yet to practise; `membership` comes from `own_membership`."""
    return membership.trained_at is None and membership.has_practice


def can_take_back(assignment: Assignment, *, now: datetime) -> bool:
    """Whether the item's last submit is recent enough to be undone."""
    return assignment.ratings.filter(is_current=True, created_at__gte=now - UNDO).exists()


def is_fresh(rated_at: datetime | None, *, now: datetime) -> bool:
    """Whether a rating of that time can still be undone."""
    return rated_at is not None and rated_at >= now - UNDO


@transaction.atomic
def agree(*, membership: Membership, fingerprint: str, now: datetime) -> None:
    """Record when the rater agreed, and to which text; agreeing again changes nothing.

    `fingerprint` is that of the text they were shown: raises QueueError if the study's text has changed since.
    """
    locked = (
        Membership.objects.select_for_update(no_key=True, of=("self",)).select_related("study").get(pk=membership.pk)
    )
    if not must_agree(locked):
        return
    if fingerprint != consent_fingerprint(locked.study):
        raise QueueError(_("The text has changed since you opened the page. Please read it again."))
    locked.consented_at, locked.consent_sha256 = now, fingerprint
    locked.save(update_fields=["consented_at", "consent_sha256"])
    # Record the member, not the account: after a withdrawal nothing stored names the person.
    AuditEvent.record(None, AuditVerb.CONSENT_GIVEN, locked.study, member=locked.pk, text=fingerprint)


@transaction.atomic
def decline(*, membership: Membership) -> None:
    """Delete the membership of somebody who declines; only the fact that somebody declined is recorded.

    Before agreeing a rater holds no slot and has no rating, so the study loses nothing.
    """
    locked = Membership.objects.select_for_update(of=("self",)).select_related("study").get(pk=membership.pk)
    if not must_agree(locked) or locked.assignments.filter(slot__isnull=False).exists():
        raise QueueError(_("You have agreed before. You can still withdraw from the study."))
    AuditEvent.record(None, AuditVerb.CONSENT_DECLINED, locked.study)
    locked.delete()


def minutes_at_work(membership: Membership, *, since: datetime | None, now: datetime) -> int:
    """Whole minutes since the first item of this sitting, ignoring items before `since`."""
    opened = membership.assignments.filter(opened_at__isnull=False, opened_at__lte=now).order_by("-opened_at")
    start = now
    for at in opened.values_list("opened_at", flat=True)[:MOST_ITEMS]:
        if at is None or start - at > PAUSE or (since is not None and at <= since):
            break
        start = at
    return int((now - start).total_seconds() // 60)


def break_due(membership: Membership, *, since: datetime | None, now: datetime) -> int | None:
    """Minutes at work if the study's break reminder is due, else None; `since` is when the last one was dismissed."""
    every = membership.study.break_every
    if not every:
        return None
    minutes = minutes_at_work(membership, since=since, now=now)
    return minutes if minutes >= every else None


def lessons(membership: Membership) -> list[Assignment]:
    """The rater's training items in order, created when first needed."""
    items = membership.study.items.filter(purpose=Item.Purpose.TRAINING)
    missing = items.exclude(assignments__membership=membership).only("pk", "position")
    Assignment.objects.bulk_create(
        [
            Assignment(study_id=membership.study_id, item=item, membership=membership, position=item.position)
            for item in missing
        ],
        # Two tabs may open the page at once.
        ignore_conflicts=True,
    )
    return list(
        membership.assignments.filter(item__purpose=Item.Purpose.TRAINING)
        .select_related("item")
        .order_by("item__position")
    )


@transaction.atomic
def finish_practice(*, membership: Membership, now: datetime) -> None:
    """Record that practice is over, or screen the rater out below the pass mark; twice changes nothing.

    Raises QueueError while a training item is open. The submit of the last item has screened out already, unless the
    rater was excluded just then and reinstated later.
    """
    if any(lesson.state != Assignment.State.SUBMITTED for lesson in lessons(membership)):
        raise QueueError(_("Some practice dialogues are still open. Score them first."))
    if not screen_after_practice(membership, now=now):
        return
    Membership.objects.filter(pk=membership.pk, trained_at__isnull=True).update(trained_at=now)
