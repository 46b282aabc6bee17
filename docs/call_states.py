"""The states and outcomes of a call, as a diagram and a table: `python -m docs.call_states` writes them.

The script runs the code instead of describing it: it settles a call in memory with every kind of trouble and reads one
with every outcome, then writes down what became of it. Only the moves that need a database are listed by hand
(`BY_THE_LEDGER`, `BY_A_PERSON`); `tests/test_documents.py` makes each of them on a database.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from secrets import token_urlsafe
from typing import NamedTuple
from unittest.mock import patch

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Nothing is signed or stored here, but settings refuse to load without a key.
    os.environ.setdefault("SECRET_KEY", token_urlsafe(48))
    django.setup()

from django.utils import timezone

from generation.endpoints.refusals import CallError, Trouble
from generation.engine import reading, settling
from generation.models import NEVER_ANSWERED, Call, Endpoint, Run, RunStage, Stage
from generation.parsing import Outcome, ParseError
from generation.stages import MOST_REPAIRS, Made, Subject
from generation.watching.causes import MEANINGS, said

PAGE = Path(__file__).with_name("architecture.md")
BEGIN, END = "<!-- made by python -m docs.call_states -->", "<!-- end of what is made -->"
BLOCK = re.compile(f"(?<={re.escape(BEGIN)}\n).*?(?={re.escape(END)})", re.DOTALL)

# A call that is done has an outcome once its reply was read.
READ = "read"
State = str


class Move(NamedTuple):
    source: State
    target: State
    why: str


BY_THE_LEDGER = (
    Move("[*]", Call.State.TODO, "the run starts, or the stage before is done"),
    Move(Call.State.TODO, Call.State.SENT, "a runner claims it"),
)
BY_A_PERSON = (
    Move("[*]", Call.State.TODO, "a person retries an answered call (a new call, in the next edition)"),
    Move(Call.State.FAILED, Call.State.TODO, f"a person retries an unanswered call ({', '.join(NEVER_ANSWERED)})"),
    Move(Call.State.AMBIGUOUS, Call.State.TODO, "a person decides to send again"),
    Move(Call.State.AMBIGUOUS, Call.State.FAILED, "a person gives up"),
    Move(Call.State.FAILED, Call.State.DONE, "a person reads replies again, this one is usable now"),
    Move(READ, Call.State.DONE, "a person reads replies again, this one holds another answer"),
    Move(READ, Call.State.FAILED, "a person reads replies again, this one is not usable"),
)


def state_of(call: Call) -> State:
    return READ if call.state == Call.State.DONE and call.outcome else str(call.state)


def sent_call(tries: int = 1, policy: str = Run.AmbiguousPolicy.HOLD, repair: int = 0) -> Call:
    """A call in memory that is on its way."""
    now = timezone.now()
    run = Run(pk=1, name="a run", ambiguous_policy=policy)
    row = RunStage(pk=1, run=run, stage=Stage.THEME, endpoint=Endpoint(pk=1, name="an endpoint"))
    return Call(
        pk=1, run=run, run_stage=row, stage=Stage.THEME, state=Call.State.SENT, attempt=1, tries=tries, repair=repair,
        sent_at=now, not_before=now,
    )  # fmt: skip


def settled(call: Call, result: settling.Reply | CallError) -> tuple[Call, settling.Effects]:
    effects = settling.Effects()
    settling.apply(call, result, timezone.now(), effects)
    return call, effects


REPLY = settling.Reply("Hello.", "stop", "a model", 10, 10, is_demo=False)


def moves_of_settling() -> Iterator[Move]:
    """What each result makes of a sent call, and of an ambiguous one whose answer comes late."""
    yield Move(Call.State.SENT, state_of(settled(sent_call(), REPLY)[0]), "a reply came")
    for trouble in Trouble:
        first = settled(sent_call(), CallError(trouble, "no luck"))
        then = " (the run pauses)" if first[1].pauses else ""
        yield Move(Call.State.SENT, state_of(first[0]), f"{trouble}{then}")
        last = settled(sent_call(tries=settling.MOST_TRIES), CallError(trouble, "no luck"))[0]
        if state_of(last) != state_of(first[0]):
            yield Move(Call.State.SENT, state_of(last), f"{trouble} at try {settling.MOST_TRIES}")
    resend = Run.AmbiguousPolicy.RESEND
    for tries in (1, settling.MOST_TRIES):
        call = settled(sent_call(tries, resend), CallError(Trouble.AMBIGUOUS, "silence"))[0]
        at = "" if tries == 1 else f", at try {tries}"
        yield Move(Call.State.SENT, state_of(call), f"{Trouble.AMBIGUOUS} in a run that resends{at}")
    for result, words in ((REPLY, "a late reply came"), (CallError(Trouble.REJECTED, "no"), "a late refusal came")):
        call = settled(sent_call(), CallError(Trouble.AMBIGUOUS, "silence"))[0]
        yield Move(Call.State.AMBIGUOUS, state_of(settled(call, result)[0]), words)


class Read(NamedTuple):
    state: State
    is_asked_again: bool


def read_as(outcome: Outcome, repair: int) -> Read:
    """What reading makes of an answered call whose reply has this outcome."""
    call = settled(sent_call(repair=repair), REPLY)[0]
    rows = reading._Rows()
    found = {"return_value": Made()} if outcome is Outcome.OK else {"side_effect": ParseError(outcome, "not that")}
    with patch.object(reading, "made_of", **found):
        reading._read(call, Subject.__new__(Subject), rows)
    return Read(state_of(call), bool(rows.repairs))


def moves_of_reading() -> Iterator[Move]:
    first = {outcome: read_as(outcome, repair=0) for outcome in Outcome}
    mended = [outcome for outcome, read in first.items() if read.is_asked_again]
    yield from (Move(Call.State.DONE, read.state, outcome) for outcome, read in first.items() if outcome not in mended)
    for state in dict.fromkeys(first[outcome].state for outcome in mended):
        yield Move(Call.State.DONE, state, "any other outcome, a repair call follows")
    for state in dict.fromkeys(read_as(outcome, MOST_REPAIRS).state for outcome in mended):
        yield Move(Call.State.DONE, state, f"any other outcome of repair {MOST_REPAIRS}")
    yield Move(Call.State.DONE, Call.State.FAILED, f"{reading.NOT_READ} or {reading.NOT_STORED}")


def moves() -> list[Move]:
    return [*BY_THE_LEDGER, *moves_of_settling(), *moves_of_reading(), *BY_A_PERSON]


def diagram(drawn: Iterable[Move]) -> str:
    """A Mermaid diagram with one arrow between two states, which lists all its reasons; those hold neither : nor ;."""
    reasons: dict[tuple[State, State], list[str]] = {}
    for move in drawn:
        reasons.setdefault((move.source, move.target), []).append(move.why)
    names = {str(state): f"{state.label} ({state})" for state in Call.State}
    names[Call.State.DONE] += ", not read yet"
    names[READ] = f"{Call.State.DONE.label} ({Call.State.DONE}), read"
    lines = ["stateDiagram-v2", *(f'    state "{words}" as {name}' for name, words in names.items())]
    lines += [f"    {source} --> {target} : {'<br>'.join(found)}" for (source, target), found in reasons.items()]
    lines += [f"    {READ} --> [*]", f"    {Call.State.FAILED} --> [*]"]
    return "\n".join(["```mermaid", *lines, "```"])


def outcomes() -> dict[str, str]:
    """Every outcome that a call may end with, and what follows it."""
    found: dict[str, str] = {}
    for outcome in Outcome:
        last = read_as(outcome, MOST_REPAIRS).state
        asked = f"up to {MOST_REPAIRS} repairs, then " if read_as(outcome, 0).is_asked_again else ""
        found[outcome] = f"{asked}{'done' if last == READ else last}"
    for trouble in Trouble:
        call = settled(sent_call(tries=settling.MOST_TRIES), CallError(trouble, "no luck"))[0]
        if call.outcome:
            # `filtered` is both: a filter may stop the request or cut the reply.
            before = f"{found[trouble]}; where the request was stopped, at once " if trouble in found else ""
            found[trouble] = f"{before}{call.state}"
    return found | dict.fromkeys((reading.NOT_STORED, reading.NOT_READ), str(Call.State.FAILED))


def table(found: Mapping[str, str]) -> str:
    rows = [f"| `{name}` | {said(name)} | {MEANINGS.get(name, '')} | {then} |" for name, then in found.items()]
    return "\n".join(["| outcome | on pages | what it means | what follows |", "|---|---|---|---|", *rows])


def made() -> str:
    """What stands between the two marks of the page."""
    return f"\n{diagram(moves())}\n\n{table(outcomes())}\n\n"


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(BLOCK.sub(lambda _: made(), page), encoding="utf-8")
