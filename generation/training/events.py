"""What a trainer reports while it works: one JSON object a line, numbered from 1.

The trainer writes the lines to `events.jsonl` in its folder. Whoever reads them, over the HTTP API, from that file or
from an upload, may read a line twice: the number tells.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

LONGEST_LINE = 200_000


class EventKind(StrEnum):
    """With the keys of each kind's payload."""

    STARTED = "started"  # steps, parameters, environment, data_sha256
    STEP = "step"  # step, epoch, loss, learning_rate, tokens_per_second, seconds_left, memory_bytes
    EVALUATED = "evaluated"  # step, loss
    SAMPLE = "sample"  # step, prompt ([[role, content], …]), reply, stopped
    NOTICE = "notice"  # text: what the trainer decided or left out
    CHECKED = "checked"  # rows: the figures of the check after training
    FINISHED = "finished"  # seconds, steps, folder, is_adapter
    STOPPED = "stopped"  # step
    FAILED = "failed"  # why


class EventError(ValueError):
    """A line that is no event; the text says why."""


@dataclass(frozen=True, slots=True)
class Event:
    number: int
    at: str
    kind: EventKind
    payload: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        fields = {"number": self.number, "at": self.at, "kind": self.kind.value, **self.payload}
        return json.dumps(fields, ensure_ascii=False) + "\n"

    @classmethod
    def of(cls, fields: object) -> Self:
        """From a JSON object; raises EventError."""
        if not isinstance(fields, dict):
            raise EventError("an event is a JSON object")
        number, at, kind = (fields.get(name) for name in ("number", "at", "kind"))
        if type(number) is not int or not 1 <= number <= 2**31 - 1:
            raise EventError("number must be a whole number from 1")
        if kind not in [one.value for one in EventKind]:
            raise EventError(f"kind must be one of {', '.join(EventKind)}")
        payload = {name: value for name, value in fields.items() if name not in ("number", "at", "kind")}
        return cls(number, _moment(at), EventKind(kind), payload)


def read_events(lines: Iterator[str]) -> Iterator[Event]:
    """The events of a log; a last line that is cut off is left out. Raises EventError with the number of the line."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if not line.endswith("\n"):
            return
        if len(line) > LONGEST_LINE:
            raise EventError(f"line {number:,} is longer than {LONGEST_LINE:,} characters")
        try:
            yield Event.of(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise EventError(f"line {number:,}: {error}") from None


def _moment(at: object) -> str:
    try:
        found = datetime.fromisoformat(str(at))
    except ValueError:
        raise EventError("at must be a time such as 2026-11-30T02:00:00+00:00") from None
    if found.tzinfo is None:
        raise EventError("at must name its time zone")
    return found.isoformat()
