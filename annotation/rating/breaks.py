"""How long a rater has been at it without a pause."""

from datetime import datetime, timedelta

from annotation.models import Membership

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
