"""Dialogues of which a file has a message a row, whatever the rows are written in.

Rows of one dialogue usually stand together; then a file is read twice and no more than a dialogue is held. Where a
dialogue comes back after another one, as in a log sorted by time, all rows are put in order on disk (`regrouped`) and
the tally counts `dialogues_whose_rows_stood_apart`.

Within a dialogue, messages come by `order` if the file has it, else by `time`, else as they stand; in a form that is
made of replies, never before what they reply to. `branches` counts replies to earlier messages.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from dialogues.formats.branches import with_branches_counted
from dialogues.formats.columns import number_of
from dialogues.formats.people import with_people
from dialogues.formats.reading import UnreadableFileError
from dialogues.formats.records import (
    MOST_CHARACTERS,
    MOST_MESSAGES,
    BadRecord,
    Choices,
    Record,
    RecordError,
    check_size,
)
from dialogues.formats.regrouped import Regrouped
from dialogues.formats.sides import Chat, record_of, seated
from dialogues.times import iso_time, seconds_of


class Beside(NamedTuple):
    """What a row may say beside its message; empty where the file says nothing."""

    order: str = ""
    time: str = ""
    theme: str = ""
    traits_1: tuple[str, ...] = ()
    traits_2: tuple[str, ...] = ()
    id: str = ""
    reply_to: str = ""


NOTHING = Beside()


class Row(NamedTuple):
    """A message; `beside` is None for all rows of a file that has only these columns."""

    number: int
    key: str
    speaker: str
    text: str
    beside: Beside | None = None


class _RowsApartError(Exception):
    """A dialogue comes back after another one."""


@dataclass(frozen=True, slots=True)
class Manner:
    """What a form is like: whether messages without text are set aside and counted or make their dialogue bad, whether
    a message is moved behind the one that it replies to, and whether whoever speaks first is speaker 1 in every
    dialogue."""

    may_be_empty: bool = False
    follows_replies: bool = False
    first_is_speaker_1: bool = False


PLAIN = Manner()


def parsed(
    read: Callable[[], Iterable[Row | BadRecord]], choices: Choices, manner: Manner = PLAIN
) -> Iterator[Record | BadRecord]:
    """Records from rows; `read` begins the file anew each time it is called.

    A bad row has no id. It makes the dialogues before and after it bad, as it may belong to either. Where rows stand
    apart it may belong to any, so it raises UnreadableFileError.
    """
    seats = _by_who_speaks_first if manner.first_is_speaker_1 else seated
    try:
        yield from seats(lambda: _kept(_in_runs(read(), manner), choices))
        return
    except _RowsApartError:
        # Both ways of seating read a file to its end before they give the first record.
        pass
    with closing(Regrouped(_sound(read()))) as rows:
        yield from seats(lambda: _kept(_of_groups(rows, manner), choices))


def _kept(chats: Iterable[Chat | BadRecord], choices: Choices) -> Iterator[Chat | BadRecord]:
    return with_branches_counted(with_people(chats, choices.people))


def _by_who_speaks_first(read: Callable[[], Iterable[Chat | BadRecord]]) -> Iterator[Record | BadRecord]:
    deque(read(), maxlen=0)
    for chat in read():
        yield record_of(chat, None) if isinstance(chat, Chat) else chat


@dataclass(slots=True)
class _Draft:
    """The rows of one dialogue while they are read; after the first problem no more of them are kept."""

    key: str
    number: int
    manner: Manner
    problem: BadRecord | None = None
    rows: list[Row] = field(default_factory=list)
    characters: int = 0
    characters_beside: int = 0
    stood_apart: bool = False
    # What is said once, whether in one row or in all.
    shared: dict[str, Any] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        if self.problem:
            return
        self.rows.append(row)
        self.characters += len(row.text)
        self.characters_beside += len(row.speaker)
        is_large = len(self.rows) > MOST_MESSAGES or self.characters + self.characters_beside > MOST_CHARACTERS
        if is_large or row.beside or not row.speaker or not row.text:
            self._look_closer(row)

    def _look_closer(self, row: Row) -> None:
        """Apart from `add`, which has to be quick."""
        try:
            if not row.speaker:
                raise RecordError("speaker is empty")
            if not row.text and not self.manner.may_be_empty:
                raise RecordError("text is empty")
            if row.beside:
                self.rows[-1] = row._replace(beside=self._without_shared(row.beside))
            check_size(len(self.rows), max(self.characters, self.characters_beside))
        except RecordError as error:
            self.problem = BadRecord(row.number, str(error), self.key)
            self.rows.clear()

    def _without_shared(self, beside: Beside) -> Beside:
        """Theme and traits are kept once, because a file may have them in each of its rows."""
        for name in ("theme", "traits_1", "traits_2"):
            value = getattr(beside, name)
            if value and self.shared.setdefault(name, value) != value:
                raise RecordError(
                    f"{name} differs between the rows of the dialogue; write it once, or alike in every row"
                )
        check_size(0, 0, max(len(beside.traits_1), len(beside.traits_2)))
        self.characters_beside += len(beside.order) + len(beside.time) + len(beside.id) + len(beside.reply_to)
        return beside._replace(theme="", traits_1=(), traits_2=())

    def finished(self) -> Chat | BadRecord:
        if self.problem:
            return self.problem
        chat = Chat(self.number, self.key, theme=self.shared.get("theme", ""))
        chat.traits_by_side = self.shared.get("traits_1", ()), self.shared.get("traits_2", ())
        if self.stood_apart:
            chat.tally["dialogues_whose_rows_stood_apart"] = 1
        try:
            _fill(chat, self.rows, self.manner)
        except RecordError as error:
            return BadRecord(self.number, str(error), self.key)
        return chat


def _fill(chat: Chat, rows: Sequence[Row], manner: Manner) -> None:
    if any(row.beside for row in rows):
        _fill_in_order(chat, rows, [row.beside or NOTHING for row in rows], manner)
    else:
        chat.said = [(speaker, text, None) for _, _, speaker, text, _ in rows]
    if empty := chat.keep(lambda _, text: bool(text)):
        chat.tally["empty_messages_set_aside"] = empty


def _fill_in_order(chat: Chat, rows: Sequence[Row], beside: Sequence[Beside], manner: Manner) -> None:
    times = [iso_time(cells.time) for cells in beside]
    if unread := sum(1 for cells, time in zip(beside, times, strict=True) if cells.time and not time):
        chat.tally["times_not_read"] = unread
    places = _places([cells.order for cells in beside], times)
    if any(cells.reply_to for cells in beside):
        places = _after_replies(places, beside) if manner.follows_replies else places
        chat.replies = [(beside[place].id, beside[place].reply_to) for place in places]
    chat.said = [(rows[place].speaker, rows[place].text, times[place]) for place in places]


def _places(orders: Sequence[str], times: Sequence[str | None]) -> Sequence[int]:
    """The places of the messages in the order in which they were sent."""
    places = range(len(orders))
    if any(orders):
        if not all(orders):
            raise RecordError("order is empty in some rows of the dialogue and filled in others")
        numbers = [number_of(order) for order in orders]
        if None in numbers:
            return sorted(places, key=lambda place: orders[place])
        return sorted(places, key=lambda place: numbers[place] or 0)
    if None in times:
        return places
    moments = [seconds_of(time) for time in times if time]
    return sorted(places, key=lambda place: moments[place])


def _after_replies(places: Sequence[int], beside: Sequence[Beside]) -> Sequence[int]:
    """The same places, moved back as far as it takes for each message to stand after the one that it replies to."""
    by_id = {cells.id: place for place, cells in enumerate(beside) if cells.id}
    replies: dict[int, list[int]] = {}
    ready: list[int] = []
    for rank, place in enumerate(places):
        parent = by_id.get(beside[place].reply_to, place)
        (ready if parent == place else replies.setdefault(parent, [])).append(rank)
    ordered = []
    while ready:
        place = places[heappop(ready)]
        ordered.append(place)
        for rank in replies.get(place, ()):
            heappush(ready, rank)
    if len(ordered) < len(places):
        raise RecordError("messages reply to each other in a circle")
    return ordered


def _in_runs(rows: Iterable[Row | BadRecord], manner: Manner) -> Iterator[Chat | BadRecord]:
    """A chat for each run of rows with one key; raises _RowsApartError where a key comes back."""
    draft: _Draft | None = None
    just_before: BadRecord | None = None
    seen: set[str] = set()
    for row in rows:
        if isinstance(row, BadRecord):
            just_before = row
            if draft:
                draft.problem = draft.problem or BadRecord(row.row, row.reason, draft.key)
            continue
        if draft is None or row.key != draft.key:
            if draft:
                yield draft.finished()
            draft = _begun(row, seen, manner)
            draft.problem = just_before and BadRecord(just_before.row, just_before.reason, row.key)
        just_before = None
        draft.add(row)
    if draft:
        yield draft.finished()
    elif just_before:
        yield just_before


def _begun(row: Row, seen: set[str], manner: Manner) -> _Draft:
    if row.key in seen:
        raise _RowsApartError
    if row.key:
        seen.add(row.key)
    return _Draft(row.key, row.number, manner)


def _sound(rows: Iterable[Row | BadRecord]) -> Iterator[Row]:
    for row in rows:
        if isinstance(row, BadRecord):
            raise UnreadableFileError(
                f"Row {row.row}: {row.reason}. Rows of one dialogue stand apart in this file, so this row may belong "
                "to any dialogue: mend or remove it, or sort the file so that each dialogue stands together."
            )
        yield row


def _of_groups(rows: Regrouped, manner: Manner) -> Iterator[Chat | BadRecord]:
    for _, group in groupby(rows, key=itemgetter(0)):
        draft: _Draft | None = None
        expected = 0
        for _, place, (number, key, speaker, text, beside) in group:
            row = Row(number, key, speaker, text, beside and _beside(*beside))
            draft = draft or _Draft(row.key, row.number, manner)
            draft.stood_apart |= expected not in (0, place)
            expected = place + 1
            draft.add(row)
        if draft:
            yield draft.finished()


def _beside(order: str, time: str, theme: str, traits_1: list[str], traits_2: list[str], *ids: str) -> Beside:
    return Beside(order, time, theme, tuple(traits_1), tuple(traits_2), *ids)
