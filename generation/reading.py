"""The free second step: stored replies → backgrounds and dialogues, and the next stage's calls.

It can be run again at any time: only answered calls without an outcome are read, everything that a call makes is
written in one transaction with its outcome, and unique constraints stand behind it.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DatabaseError, transaction
from django.utils import timezone

from dialogues.models import Dialogue
from dialogues.transcript import Transcript
from generation import lifecycle
from generation.models import Background, Call, Output, Stage
from generation.parsing import Outcome, ParseError, finish_reason_problem
from generation.requests import subjects_of, with_runs
from generation.rows import update_rows
from generation.stages import MOST_REPAIRS, SPECS, Made, Subject

log = logging.getLogger(__name__)

BATCH = 200
NOT_STORED = "not_stored"
_IN_WORDS = {
    Outcome.TRUNCATED: "it was cut off at the length limit; write it shorter.",
    Outcome.FILTERED: "it was stopped by a content filter.",
}


@dataclass(slots=True)
class _Rows:
    """What a batch of replies will write."""

    backgrounds: list[Background] = field(default_factory=list)
    dialogues: list[tuple[Call, Dialogue]] = field(default_factory=list)
    follow_ups: list[tuple[Call, str | None]] = field(default_factory=list)  # (call, version the next stage reads)
    repairs: list[Call] = field(default_factory=list)


def read_all() -> int:
    """Read every stored reply that has not been read; returns how many were."""
    total = 0
    while keys := list(Call.objects.unread().order_by("pk").values_list("pk", flat=True)[:BATCH]):
        read = read_replies(keys)
        total += read
        if not read:  # another process holds them
            break
    return total


def read_replies(keys: Sequence[int]) -> int:
    """Read the given calls' replies; returns how many. A reply that cannot be stored fails alone."""
    try:
        return _read_batch(keys)
    except DatabaseError as error:
        if len(keys) > 1:
            return sum(read_replies([key]) for key in keys)
        log.exception("The reply of call %s could not be stored", keys[0])
        return _give_up(keys[0], str(error))


@transaction.atomic
def _read_batch(keys: Sequence[int]) -> int:
    rows = Call.objects.select_for_update(of=("self",), skip_locked=True).unread().filter(pk__in=keys)
    calls = list(rows.select_related("dialogue", "alpha").order_by("pk"))
    writes = _Rows()
    for call, subject in zip(calls, subjects_of(with_runs(calls)), strict=True):
        _read(call, subject, writes)
    _write(writes)
    update_rows(calls, ["state", "outcome", "error"])
    lifecycle.finish_where_done({call.run_id for call in calls})
    return len(calls)


def _read(call: Call, subject: Subject, writes: _Rows) -> None:
    stage = SPECS[Stage(call.stage)]
    try:
        _check_finish(call.finish_reason)
        made = stage.read(call.raw_reply, subject, call.run.keep_share)
    except ParseError as error:
        call.outcome, call.error = error.outcome, error.detail
        if call.repair < MOST_REPAIRS:
            writes.repairs.append(call)
        else:
            call.state = Call.State.FAILED
        return
    call.outcome, call.error = Outcome.OK, ""
    if made.background is not None:
        writes.backgrounds.append(_background(call, made))
    writes.dialogues += [(call, _dialogue(call, slug, text, subject)) for slug, text in made.dialogues.items()]
    writes.follow_ups.append((call, stage.passes_on))


def _check_finish(finish_reason: str) -> None:
    outcome = finish_reason_problem(finish_reason)
    if outcome is not None:
        raise ParseError(outcome, _IN_WORDS.get(outcome, f"it ended with {finish_reason}."))


def _background(call: Call, made: Made) -> Background:
    assert made.background is not None
    return Background(
        run_id=call.run_id,
        dialogue_id=call.dialogue_id,
        call=call,
        theme=made.background.theme,
        traits_1=list(made.background.traits_1),
        traits_2=list(made.background.traits_2),
        traits_extracted=made.traits_extracted,
    )


def _dialogue(call: Call, version: str, transcript: Transcript, subject: Subject) -> Dialogue:
    return Dialogue.from_transcript(
        transcript,
        corpus_id=call.run.corpus_id,
        key=_key(call, version),
        version_id=version,
        origin=call.alpha,
        parent=call.dialogue if call.dialogue_id != call.alpha_id else None,
        traits_1=list(subject.traits_1),
        traits_2=list(subject.traits_2),
        theme=subject.theme,
        written_by=call.reply_model or call.run.model,
        is_demo=call.is_demo,
    )


def _key(call: Call, version: str) -> str:
    """The dialogue's name in its corpus: what it belongs to, its version and the run."""
    ending = f".{version}.run{call.run_id}" + (f".{call.sample}" if call.sample else "")
    longest = Dialogue._meta.get_field("key").max_length or 0
    whole = call.alpha.key + ending
    return whole if len(whole) <= longest else f"id{call.alpha_id}{ending}"


def _write(writes: _Rows) -> None:
    Background.objects.bulk_create(writes.backgrounds)
    rows = Dialogue.objects.bulk_create([row for _, row in writes.dialogues])
    made = {(call.pk, row.version_id): row for (call, _), row in zip(writes.dialogues, rows, strict=True)}
    Output.objects.bulk_create(
        [
            Output(dialogue=row, call=call, version_id=row.version_id)
            for (call, _), row in zip(writes.dialogues, rows, strict=True)
        ]
    )
    now = timezone.now()
    onward = (
        _next_call(call, made[call.pk, version] if version else call.dialogue, now)
        for call, version in writes.follow_ups
    )
    mending = (_repair(call, now) for call in writes.repairs)
    # A reply that is read again may find its successors planned already.
    Call.objects.bulk_create([*filter(None, onward), *mending], ignore_conflicts=True)


def _next_call(call: Call, dialogue: Dialogue, now: datetime) -> Call | None:
    stages = call.run.stages
    depth = stages.index(call.stage) + 1
    if depth == len(stages):
        return None
    prompt = lifecycle.prompts_of(call.run)[Stage(stages[depth])]
    return Call(
        run=call.run, dialogue=dialogue, alpha_id=call.alpha_id, stage=stages[depth], depth=depth, sample=call.sample,
        prompt=prompt, not_before=now,
    )  # fmt: skip


def _repair(call: Call, now: datetime) -> Call:
    return Call(
        run=call.run, dialogue_id=call.dialogue_id, alpha_id=call.alpha_id, stage=call.stage, depth=call.depth,
        sample=call.sample, repair=call.repair + 1, prompt_id=call.prompt_id, not_before=now,
    )  # fmt: skip


@transaction.atomic
def _give_up(key: int, why: str) -> int:
    unread = Call.objects.unread().filter(pk=key)
    runs = set(unread.values_list("run_id", flat=True))
    given_up = unread.update(state=Call.State.FAILED, outcome=NOT_STORED, error=why)
    lifecycle.finish_where_done(runs)
    return given_up
