"""A launched study's state: pause it, resume it, close it."""

from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone

from annotation.allocation.submit_lock import wait_for_submits
from annotation.design.drafting import DesignError
from annotation.models import Study
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent


def launched_or_404(pk: int) -> Study:
    """A study that is no draft, with its rubric; raises Http404."""
    return get_object_or_404(Study.objects.exclude(state=Study.State.DRAFT).select_related("rubric"), pk=pk)


class Move(NamedTuple):
    """From which states a study goes to which; `refusal` is said in any other state."""

    before: frozenset[str]
    after: Study.State
    verb: AuditVerb
    refusal: str


PAUSE = Move(
    frozenset({Study.State.OPEN}), Study.State.PAUSED, AuditVerb.STUDY_PAUSED, "Only an open study can be paused."
)
RESUME = Move(
    frozenset({Study.State.PAUSED}), Study.State.OPEN, AuditVerb.STUDY_RESUMED, "Only a paused study can be resumed."
)
CLOSE = Move(
    frozenset({Study.State.OPEN, Study.State.PAUSED}),
    Study.State.CLOSED,
    AuditVerb.STUDY_CLOSED,
    "Only an open or paused study can be closed.",
)


@transaction.atomic
def pause(*, study: Study, by: User | None) -> Study:
    """Stop rating and joining for a while; unfinished work is kept."""
    return _moved(study, PAUSE, by)


@transaction.atomic
def resume(*, study: Study, by: User | None) -> Study:
    return _moved(study, RESUME, by)


@transaction.atomic
def close(*, study: Study, by: User | None) -> Study:
    """End rating for good: nothing can be added or corrected afterwards. Ratings stay."""
    closed = _moved(study, CLOSE, by)
    closed.closed_at = timezone.now()
    closed.save(update_fields=["closed_at"])
    return closed


def _moved(study: Study, move: Move, by: User | None) -> Study:
    locked = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    if locked.state == move.after:
        # The button was pressed twice, or by two people.
        return locked
    if locked.state not in move.before:
        raise DesignError(move.refusal)
    wait_for_submits(locked)
    locked.state = move.after
    locked.save(update_fields=["state"])
    AuditEvent.record(by, move.verb, locked)
    return locked
