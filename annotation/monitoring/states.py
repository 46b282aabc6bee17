"""Pause a launched study, go on with it, and end it."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from annotation.allocation.submit_lock import wait_for_submits
from annotation.design.drafting import DesignError
from annotation.models import Study
from dialogues.models import AuditEvent


@transaction.atomic
def pause(*, study: Study, by: User | None) -> Study:
    """Let nobody rate or join for a while; what is half done is kept."""
    return _moved(study, {Study.State.OPEN}, Study.State.PAUSED, "pause study", by, "Only an open study can be paused.")


@transaction.atomic
def resume(*, study: Study, by: User | None) -> Study:
    return _moved(study, {Study.State.PAUSED}, Study.State.OPEN, "resume study", by, "Only a paused study can go on.")


@transaction.atomic
def close(*, study: Study, by: User | None) -> Study:
    """End rating: nothing can be added or corrected after it. What was rated stays."""
    closed = _moved(
        study,
        {Study.State.OPEN, Study.State.PAUSED},
        Study.State.CLOSED,
        "close study",
        by,
        "Only an open or paused study can be closed.",
    )
    closed.closed_at = timezone.now()
    closed.save(update_fields=["closed_at"])
    return closed


def _moved(study: Study, before: set[Study.State], after: Study.State, verb: str, by: User | None, no: str) -> Study:
    locked = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    if locked.state == after:
        # Pressed twice, or by two people: it is as they want it.
        return locked
    if locked.state not in before:
        raise DesignError(no)
    wait_for_submits(locked)
    locked.state = after
    locked.save(update_fields=["state"])
    AuditEvent.record(by, verb, locked)
    return locked
