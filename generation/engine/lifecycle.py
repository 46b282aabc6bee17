"""A run from draft to finished: start, pause, resume, finish. Each is safe to call twice."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from random import Random
from typing import Any, cast

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation.models import Call, Run, RunStage, Stage, Trial
from generation.prompts import PromptError, PromptText, StageName, check_prompt
from generation.reuse import already_judged

PLANNED_AT_ONCE = 1000


class CannotStartError(Exception):
    """Why a run cannot start; the text says what to do."""


@transaction.atomic
def start(run: Run, *, by: Any = None) -> bool:
    """Start a draft or resume a paused run; False if it was running or finished already.

    A finished run starts again once some of its calls wait again. The first start freezes the example sets and
    prompts and writes the first calls. Raises CannotStartError.
    """
    locked = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
    closed = locked.state == Run.State.FINISHED and not locked.calls.unfinished().exists()
    if locked.state == Run.State.RUNNING or closed:
        return False
    first = locked.state == Run.State.DRAFT
    if first:
        _freeze(locked)
        plan(locked)
        locked.started_at = timezone.now()
    locked.state, locked.state_reason, locked.pause_cause, locked.finished_at = Run.State.RUNNING, "", "", None
    locked.save(update_fields=["state", "state_reason", "pause_cause", "started_at", "finished_at"])
    AuditEvent.record(by, AuditVerb.RUN_STARTED if first else AuditVerb.RUN_RESUMED, locked)
    # The last call may have come home while the run was paused.
    finish_where_done([locked.pk])
    return True


@transaction.atomic
def pause(run: Run, *, by: Any = None) -> bool:
    """Stop sending; calls in flight still come home and are kept. False if it was not running."""
    paused = run.pause("Paused by hand." if by is None else f"Paused by {by}.", Run.PauseCause.HAND)
    if paused:
        AuditEvent.record(by, AuditVerb.RUN_PAUSED, run)
    return paused


@transaction.atomic
def go_on(run: Run, *, by: Any = None, after: Iterable[str] = ()) -> bool:
    """Resume a run whose calls wait again, if it is finished or was paused for one of the causes in `after`.

    A run paused for another reason stays paused. True if it runs again.
    """
    locked = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
    resumable = locked.state == Run.State.PAUSED and locked.pause_cause in after
    if resumable or locked.state == Run.State.FINISHED:
        return start(locked, by=by)
    finish_where_done([locked.pk])
    return False


@transaction.atomic
def discard(run: Run) -> bool:
    """Delete a draft; False if it has started meanwhile: then it is evidence and stays."""
    draft = Run.objects.select_for_update().filter(pk=run.pk, state=Run.State.DRAFT).first()
    if draft is not None:
        # Its trial goes too: without the run it would be empty.
        Trial.objects.filter(arms__run=draft).delete()
        draft.delete()
    return draft is not None


def go_on_where_decided(run: Run) -> None:
    """Resume a run that waited for a decision on unanswered calls, once late answers have left none."""
    if not Call.objects.filter(run=run, state=Call.State.AMBIGUOUS).exists():
        go_on(run, after=[Run.PauseCause.DECISION])


@transaction.atomic
def set_budget(run: Run, *, budget: Decimal | None, token_budget: int | None, by: Any = None) -> None:
    """Change what a run may cost, in US dollars and in tokens; None lifts a limit."""
    Run.objects.filter(pk=run.pk).update(budget=budget, token_budget=token_budget)
    run.budget, run.token_budget = budget, token_budget
    told = None if budget is None else str(budget)
    AuditEvent.record(by, AuditVerb.RUN_BUDGET_CHANGED, run, budget=told, token_budget=token_budget)


def plan(run: Run) -> None:
    """Write the first calls of every chosen dialogue, for each writer; calls that exist stay as they are.

    A dialogue with a theme from an earlier run starts at the next stage. Judgements are shuffled by the seed, and leave
    out those that the same judge has given before.
    """
    first, now = run.stage_list[0], timezone.now()
    chosen = run.chosen.order_by("pk").values_list("dialogue_id", "dialogue__origin_id", "background_id")
    rows = {stage: run.rows_of(stage) for stage in run.stage_list}
    places: list[tuple[RunStage, int, int, int]] = []
    there = {row.pk: already_judged(run, row) for row in rows.get(Stage.JUDGE, ())}
    for dialogue, origin, background in chosen:
        stage = run.stage_list[1] if background and first == Stage.THEME and len(run.stages) > 1 else first
        places += [
            (row, dialogue, origin or dialogue, sample)
            for row in rows[stage]
            for sample in range(there.get(row.pk, {}).get(dialogue, 0), run.repeats)
        ]
    if run.is_judging:
        Random(run.seed).shuffle(places)  # noqa: S311 - an order that anyone can repeat
    for batch in _batches(places):
        calls = [
            Call(
                run=run, run_stage=row, dialogue_id=dialogue, alpha_id=alpha, stage=row.stage, sample=sample,
                depth=run.stages.index(row.stage), not_before=now,
            )
            for row, dialogue, alpha, sample in batch
        ]  # fmt: skip
        Call.objects.bulk_create(calls, ignore_conflicts=True)


def open_runs() -> set[int]:
    """Runs that may have no work left and are not marked as finished yet."""
    return set(Run.objects.filter(state__in=(Run.State.RUNNING, Run.State.PAUSED)).values_list("pk", flat=True))


def lock(run_pks: Iterable[int] | QuerySet[Any, Any]) -> dict[int, Run]:
    """Lock these runs in key order, as everywhere; call it in a transaction, before locking any call."""
    keys = run_pks if isinstance(run_pks, QuerySet) else list(run_pks)
    if not isinstance(keys, QuerySet) and not keys:
        return {}
    rows = Run.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk")
    return {run.pk: run for run in rows}


def finish_where_done(run_pks: Iterable[int]) -> None:
    """Finish the runs among these that have nothing left to send or read, even if they were paused meanwhile.

    Call it while no call is locked.
    """
    for pk in sorted(run_pks):
        if not _work_left(pk):
            _finish(pk)


@transaction.atomic
def _finish(pk: int) -> None:
    run = lock([pk]).get(pk)
    # Checked again under the run's lock, because somebody may just be retrying failed calls, and in one query, because
    # between two an unread reply may become a waiting call.
    left = Call.objects.filter(run=pk)
    left = left.unfinished() | left.unread()
    if run is None or run.state not in (Run.State.RUNNING, Run.State.PAUSED) or left.exists():
        return
    held = Call.objects.filter(run=pk, state=Call.State.AMBIGUOUS).count()
    if not held:
        finished = Run.objects.filter(pk=pk)
        finished.update(state=Run.State.FINISHED, state_reason="", pause_cause="", finished_at=timezone.now())
    elif run.state == Run.State.RUNNING or run.pause_cause == Run.PauseCause.DECISION:
        words = "1 call was sent but not answered" if held == 1 else f"{held} calls were sent but not answered"
        Run.objects.filter(pk=pk).update(
            state=Run.State.PAUSED,
            state_reason=f"{words}. Decide whether to send again or give up.",
            pause_cause=Run.PauseCause.DECISION,
        )


def _work_left(run_pk: int) -> bool:
    calls = Call.objects.filter(run=run_pk)
    # One query for each state, because each has its own small index; the first usually finds a call.
    return any(
        rows.exists()
        for rows in (calls.filter(state=Call.State.TODO), calls.filter(state=Call.State.SENT), calls.unread())
    )


def _freeze(run: Run) -> None:
    rows = run.rows
    missing = [stage.label for stage in run.stage_list if stage not in {row.stage for row in rows}]
    if missing:
        raise CannotStartError(f"No model answers {', '.join(missing)} in this run. Discard it and plan it again.")
    for row in rows:
        _require_usable_prompt(row)
        row.freeze()


def _require_usable_prompt(row: RunStage) -> None:
    """No request can be built from a prompt without its placeholders, so its calls would wait for ever."""
    if problem := _prompt_problem(row):
        raise CannotStartError(problem)


def prompt_problems(run: Run) -> list[str]:
    """What keeps the run's stages from asking anything, a sentence each."""
    return [problem for row in run.newest_rows if (problem := _prompt_problem(row))]


def _prompt_problem(row: RunStage) -> str:
    try:
        check_prompt(cast(StageName, row.stage), PromptText(row.prompt.system, row.prompt.user))
    except PromptError as error:
        return f"{Stage(row.stage).label}: {error}. Discard the run and plan it again with another prompt."
    return ""


def _batches(places: list[tuple[RunStage, int, int, int]]) -> Iterator[list[tuple[RunStage, int, int, int]]]:
    for start_at in range(0, len(places), PLANNED_AT_ONCE):
        yield places[start_at : start_at + PLANNED_AT_ONCE]
