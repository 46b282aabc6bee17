"""Where a rater stands on their way through a study: what must happen before the next item."""

from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.models import Assignment, Item, Membership, Study
from annotation.rating.queue import QueueError
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent

# How long a submit can be undone on the page that follows it; later the list of rated items is the way.
UNDO = timedelta(minutes=10)


def consent_fingerprint(study: Study) -> str:
    """The SHA-256 of what the study asks its raters to agree to; empty where it asks nothing."""
    return sha256(study.consent_text.encode()).hexdigest() if study.consent_text else ""


def must_agree(membership: Membership) -> bool:
    """Whether this very text waits for the rater's consent."""
    asked = consent_fingerprint(membership.study)
    return bool(asked) and membership.consent_sha256 != asked


def is_new(membership: Membership) -> bool:
    """Whether the rater has seen no item yet of a study that has something to say first."""
    study = membership.study
    if not (study.pay_note or study.minutes_estimate):
        return False
    return not membership.assignments.filter(opened_at__isnull=False).exists()


def must_practise(membership: Membership) -> bool:
    """Whether practice waits; `membership` comes from `own_membership`."""
    return membership.trained_at is None and membership.has_practice


def can_take_back(assignment: Assignment, *, now: datetime) -> bool:
    """Whether the item's last submit is fresh enough to have been a slip of the finger."""
    return assignment.ratings.filter(is_current=True, created_at__gte=now - UNDO).exists()


def is_fresh(rated_at: datetime | None, *, now: datetime) -> bool:
    """Whether what was rated then can still be undone."""
    return rated_at is not None and rated_at >= now - UNDO


@transaction.atomic
def agree(*, membership: Membership, fingerprint: str, now: datetime) -> None:
    """Keep when the rater agreed, and to which text; agreeing again changes nothing.

    `fingerprint` is that of the text they were shown: raises QueueError where the study asks another one by now.
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
    # By the member, not the account: who withdraws is named by nothing that stays.
    AuditEvent.record(None, AuditVerb.CONSENT_GIVEN, locked.study, member=locked.pk, text=fingerprint)


@transaction.atomic
def decline(*, membership: Membership) -> None:
    """Forget that this person was asked; only that somebody declined is noted, and not who.

    Before they agree a rater holds no place and has no rating, so that nothing of the study goes with them.
    """
    locked = Membership.objects.select_for_update(of=("self",)).select_related("study").get(pk=membership.pk)
    if not must_agree(locked) or locked.assignments.filter(slot__isnull=False).exists():
        raise QueueError(_("You have agreed before. You can still withdraw from the study."))
    AuditEvent.record(None, AuditVerb.CONSENT_DECLINED, locked.study)
    locked.delete()


# Longer between two items is a pause.
PAUSE = timedelta(minutes=15)
# How far back is looked: nobody scores more in one sitting.
MOST_ITEMS = 500


def minutes_at_work(membership: Membership, *, since: datetime | None, now: datetime) -> int:
    """Whole minutes from the first item of this sitting; those before `since` do not count."""
    opened = membership.assignments.filter(opened_at__isnull=False, opened_at__lte=now).order_by("-opened_at")
    start = now
    for at in opened.values_list("opened_at", flat=True)[:MOST_ITEMS]:
        if at is None or start - at > PAUSE or (since is not None and at <= since):
            break
        start = at
    return int((now - start).total_seconds() // 60)


def break_due(membership: Membership, *, since: datetime | None, now: datetime) -> int | None:
    """Minutes at work, once the study's reminder is due; `since` is when the last one was put away."""
    every = membership.study.break_every
    if not every:
        return None
    minutes = minutes_at_work(membership, since=since, now=now)
    return minutes if minutes >= every else None


def lessons(membership: Membership) -> list[Assignment]:
    """The rater's own training items in their order; made at the first look."""
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
    """Let the rater begin; raises QueueError while a training item waits. Doing it again changes nothing."""
    if any(lesson.state != Assignment.State.SUBMITTED for lesson in lessons(membership)):
        raise QueueError(_("Some practice dialogues are still open. Score them first."))
    Membership.objects.filter(pk=membership.pk, trained_at__isnull=True).update(trained_at=now)
