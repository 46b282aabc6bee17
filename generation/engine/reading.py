"""The free second step: stored replies → backgrounds, dialogues and judgements, and the next stage's calls.

It is safe to run again at any time: it reads only answered calls without an outcome, writes everything that a call
makes in one transaction with its outcome, and unique constraints guard against doubles. Whatever goes wrong with one
reply becomes a named outcome of that call; the others are read all the same.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.utils import timezone

from core.database.bulk import update_rows
from dialogues.fidelity import Fidelity
from dialogues.models import Dialogue
from dialogues.transcript import Transcript
from generation.endpoints.answers import MALFORMED, Reply, read_reply
from generation.engine import lifecycle
from generation.engine.requests import subjects_of, with_stages
from generation.models import Background, Call, Judgement, Output, RunStage, Stage
from generation.parsing import Outcome, ParseError, finish_reason_problem, refusal
from generation.stages import MOST_REPAIRS, SPECS, Made, Subject

log = logging.getLogger(__name__)

BATCH = 200
NOT_STORED = "not_stored"
NOT_READ = "not_read"  # the program itself failed on it
# A repair call would bring the same again, and cost as much again.
_NOT_ASKED_AGAIN = (Outcome.REFUSED,)
_IN_WORDS = {
    Outcome.TRUNCATED: "it was cut off at the length limit; write it shorter.",
    Outcome.FILTERED: "it was stopped by a content filter.",
}


@dataclass(slots=True)
class _Rows:
    """What some replies will write."""

    backgrounds: list[Background] = field(default_factory=list)
    outputs: list[tuple[Call, Dialogue, Fidelity | None]] = field(default_factory=list)
    follow_ups: list[tuple[Call, str | None]] = field(default_factory=list)  # (call, version the next stage reads)
    repairs: list[Call] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)


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
    """Read these calls' replies; returns how many. A reply that cannot be read or stored fails alone."""
    try:
        runs = _read_batch(keys)
    except (OperationalError, InterfaceError):
        raise  # the database is away: no fault of the replies
    except Exception as error:  # the outermost boundary: no reply may keep the others from being read
        if len(keys) > 1:
            return sum(read_replies([key]) for key in keys)
        log.exception("The reply of call %s could not be read or stored", keys[0])
        return _give_up(keys[0], error)
    lifecycle.finish_where_done(set(runs))
    return len(runs)


@transaction.atomic
def _read_batch(keys: Sequence[int]) -> list[int]:
    """Read in one transaction; returns the run of every call that was read."""
    rows = Call.objects.select_for_update(of=("self",), no_key=True, skip_locked=True).unread().filter(pk__in=keys)
    unused = ("alpha__messages", "alpha__traits_1", "alpha__traits_2", "alpha__theme")
    calls = list(rows.select_related("dialogue", "alpha").defer(*unused).order_by("pk"))
    writes = _Rows()
    for call, subject in zip(calls, subjects_of(with_stages(calls)), strict=True):
        _read(call, subject, writes)
    _write(writes)
    update_rows(calls, ["state", "outcome", "error", "note"])
    return [call.run_id for call in calls]


def _read(call: Call, subject: Subject, writes: _Rows) -> None:
    stage = SPECS[Stage(call.stage)]
    try:
        made = made_of(call, subject)
    except ParseError as error:
        call.outcome, call.error = error.outcome, error.detail
        if call.repair < MOST_REPAIRS and error.outcome not in _NOT_ASKED_AGAIN:
            writes.repairs.append(call)
        else:
            call.state = Call.State.FAILED
        return
    # `error` keeps what an earlier reading found wrong, because the repair call quoted it.
    call.outcome, call.note = Outcome.OK, " ".join(made.notes)
    if made.background is not None:
        writes.backgrounds.append(_background(call, made))
    writes.outputs += [
        (call, _dialogue(call, slug, text, subject), made.fidelity) for slug, text in made.dialogues.items()
    ]
    # All metrics of the rubric, or none: a reply that lacks one is not stored as a judgement.
    writes.judgements += [
        Judgement(call=call, dialogue_id=call.dialogue_id, metric=key, score=score.value, reason=score.reason)
        for key, score in made.scores.items()
    ]
    writes.follow_ups.append((call, stage.passes_on))


def made_of(call: Call, subject: Subject, keep_share: float | None = None) -> Made:
    """Parse a call's stored reply; raises ParseError if it is not what was asked for.

    `keep_share` replaces the run's own threshold.
    """
    reply = reply_of(call)
    _check_finish(reply)
    if reply.refusal and not reply.text.strip():
        raise refusal(reply.refusal)
    return SPECS[Stage(call.stage)].read(reply.text, subject, call.run.keep_share if keep_share is None else keep_share)


