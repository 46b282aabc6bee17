"""The result of reading any file form: good records, bad ones with their reason, and twins."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dialogues.times import times_problem
from dialogues.transcript import Transcript, TranscriptError, text_problem

if TYPE_CHECKING:
    from dialogues.formats.reading import FileLines

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
# The people of a group chat who are handed over to choose two of, and the longest name that can be chosen.
MOST_NAMED = 50
NAME_LENGTH = 200
ORIGINAL = "alpha"
# What a bad record may need to be chosen: two people of a group, the order of dates, or how long a silence ends a
# dialogue.
PEOPLE, DATES, SILENCE = CHOICES = ("people", "date_order", "silence")


class RecordError(ValueError):
    """A record that cannot be stored; the text says what is wrong with it."""


class ChoiceError(RecordError):
    """Something has to be chosen before this can be read; `choice` is a member of `CHOICES`."""

    def __init__(self, reason: str, choice: str) -> None:
        super().__init__(reason)
        self.choice = choice


class GroupError(RecordError):
    """Two of the people of a chat have to be chosen; `people` are all of them and how many messages each writes."""

    def __init__(self, reason: str, people: Mapping[str, int]) -> None:
        super().__init__(reason)
        self.people = tuple(people.items())


@dataclass(frozen=True, slots=True)
class Record:
    """One dialogue of a file.

    `row` is the line it begins on (text, JSONL), its row with the header as row 1 (CSV), or its place in a list.
    `times` says when each message was sent, as ISO 8601 (without a zone where the file names none) or None; it is empty
    if none is known. `names` are those of speakers 1 and 2 in the file, "" where it has none. `origin` and `parent` are
    keys of dialogues earlier in the same file. `tally` counts what the form alone can know, such as exchanges and what
    was set aside; it is summed into the import's report. `facts` are sentences about how the whole file was read, which
    the report says once.
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
    times: tuple[str | None, ...] = ()
    names: tuple[str, str] = field(default=("", ""), compare=False)
    tally: Mapping[str, int] = field(default_factory=dict, compare=False)
    facts: tuple[str, ...] = field(default=(), compare=False)

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
        self._refuse_broken("a speaker's name", "".join(self.names))
        if problem := times_problem(self.times, len(self.transcript)):
            raise RecordError(problem)

    def _refuse_broken(self, name: str, text: str) -> None:
        if problem := text_problem(text):
            raise RecordError(f"{'id' if name == 'key' else name}: {problem}")


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A dialogue that cannot be imported, the row to look at, and why; `key` is empty if it cannot be shown.

    `people` are those of a group of whom two have to be chosen, with how many messages each writes, who wrote most
    first: at most `MOST_NAMED`, without names that nobody could choose because they are too long or broken. `choice` is
    the member of `CHOICES` that would make it readable, "" if nothing but mending does.
    """

    row: int
    reason: str
    key: str = ""
    people: tuple[tuple[str, int], ...] = ()
    choice: str = ""

    def __post_init__(self) -> None:
        if len(self.key) > KEY_LENGTH or text_problem(self.key):
            object.__setattr__(self, "key", "" if text_problem(self.key) else self.key[:KEY_LENGTH])
        if self.people:
            object.__setattr__(self, "people", _named(self.people))
            object.__setattr__(self, "choice", self.choice or PEOPLE)


def _named(people: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Names of one line that a form can send back as they are, who wrote most first."""
    able = (one for one in people if len(one[0]) <= NAME_LENGTH and one[0].splitlines() == [one[0]])
    sound = (one for one in able if not text_problem(one[0]))
    return tuple(sorted(sound, key=lambda one: -one[1])[:MOST_NAMED])


@dataclass(frozen=True, slots=True)
class Twin:
    """A dialogue that the file has already shown, from the other side."""

    row: int
    key: str


DATE_ORDERS = ("dmy", "mdy", "ymd")


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose where a file's form leaves something open.

    `columns` names the file's columns or keys by what they hold. `people` are the two of a group chat to keep.
    A silence of `silence_hours` begins a new dialogue of a chat export, and `date_order` (`dmy`, `mdy`, `ymd`) says how
    it writes dates; None and "" leave both to the file.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    people: tuple[str, ...] = ()
    silence_hours: float | None = None
    date_order: str = ""


AS_IT_COMES = Choices()
Parsed = Record | BadRecord | Twin
Parser = Callable[["FileLines", Choices], Iterator[Record | BadRecord]]


def checked(row: int, key: str, pairs: Sequence[Sequence[Any]], **fields: Any) -> Record | BadRecord:
    """The record, or the reason why these messages and fields cannot be one."""
    try:
        check_size(len(pairs), 0)
        record = Record(row=row, key=key, transcript=Transcript.of(pairs), **fields)
        check_lengths(record)
        return record
    except (TranscriptError, RecordError) as error:
        return BadRecord(row, str(error), key)


def check_size(messages: int, characters: int, traits: int = 0) -> None:
    """Raise RecordError if a dialogue has more of these; readers call it while they read, as a file may be endless."""
    if messages > MOST_MESSAGES:
        raise RecordError(f"the dialogue has more than {MOST_MESSAGES:,} messages, the most that one may have")
    if characters > MOST_CHARACTERS:
        raise RecordError(f"the dialogue has more than {MOST_CHARACTERS:,} characters, the most that one may have")
    if traits > MOST_TRAITS:
        raise RecordError(f"one speaker has more than {MOST_TRAITS} traits, the most that one may have")


def check_lengths(record: Record) -> None:
    """Raise RecordError if the dialogue or one of its messages is longer than it may be."""
    lengths = [len(text) for _, text in record.transcript]
    longest = max(lengths)
    if longest > LONGEST_MESSAGE:
        number = lengths.index(longest) + 1
        raise RecordError(f"message {number} has {longest:,} characters; a message has at most {LONGEST_MESSAGE:,}")
    beside = "".join((record.theme, *record.traits_1, *record.traits_2))
    check_size(len(lengths), sum(lengths) + len(beside), max(len(record.traits_1), len(record.traits_2)))
