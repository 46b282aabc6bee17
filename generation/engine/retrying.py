"""Decide about unanswered calls, and try failed ones again, as a person asks.

A call without an answer waits again as it is. One that was answered keeps its row and its reply: a new call takes its
place in a new edition of the stage, so that another prompt or other examples can be tried.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from django.db import transaction
from django.utils import timezone

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation import example_sets
from generation.engine import lifecycle
from generation.engine.reading import NOT_READ, NOT_STORED
from generation.engine.settling import NOTHING
from generation.models import NEVER_ANSWERED, Call, CallQuerySet, ExampleKind, ExampleSet, Prompt, Run, RunStage, Stage
from generation.prompts import PromptError, PromptText, StageName, check_prompt
from generation.stages import SPECS

AT_ONCE = 500  # rows that one statement names, because databases limit it


class EditError(ValueError):
    """An edit that cannot be made; `field` names the form field."""

    def __init__(self, message: str, about: str = "") -> None:
        super().__init__(message)
        self.field = about


@dataclass(frozen=True, slots=True)
class Edit:
    """The prompt and example sets of a stage from now on; what is not named stays."""

    prompt: PromptText | None = None
    sets: Mapping[ExampleKind, ExampleSet] = field(default_factory=dict)


@transaction.atomic
def decide(run: Run, *, resend: bool, calls: Sequence[int] | None = None, by: Any = None) -> int:
    """Send ambiguous calls of a run (all, or those named) again, or give them up; returns how many.

    A run that waited for this decision goes on; one paused for another reason stays paused.
    """
    lifecycle.lock([run.pk])
    held = _named(run.calls.filter(state=Call.State.AMBIGUOUS), calls)
    decided = _back_in_line(held) if resend else _given_up(held)
    AuditEvent.record(by, AuditVerb.RUN_DECIDED, run, resend=resend, calls=decided)
    if decided:
        all_decided = not run.calls.filter(state=Call.State.AMBIGUOUS).exists()
        lifecycle.go_on(run, by=by, after=[Run.PauseCause.DECISION] if resend or all_decided else [])
    return decided


@transaction.atomic
def retry(
    run: Run,
    *,
    cause: str = "",
    calls: Sequence[int] | None = None,
    edits: Mapping[Stage, Edit] | None = None,
    by: Any = None,
) -> int:
    """Try failed calls again: all, those of one cause, or those named; returns how many.

    A stored answer that could not be read or kept is not paid for again unless its cause or the call itself is named:
    `rereading.reread` reads it free of charge. `edits` change what a stage shows, for these calls and later ones in its
    branches. A run that a person paused stays paused. Raises EditError.
    """
    lifecycle.lock([run.pk])
    edits = edits or {}
    for stage, edit in edits.items():
        _check(run, stage, edit)
    failed = _named(run.calls.failed(), calls)
    if cause:
        failed = failed.filter(outcome=cause)
    elif calls is None:
        failed = failed.exclude(outcome__in=(NOT_READ, NOT_STORED))
    asked_anew = list(
        failed.defer("raw_reply", "raw_body", "error").exclude(
            outcome__in=NEVER_ANSWERED, stage__in=set(run.stages) - set(edits)
        )
    )
    retried = _back_in_line(failed.never_answered().exclude(stage__in=list(edits)))
    retried += _ask_anew(run, asked_anew, edits)
    edited = sorted(edits)
    AuditEvent.record(by, AuditVerb.RUN_RETRIED, run, cause=cause, calls=retried, edited=edited)
    if retried:
        lifecycle.go_on(run, by=by, after=set(Run.PauseCause.values) - {Run.PauseCause.HAND})
    return retried


def _ask_anew(run: Run, failed: Sequence[Call], edits: Mapping[Stage, Edit]) -> int:
    """A new call for each of these, in a later edition of its stage."""
    later = _later_editions(run, {call.run_stage_id for call in failed}, edits)
    now = timezone.now()
    anew = [
        Call(
            run=run, run_stage=later[call.run_stage_id], dialogue_id=call.dialogue_id, alpha_id=call.alpha_id,
            stage=call.stage, depth=call.depth, sample=call.sample, not_before=now,
        )
        for call in failed
    ]  # fmt: skip
    Call.objects.bulk_create(anew, batch_size=AT_ONCE)
    for start in range(0, len(failed), AT_ONCE):
        chunk = failed[start : start + AT_ONCE]
        Call.objects.filter(pk__in=[call.pk for call in chunk]).update(replaced=True)
    return len(anew)


def _later_editions(run: Run, failed: Collection[int], edits: Mapping[Stage, Edit]) -> dict[int, RunStage]:
    """For each row in which calls failed, the edition that asks again; makes those that edits ask for.

    Calls that failed in an older edition go to the newest; calls that failed in the newest are asked with the same
    words in a further one.
    """
    rows = Run.objects.with_stages().get(pk=run.pk).rows
    newest = {(row.stage, row.branch): row for row in rows}
    for place, row in newest.items():
        if row.stage in edits:
            newest[place] = _edited(row, edits[Stage(row.stage)])
    found: dict[int, RunStage] = {}
    for row in rows:
        latest = newest[row.stage, row.branch]
        if row.pk in failed:
            found[row.pk] = _edition(row, row.prompt, row.example_sets.all()) if row.pk == latest.pk else latest
    return found


def _edited(row: RunStage, edit: Edit) -> RunStage:
    """The edition with this edit: the row itself if nothing changes, else a new one."""
    before = {ExampleKind(used.kind): used for used in row.example_sets.all()}
    after = {**before, **edit.sets}
    prompt = example_sets.prompt_of(Stage(row.stage), edit.prompt) if edit.prompt else row.prompt
    return row if prompt == row.prompt and after == before else _edition(row, prompt, after.values())


def _edition(row: RunStage, prompt: Prompt, sets: Iterable[ExampleSet]) -> RunStage:
    edition = RunStage.objects.create(
        run_id=row.run_id, stage=row.stage, branch=row.branch, edition=row.edition + 1, endpoint_id=row.endpoint_id,
        model=row.model, parameters=row.parameters, prompt=prompt, use_batch=row.use_batch,
    )  # fmt: skip
    edition.example_sets.set(sets)
    edition.freeze()
    return edition


def _check(run: Run, stage: Stage, edit: Edit) -> None:
    """Raises EditError."""
    if stage not in run.stages:
        raise EditError(f"This run has no stage {Stage(stage).label}.", "stage")
    if edit.prompt is not None:
        try:
            check_prompt(cast(StageName, str(stage)), edit.prompt)
        except PromptError as error:
            raise EditError(f"The prompt of {Stage(stage).label} cannot be used: {error}.", "prompt") from error
    for kind, chosen in edit.sets.items():
        if kind not in SPECS[stage].kinds or chosen.kind != kind or not chosen.examples.exists():
            raise EditError(f"{chosen} is not made for {Stage(stage).label}, or is empty.", "sets")


def _named(rows: CallQuerySet, calls: Sequence[int] | None) -> CallQuerySet:
    return rows if calls is None else rows.filter(pk__in=list(calls))


def _back_in_line(calls: CallQuerySet) -> int:
    """Reuse the rows: no answer came, so there is nothing to keep. What they may have cost stays booked."""
    return calls.update(
        state=Call.State.TODO, owner="", tries=0, reserved=NOTHING, reserved_tokens=0, not_before=timezone.now(),
        outcome="", error="",
    )  # fmt: skip


def _given_up(calls: CallQuerySet) -> int:
    return calls.update(
        state=Call.State.FAILED, owner="", reserved=NOTHING, reserved_tokens=0, settled_at=timezone.now()
    )
