"""A dialogue as a value: messages, the turns they form, and the JSON they are stored as.

A *message* is what one speaker sends at once. A *turn* is a maximal run of messages by one speaker;
it is derived here and never stored.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal, NamedTuple

Speaker = Literal[1, 2]


class TranscriptError(ValueError):
    """These messages are no dialogue; the text says which message is wrong and why."""


class Message(NamedTuple):
    speaker: Speaker
    text: str


class Turn(NamedTuple):
    speaker: Speaker
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    """An immutable, non-empty sequence of messages by speakers 1 and 2."""

    messages: tuple[Message, ...]

    def __post_init__(self) -> None:
        if not self.messages:
            raise TranscriptError("a dialogue needs at least one message")
        for number, (speaker, text) in enumerate(self.messages, 1):
            problem = message_problem(speaker, text)
            if problem:
                raise TranscriptError(f"message {number}: {problem}")

    @classmethod
    def of(cls, pairs: Iterable[Sequence[Any]]) -> "Transcript":
        """Build from `[speaker, text]` pairs, the stored JSON form; raises TranscriptError."""
        messages = []
        for number, pair in enumerate(pairs, 1):
            if not isinstance(pair, (list, tuple)) or len(pair) != 2:
                raise TranscriptError(f"message {number}: expected [speaker, text]")
            messages.append(Message(*pair))
        return cls(tuple(messages))

    def to_json(self) -> list[list[int | str]]:
        return [[speaker, text] for speaker, text in self.messages]

    def turns(self) -> tuple[Turn, ...]:
        """Maximal runs of messages by one speaker, in order."""
        return tuple(Turn(speaker, tuple(run)) for speaker, run in groupby(self.messages, key=lambda m: m.speaker))

    def run_lengths(self) -> Counter[int]:
        """How many turns have one, two, three … messages."""
        return Counter(sum(1 for _ in run) for _, run in groupby(self.messages, key=itemgetter(0)))

    def turn_count(self) -> int:
        return sum(1 for _ in groupby(self.messages, key=itemgetter(0)))

    def __len__(self) -> int:
        return len(self.messages)

    def __iter__(self) -> Iterator[Message]:
        return iter(self.messages)


def message_problem(speaker: object, text: object) -> str | None:
    """Why (speaker, text) cannot be stored as a message, or None."""
    if type(speaker) is not int or speaker not in (1, 2):
        # The repr of a long or deeply nested value could be huge.
        shown = repr(speaker)[:40] if isinstance(speaker, (int, float, str)) else type(speaker).__name__
        return f"speaker must be 1 or 2, not {shown}"
    if not isinstance(text, str):
        return f"text must be a string, not {type(text).__name__}"
    if not text.strip():
        return "text is empty"
    return text_problem(text)


def text_problem(text: str) -> str | None:
    """Why a text cannot be stored in a database, or None: NUL and lone surrogates are refused."""
    if "\x00" in text:
        return "text contains a NUL character"
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return "text contains half of a surrogate pair (broken Unicode)"
    return None
