"""A run from draft to finished: start, pause, resume, finish. Each is safe to call twice."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from dialogues.models import AuditEvent
from generation.models import Call, Prompt, Run, Stage

PLANNED_AT_ONCE = 1000


class CannotStartError(Exception):
    """Why a run cannot start; the text says what to do."""


@transaction.atomic
def start(run: Run, *, by: Any = None) -> bool:
    """Start a draft or resume a paused run; False where it was running or finished already.

    A finished run whose calls were put back in line starts again. The first start freezes the example sets and
    prompts and writes the first stage's calls. Raises CannotStartError.
    """
    locked = Run.objects.select_for_update().get(pk=run.pk)
    closed = locked.state == Run.State.FINISHED and not locked.calls.unfinished().exists()
    if locked.state == Run.State.RUNNING or closed:
        return False
    first = locked.state == Run.State.DRAFT
    if first:
        _freeze(locked)
        plan(locked)
        locked.started_at = timezone.now()
    locked.state, locked.state_reason, locked.finished_at = Run.State.RUNNING, "", None
    locked.save(update_fields=["state", "state_reason", "started_at", "finished_at"])
    AuditEvent.record(by, "run.started" if first else "run.resumed", locked)
    # The last call may have come home while the run was paused.
    finish_where_done([locked.pk])
    return True


@transaction.atomic
def pause(run: Run, *, by: Any = None) -> bool:
    """Stop sending; calls in flight still come home and are kept. False where it was not running."""
    paused = run.pause("Paused by hand." if by is None else f"Paused by {by}.")
    if paused:
        AuditEvent.record(by, "run.paused", run)
    return paused


def plan(run: Run) -> None:
    """Write the first stage's call for every chosen dialogue; those that are there stay as they are."""
    prompt, now = prompts_of(run)[run.stage_list[0]], timezone.now()
    chosen = run.chosen.order_by("pk").values_list("dialogue_id", flat=True).iterator()
    for keys in _batches(chosen):
        calls = [
            Call(run=run, dialogue_id=key, alpha_id=key, stage=run.stages[0], prompt=prompt, not_before=now)
            for key in keys
        ]
        Call.objects.bulk_create(calls, ignore_conflicts=True)


def finish_where_done(run_pks: Iterable[int]) -> None:
    """Close the running runs among these that have nothing left to send or read; call it in a transaction."""
    for pk in sorted(run_pks):
        running = Run.objects.filter(pk=pk, state=Run.State.RUNNING)
        # Looked at again under the run's lock: somebody may just be putting failed calls back in line.
        if _work_left(pk) or running.select_for_update().first() is None or _work_left(pk):
            continue
        held = Call.objects.filter(run=pk, state=Call.State.AMBIGUOUS).count()
        if held:
            words = "1 call was sent and never answered" if held == 1 else f"{held} calls were sent and never answered"
            running.update(state=Run.State.PAUSED, state_reason=f"{words}. Decide whether to send again or give up.")
        else:
            running.update(state=Run.State.FINISHED, finished_at=timezone.now())


def _work_left(run_pk: int) -> bool:
    calls = Call.objects.filter(run=run_pk)
    return calls.unfinished().exists() or calls.unread().exists()


def prompts_of(run: Run) -> Mapping[Stage, Prompt]:
    """The run's prompt for each of its stages."""
    return {Stage(prompt.stage): prompt for prompt in run.prompts.all()}


def _freeze(run: Run) -> None:
    prompts = prompts_of(run)
    missing = [stage.label for stage in run.stage_list if stage not in prompts]
    if missing:
        raise CannotStartError(f"The run has no prompt for {', '.join(missing)}. Run `manage.py load_examples` first.")
    for frozen in (run.single_step_set, run.step_by_step_set, run.further_split_set, *prompts.values()):
        if frozen is not None:
            frozen.freeze()


def _batches(keys: Iterable[int]) -> Iterable[list[int]]:
    batch: list[int] = []
    for key in keys:
        batch.append(key)
        if len(batch) == PLANNED_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
