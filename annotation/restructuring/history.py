"""The operations of a restructuring in words, and the text after each of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from annotation.models import Restructuring
from dialogues.alignment import sources
from dialogues.editing import Draft, EditError, Piece, replay
from dialogues.transcript import Transcript

LONGEST_QUOTE = 60


@dataclass(frozen=True, slots=True)
class Step:
    """One operation in words, with its person and time."""

    number: int
    words: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """A restructuring's drafts after 0, 1, 2 … operations, and a step for each operation."""

    drafts: list[Draft]
    steps: list[Step]

    def at(self, number: int | None) -> int:
        """This number if the log has it, otherwise its end."""
        last = len(self.drafts) - 1
        return number if number is not None and 0 <= number <= last else last


def told(restructuring: Restructuring) -> Told:
    """Replay the log, in one query."""
    operations = list(restructuring.operations.select_related("person").order_by("number"))
    try:
        drafts = replay(restructuring.original.transcript, (row.body for row in operations)).drafts
    except EditError:
        # Somebody has changed rows by hand: show the stored text without its history.
        return Told([_stored(restructuring)], [])
    steps = [
        Step(row.number, in_words(row.body, before), row.person.get_username(), row.at)
        for row, before in zip(operations, drafts, strict=False)
    ]
    return Told(drafts, steps)


def _stored(restructuring: Restructuring) -> Draft:
    text = Transcript.of(restructuring.messages)
    came_from = sources(restructuring.original.transcript, text)
    return tuple(Piece(*message, (source,)) for message, source in zip(text, came_from, strict=True))


def in_words(body: dict[str, Any], before: Draft) -> str:
    """A sentence on what an operation did to the draft before it."""
    kind = body.get("op")
    at = body.get("at", 0)
    said = quoted(before[at].text) if kind != "insert" and at < len(before) else ""
    if kind == "split":
        text, offset = before[at].text, body["offset"]
        return f"Split message {at + 1}: {quoted(text[:offset].strip())} | {quoted(text[offset:].strip())}"
    sentences = {
        "merge": f"Merged message {at + 1} with the one above: {said}",
        "move": f"Moved message {at + 1} to place {body.get('to', 0) + 1}: {said}",
        "reword": f"Reworded message {at + 1}: {said} → {quoted(str(body.get('text', '')))}",
        "insert": f"Added message {at + 1}: {quoted(str(body.get('text', '')))}",
        "delete": f"Removed message {at + 1}: {said}",
        "accept": f"Took a proposal by {body.get('by')} for message {at + 1}: {len(body.get('texts', ()))} messages",
        "undo": "Took the latest change back",
        "redo": "Did again what was taken back",
        "rewind": f"Returned to the text after operation {body.get('to')}",
    }
    return sentences.get(str(kind), str(kind))


def quoted(text: str) -> str:
    """A short quotation on one line."""
    line = " ".join(text.split())
    return f"“{line}”" if len(line) <= LONGEST_QUOTE else f"“{line[: LONGEST_QUOTE - 1].rstrip()}…”"
