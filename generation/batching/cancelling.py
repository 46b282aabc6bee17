"""Ending a batch at the provider, as a person asks for it."""

from typing import Any

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation.batching import rounds
from generation.endpoints.answers import CallError
from generation.endpoints.keys import KeysMissingError
from generation.models import BatchJob, Run


class CannotCancelError(Exception):
    """Why a batch goes on; the text says what to do."""


def cancel_batch(run: Run, job: BatchJob, *, by: Any = None) -> None:
    """Ask the provider to end a batch of a run that is not running; raises CannotCancelError.

    What it answered until then is paid and still comes in.
    """
    if run.state == Run.State.RUNNING:
        raise CannotCancelError("Pause the run first; its calls would go into the next batch at once.")
    try:
        asked = rounds.cancel(job)
    except (CallError, KeysMissingError) as error:
        raise CannotCancelError(f"The batch was not cancelled: {error}") from error
    if not asked:
        raise CannotCancelError("The batch is not at the provider any more.")
    AuditEvent.record(by, AuditVerb.BATCH_CANCELLED, run, batch=job.pk, provider_id=job.provider_id)
