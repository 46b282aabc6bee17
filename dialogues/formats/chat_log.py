"""A chat of two people as its program exports it: one dialogue, or several with silences between."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from dialogues.formats.people import said_by
from dialogues.formats.reading import quoted
from dialogues.formats.records import SILENCE, BadRecord, Choices, GroupError, Record, RecordError, check_size
from dialogues.formats.sides import Chat, record_of
from dialogues.times import seconds_of

_SPLIT = (
    "let a silence begin a new dialogue: choose its length on the import page, or write --silence 8 for eight hours"
)
_SPLIT_MORE = "choose a shorter silence"


# Of a group with more people, the others are not counted by name.
MOST_PEOPLE = 10_000


class Said(NamedTuple):
    """A message; `time` is ISO 8601 or None."""

    row: int
    person: str
    text: str
    time: str | None


class Aside(NamedTuple):
    """Something that is not part of the dialogue, counted under this name."""

    name: str


# A BadRecord is a message that cannot be read.
Entry = Said | Aside | BadRecord


def count(messages: Counter[str], person: str) -> None:
    """One more message by a person; a hostile file may have as many people as lines."""
    if person in messages or len(messages) < MOST_PEOPLE:
        messages[person] += 1


def two_of(messages: Mapping[str, int], chosen: tuple[str, ...]) -> tuple[str, ...]:
    """The people whose messages are kept, whoever spoke first first; raises GroupError where two have to be chosen.

    `messages` counts those of each person, in the order in which they first speak.
    """
    if len(messages) <= 2:
        return tuple(messages)
    if not chosen:
        raise GroupError(
            f"this chat has {len(messages)} people: {said_by(messages)}; a dialogue has two. Choose whose messages to "
            "keep, on the import page or by --people NAME,NAME",
            messages,
        )
    kept = tuple(name for name in messages if name in chosen)
    if missing := [name for name in chosen if name not in messages]:
        raise GroupError(
            f"nobody called “{quoted(missing[0])}” writes in this chat; its people are {said_by(messages)}", messages
        )
    return kept


@dataclass(frozen=True, slots=True)
class Log:
    """A chat by its key: what stands in it, the people to keep, and facts that the report should say of it."""

    key: str
    entries: Iterable[Entry]
    people: tuple[str, ...]
    facts: tuple[str, ...] = ()


@dataclass(slots=True)
class _Draft:
    """A dialogue while it is read; after the first problem no more of it is kept."""

    chat: Chat
    advice: str
    problem: BadRecord | None = None
    characters: int = 0
    last: str | None = None

    def ends_before(self, entry: Said | BadRecord, silence_hours: float | None) -> bool:
        if silence_hours is None or isinstance(entry, BadRecord) or not entry.time or not self.last:
            return False
        return seconds_of(entry.time) - seconds_of(self.last) > silence_hours * 3600

    def add(self, said: Said | BadRecord) -> None:
        if isinstance(said, BadRecord):
            self.problem = self.problem or replace(said, key=self.chat.key)
            return
        self.last = said.time or self.last
        if self.problem:
            return
        self.chat.said.append((said.person, said.text, said.time))
        self.characters += len(said.text)
        try:
            check_size(len(self.chat.said), self.characters)
        except RecordError as error:
            self.problem = BadRecord(said.row, f"{error}; {self.advice}", self.chat.key, choice=SILENCE)
            self.chat.said.clear()


def dialogues_of(log: Log, sides: Mapping[str, int], choices: Choices) -> Iterator[Record | BadRecord]:
    """The chat as one record, or where silences split it as several, `key/001`, …; others' messages are set aside."""
    names = _names(log.people, sides)
    for draft in _drafts(log, choices.silence_hours):
        if draft.problem:
            yield draft.problem
            continue
        record = record_of(draft.chat, sides)
        yield _told(record, names, log.facts) if isinstance(record, Record) else record


def _told(record: Record, names: tuple[str, str], facts: tuple[str, ...]) -> Record | BadRecord:
    """The record with how its file was read and both names, as somebody who is silent here may be spoken of."""
    try:
        return replace(record, names=names, facts=facts)
    except RecordError as error:
        return BadRecord(record.row, str(error), record.key)


def _drafts(log: Log, silence_hours: float | None) -> Iterator[_Draft]:
    draft: _Draft | None = None
    tally: Counter[str] = Counter()
    number = 0
    for entry in log.entries:
        if isinstance(entry, Aside):
            tally[entry.name] += 1
        elif isinstance(entry, Said) and entry.person not in log.people:
            tally["messages_of_others_set_aside"] += 1
        else:
            if draft is None or draft.ends_before(entry, silence_hours):
                if draft:
                    yield draft
                    tally = Counter()
                number += 1
                draft = _begun(log.key, entry.row, number, silence_hours)
                draft.chat.tally = tally
            draft.add(entry)
    yield draft or _Draft(Chat(1, log.key), "", BadRecord(1, f"no message is left ({_asides(tally)})", log.key))


def _begun(key: str, row: int, number: int, silence_hours: float | None) -> _Draft:
    if silence_hours is None:
        return _Draft(Chat(row, key), _SPLIT)
    return _Draft(Chat(row, f"{key}/{number:03}"), _SPLIT_MORE)


def _names(people: tuple[str, ...], sides: Mapping[str, int]) -> tuple[str, str]:
    by_side = {sides[name]: name for name in people}
    return by_side.get(1, ""), by_side.get(2, "")


def _asides(tally: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')}: {count:,}" for name, count in tally.items()) or "the chat"
