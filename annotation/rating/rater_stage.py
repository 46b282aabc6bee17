"""Where a rater stands on their way through a study: what must happen before the next item."""

from datetime import datetime, timedelta
from hashlib import sha256

from annotation.models import Assignment, Membership, Study

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
