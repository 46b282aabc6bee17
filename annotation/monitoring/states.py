"""A launched study's state: pause it, resume it, close it."""

from django.contrib.auth.models import User
from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone

from annotation.allocation.submit_lock import wait_for_submits
from annotation.design.drafting import DesignError
from annotation.models import Study
from dialogues.models import AuditEvent


def launched_or_404(pk: int) -> Study:
    """A study that is no draft, with its rubric; raises Http404."""
    return get_object_or_404(Study.objects.exclude(state=Study.State.DRAFT).select_related("rubric"), pk=pk)


@transaction.atomic
def pause(*, study: Study, by: User | None) -> Study:
    """Stop rating and joining for a while; drafts are kept."""
    return _moved(study, {Study.State.OPEN}, Study.State.PAUSED, "pause study", by, "Only an open study can be paused.")


@transaction.atomic
def resume(*, study: Study, by: User | None) -> Study:
    return _moved(study, {Study.State.PAUSED}, Study.State.OPEN, "resume study", by, "Only a paused study can go on.")


@transaction.atomic
def close(*, study: Study, by: User | None) -> Study:
    """End rating: afterwards no rating can be added or corrected. Existing ratings stay."""
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
        # The button was pressed twice, or by two people.
        return locked
    if locked.state not in before:
        raise DesignError(no)
    wait_for_submits(locked)
    locked.state = after
    locked.save(update_fields=["state"])
    AuditEvent.record(by, verb, locked)
    return locked
