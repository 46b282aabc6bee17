"""The result of reading any file form: good records, bad ones with their reason, and twins."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dialogues.transcript import Transcript, TranscriptError, text_problem

KEY_LENGTH = 200
WRITER_LENGTH = 200
# Limits of one dialogue, which is always read, drawn and sent in one piece. The limit on the sum keeps an exported line
# short enough to be imported again.
MOST_MESSAGES = 5_000
LONGEST_MESSAGE = 100_000
MOST_CHARACTERS = 2_000_000
MOST_TRAITS = 500
LIMITS = (
    f"a dialogue has at most {MOST_MESSAGES:,} messages and {MOST_CHARACTERS:,} characters, "
    f"a message at most {LONGEST_MESSAGE:,} characters"
)
ORIGINAL = "alpha"


class RecordError(ValueError):
    """A record that cannot be stored; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Record:
    """One dialogue of a file.

    `row` is the line it begins on (ParlAI, JSONL) or its row with the header as row 1 (CSV). `origin` and
    `parent` are keys of dialogues earlier in the same file. `tally` counts what the form alone can know, such
    as exchanges; it is summed into the import's report.
    """

    row: int
    key: str
    transcript: Transcript
    traits_1: tuple[str, ...] = ()
    traits_2: tuple[str, ...] = ()
    theme: str = ""
    version: str = ORIGINAL
    origin: str = ""
    parent: str = ""
    written_by: str = ""
    is_demo: bool = False
    tally: Mapping[str, int] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if not self.key.strip():
            raise RecordError("the dialogue has no id")
        if len(self.key) > KEY_LENGTH:
            raise RecordError(f"the id is longer than {KEY_LENGTH} characters")
        if len(self.written_by) > WRITER_LENGTH:
            raise RecordError(f"written_by is longer than {WRITER_LENGTH} characters")
        for name in ("key", "theme", "version", "origin", "parent", "written_by"):
            self._refuse_broken(name, getattr(self, name))
        for name in ("traits_1", "traits_2"):
            self._refuse_broken(name, "".join(getattr(self, name)))

    def _refuse_broken(self, name: str, text: str) -> None:
        if problem := text_problem(text):
            raise RecordError(f"{'id' if name == 'key' else name}: {problem}")


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A dialogue that cannot be imported, the row to look at, and why."""

    row: int
    reason: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Twin:
    """A dialogue that the file has already shown, from the other side."""

    row: int
    key: str


Parsed = Record | BadRecord | Twin
Parser = Callable[[Iterable[str]], Iterator[Record | BadRecord]]


def checked(row: int, key: str, pairs: Sequence[Sequence[Any]], **fields: Any) -> Record | BadRecord:
    """The record, or the reason why these messages and fields cannot be one."""
    try:
        check_size(len(pairs), 0)
        record = Record(row=row, key=key, transcript=Transcript.of(pairs), **fields)
        _check_lengths(record)
        return record
    except (TranscriptError, RecordError) as error:
        return BadRecord(row, str(error), "" if text_problem(key) else key[:KEY_LENGTH])


def check_size(messages: int, characters: int, traits: int = 0) -> None:
    """Raise RecordError if a dialogue has more of these; readers call it while they read, as a file may be endless."""
    if messages > MOST_MESSAGES:
        raise RecordError(f"the dialogue has more than {MOST_MESSAGES:,} messages, the most that one may have")
    if characters > MOST_CHARACTERS:
        raise RecordError(f"the dialogue has more than {MOST_CHARACTERS:,} characters, the most that one may have")
    if traits > MOST_TRAITS:
        raise RecordError(f"one speaker has more than {MOST_TRAITS} traits, the most that one may have")


def _check_lengths(record: Record) -> None:
    lengths = [len(text) for _, text in record.transcript]
    longest = max(lengths)
    if longest > LONGEST_MESSAGE:
        number = lengths.index(longest) + 1
        raise RecordError(f"message {number} has {longest:,} characters; a message has at most {LONGEST_MESSAGE:,}")
    beside = "".join((record.theme, *record.traits_1, *record.traits_2))
    check_size(len(lengths), sum(lengths) + len(beside), max(len(record.traits_1), len(record.traits_2)))
