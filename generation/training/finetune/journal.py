"""What the trainer reports: lines of `events.jsonl`, sentences on the terminal, and posts to the HTTP API."""

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from generation.training.events import LONGEST_LINE, Event, EventKind, read_events

Send = Callable[[str], None]
_SENTENCES = {
    EventKind.STARTED: "Training: {steps:,} steps.",
    EventKind.EVALUATED: "step {step:,}  loss on held-out backgrounds {loss:.4f}",
    EventKind.NOTICE: "{text}",
    EventKind.FINISHED: "Finished after {steps:,} steps. The model is in {folder}.",
    EventKind.STOPPED: "Stopped at step {step:,}. Go on with --resume.",
}


def _unsent(line: str) -> None:
    """Where nobody asked for reports."""


class Journal:
    """Keeps nothing: for all processes of several cards but the first."""

    def tell(self, kind: EventKind, payload: Mapping[str, Any]) -> None:
        """One event, the keys of its payload as EventKind says."""

    def notice(self, text: str) -> None:
        self.tell(EventKind.NOTICE, {"text": text})

    def close(self) -> None:
        """No event comes after this."""


class PrintedJournal(Journal):
    """Sentences on the terminal alone: for a training that is only tried."""

    def tell(self, kind: EventKind, payload: Mapping[str, Any]) -> None:
        if text := sentence(kind, payload):
            sys.stdout.write(text + "\n")
            sys.stdout.flush()


class WrittenJournal(PrintedJournal):
    """Goes on in number where the file ends; a last line that was cut off is taken away first."""

    def __init__(self, path: Path, send: Send = _unsent) -> None:
        self._send = send
        self._number = _mend(path)
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            send(line)
        self._file = path.open("a", encoding="utf-8")

    def tell(self, kind: EventKind, payload: Mapping[str, Any]) -> None:
        """Written and flushed before it returns; raises OSError where the disk is full."""
        self._number += 1
        line = Event(self._number, datetime.now(UTC).isoformat(timespec="milliseconds"), kind, payload).line()
        if len(line) > LONGEST_LINE:
            raise ValueError(f"an event of {len(line):,} characters; at most {LONGEST_LINE:,} are read")
        self._file.write(line)
        self._file.flush()
        self._send(line)
        super().tell(kind, payload)

    def close(self) -> None:
        self._file.close()


def sentence(kind: EventKind, payload: Mapping[str, Any]) -> str:
    """An event as a line for the terminal; "" for those that only a page shows."""
    if kind == EventKind.STEP:
        speed = f"{payload['tokens_per_second']:,.0f} tokens/s, {payload['seconds_left']:,.0f} s left"
        return f"step {payload['step']:,}  epoch {payload['epoch']:.2f}  loss {payload['loss']:.4f}  {speed}"
    if kind == EventKind.CHECKED:
        return "\n".join(_checked(row) for row in payload["rows"])
    return _SENTENCES.get(kind, "").format_map(payload)


def _checked(row: Mapping[str, Any]) -> str:
    figures = "  ".join(f"{name} {value:.3g}" for name, value in row.items() if isinstance(value, float))
    return f"{row['who']:>6}  n {row['n']}  {figures}"


def _mend(path: Path) -> int:
    """The number of the last whole line; a cut-off one after it is taken away."""
    path.touch()
    whole = path.read_bytes()
    whole = whole[: whole.rfind(b"\n") + 1]
    with path.open("r+b") as file:
        file.truncate(len(whole))
    return max((event.number for event in read_events(iter(whole.decode().splitlines(keepends=True)))), default=0)