def reply_of(call: Call) -> Reply:
    """The stored answer of a call; if no text was found in it when it came, look again in the body."""
    body = call.raw_body or (call.raw_reply if call.finish_reason == MALFORMED else "")
    found = read_reply(body) if body else None
    if isinstance(found, Reply):
        return found
    return Reply(
        call.raw_reply, call.finish_reason, call.reply_model, call.prompt_tokens, call.completion_tokens, call.is_demo
    )


def _check_finish(reply: Reply) -> None:
    outcome = finish_reason_problem(reply.finish_reason)
    if outcome is Outcome.REFUSED:
        raise refusal(reply.refusal or reply.text)
    if outcome is not None:
        raise ParseError(outcome, _IN_WORDS.get(outcome, f"it ended with {reply.finish_reason}."))


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
        parent=call.dialogue if call.stage == Stage.FURTHER_SPLIT else None,
        traits_1=list(subject.traits_1),
        traits_2=list(subject.traits_2),
        theme=subject.theme,
        written_by=call.reply_model or call.run_stage.model,
        is_demo=call.is_demo,
    )


def _key(call: Call, version: str) -> str:
    """The dialogue's key in its corpus: the dialogue that the run was given, the version, the run and the writer.

    That is an α, or the dialogue to split, because one α may have several.
    """
    ending = f".{version}.run{call.run_id}"
    ending += f".w{call.run_stage.branch + 1}" if call.run_stage.branch else ""
    ending += f".{call.sample}" if call.sample else ""
    longest = Dialogue._meta.get_field("key").max_length or 0
    given = call.dialogue if call.depth == 0 else call.alpha
    whole = given.key + ending
    return whole if len(whole) <= longest else f"id{given.pk}{ending}"


def _write(writes: _Rows) -> None:
    Background.objects.bulk_create(writes.backgrounds)
    Judgement.objects.bulk_create(writes.judgements)
    rows = Dialogue.objects.bulk_create([row for _, row, _ in writes.outputs])
    written = list(zip(writes.outputs, rows, strict=True))
    made = {(call.pk, row.version_id): row for (call, _, _), row in written}
    Output.objects.bulk_create(
        [
            Output(
                dialogue=row, call=call, version_id=row.version_id, kept=share and share.kept,
                invented=share and share.invented,
            )
            for (call, _, share), row in written
        ]
    )  # fmt: skip
    now = timezone.now()
    onward: list[Call] = []
    for call, version in writes.follow_ups:
        onward += _next_calls(call, made[call.pk, version] if version else call.dialogue, now)
    mending = [_repair(call, now) for call in writes.repairs]
    # When a reply is read again, its next calls may exist already.
    Call.objects.bulk_create([*onward, *mending], ignore_conflicts=True)


def _next_calls(call: Call, dialogue: Dialogue, now: datetime) -> list[Call]:
    """The next stage's calls: a theme goes to every writer's branch, a writer's γ stays in its own."""
    stages = call.run.stages
    depth = stages.index(call.stage) + 1
    if depth == len(stages):
        return []
    rows = call.run.rows_of(stages[depth])
    if call.stage != Stage.THEME:
        rows = [row for row in rows if row.branch == call.run_stage.branch]
    return [_call(row, call, dialogue.pk, now, depth=depth) for row in rows]


def _repair(call: Call, now: datetime) -> Call:
    return _call(call.run_stage, call, call.dialogue_id, now, depth=call.depth, repair=call.repair + 1)


def _call(row: RunStage, before: Call, dialogue: int, now: datetime, **fields: int) -> Call:
    """A waiting call that follows another one for the same dialogue."""
    return Call(
        run_id=before.run_id, run_stage=row, dialogue_id=dialogue, alpha_id=before.alpha_id, stage=row.stage,
        sample=before.sample, not_before=now, **fields,
    )  # fmt: skip


def _give_up(key: int, error: Exception) -> int:
    """Fail a call whose reply breaks the program or the database; the reply stays and can be read again later."""
    outcome = NOT_STORED if isinstance(error, DatabaseError) else NOT_READ
    why = str(error) if outcome == NOT_STORED else f"Reading it failed inside this program: {type(error).__name__}"
    unread = Call.objects.unread().filter(pk=key)
    runs = set(unread.values_list("run_id", flat=True))
    given_up = unread.update(state=Call.State.FAILED, outcome=outcome, error=why)
    lifecycle.finish_where_done(runs)
    return given_up
