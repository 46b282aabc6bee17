"""Which speaker of a file is speaker 1 and which is speaker 2: the same person everywhere, if that is possible.

A file whose dialogues name their speakers is read twice: only its end shows who talked with whom.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from dialogues.formats.reading import quoted
from dialogues.formats.records import ORIGINAL, BadRecord, Record, checked

# More names than this in one dialogue are a group; it is not necessary to count them.
GROUP = 20


@dataclass(slots=True)
class Chat:
    """One dialogue as its file tells it: (speaker's name, text, time or None) in order, and traits by speaker."""

    row: int
    key: str
    said: list[tuple[str, str, str | None]] = field(default_factory=list)
    traits: dict[str, tuple[str, ...]] = field(default_factory=dict)
    # Traits of speakers 1 and 2, whoever they are, in a file that names these.
    traits_by_side: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    theme: str = ""
    version: str = ORIGINAL
    origin: str = ""
    written_by: str = ""
    tally: Counter[str] = field(default_factory=Counter)
    # Beside each message its id and that of the message it replies to, "" for none; empty where the file has no such.
    replies: list[tuple[str, str]] = field(default_factory=list)

    def keep(self, is_kept: Callable[[str, str], bool]) -> int:
        """Leave out the messages whose speaker and text are not to be kept; returns how many these were."""
        before = len(self.said)
        places = [place for place, (name, text, _) in enumerate(self.said) if is_kept(name, text)]
        if len(places) < before:
            self.said = [self.said[place] for place in places]
            self.replies = [self.replies[place] for place in places] if self.replies else []
        return before - len(places)

    def speakers(self) -> list[str]:
        """Names in the order in which they first speak, at most `GROUP`."""
        return list(islice(dict.fromkeys(name for name, _, _ in self.said), GROUP))


def seated(read: Callable[[], Iterable[Chat | BadRecord]]) -> Iterator[Record | BadRecord]:
    """Records whose speakers have sides; `read` begins the file anew each time it is called.

    Where all people of the file can keep one side in every dialogue, they do, and whoever speaks first is speaker 1.
    Otherwise the first to speak in each dialogue is its speaker 1, and the tally counts these dialogues as
    `sides_by_who_speaks_first`.
    """
    sides = sides_of(chat.speakers() for chat in read() if isinstance(chat, Chat))
    for chat in read():
        yield record_of(chat, sides) if isinstance(chat, Chat) else chat


def sides_of(dialogues: Iterable[Sequence[str]]) -> Mapping[str, int] | None:
    """The side of each speaker from the speakers of each dialogue, or None if somebody cannot keep one side.

    Speakers who are called 1 and 2 keep their numbers.
    """
    found = _Sides()
    if not all(found.add(speakers) for speakers in dialogues if len(speakers) <= 2):
        return None
    sides = found.by_name()
    return {"1": 1, "2": 2} if sides.keys() <= {"1", "2"} else sides


def record_of(chat: Chat, sides: Mapping[str, int] | None) -> Record | BadRecord:
    """The chat as a record; `sides` of None lets the first to speak be speaker 1. A third speaker makes it bad."""
    speakers = chat.speakers()
    if len(speakers) > 2:
        third = next(number for number, (name, _, _) in enumerate(chat.said, 1) if name == speakers[2])
        more = "more than " if len(speakers) == GROUP else ""
        reason = (
            f"message {third}: a third speaker, “{quoted(speakers[2])}”; a dialogue has two, this one {more}"
            f"{len(speakers)}"
        )
        said = Counter(name for name, _, _ in chat.said)
        return BadRecord(chat.row, reason, chat.key, tuple(said.items()))
    by_order = {name: number for number, name in enumerate(dict.fromkeys([*speakers, *chat.traits]), 1)}
    seats = by_order if sides is None else by_order | {name: sides[name] for name in speakers}
    traits = _traits(chat, seats, speakers)
    times = tuple(time for _, _, time in chat.said)
    return checked(
        chat.row,
        chat.key,
        [(seats[name], text) for name, text, _ in chat.said],
        traits_1=traits[1],
        traits_2=traits[2],
        theme=chat.theme,
        version=chat.version,
        origin=chat.origin,
        written_by=chat.written_by,
        times=times if any(times) else (),
        names=(_named(seats, 1), _named(seats, 2)),
        tally=chat.tally if sides is not None else chat.tally + Counter(sides_by_who_speaks_first=1),
    )


def _traits(chat: Chat, seats: Mapping[str, int], speakers: Sequence[str]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = dict(enumerate(chat.traits_by_side, 1))
    for name, traits in chat.traits.items():
        silent = name not in speakers and len(speakers) == 1
        side = 3 - seats[speakers[0]] if silent else seats.get(name, 0)
        if side in found:
            found[side] += traits
    return found


def _named(seats: Mapping[str, int], side: int) -> str:
    return next((name for name, seat in seats.items() if seat == side), "")


class _Sides:
    """Groups of people who are linked by dialogues, each with its two sides: sets that are joined as links appear."""

    def __init__(self) -> None:
        self._leader: dict[str, str] = {}
        # Whether somebody sits opposite their leader.
        self._is_opposite: dict[str, bool] = {}

    def add(self, speakers: Sequence[str]) -> bool:
        """Link the speakers of a dialogue; False if they sit on one side already."""
        for name in speakers:
            self._leader.setdefault(name, name)
            self._is_opposite.setdefault(name, False)
        if len(speakers) < 2:
            return True
        (first, is_first_opposite), (second, is_second_opposite) = map(self._found, speakers)
        if first == second:
            return is_first_opposite != is_second_opposite
        self._leader[second] = first
        self._is_opposite[second] = is_first_opposite == is_second_opposite
        return True

    def by_name(self) -> dict[str, int]:
        """In each group, the first to be added is speaker 1."""
        ones: dict[str, bool] = {}
        sides = {}
        for name in self._leader:
            leader, is_opposite = self._found(name)
            sides[name] = 1 if ones.setdefault(leader, is_opposite) == is_opposite else 2
        return sides

    def _found(self, name: str) -> tuple[str, bool]:
        """The leader of a name's group, and whether the name sits opposite; shortens the way there."""
        path = []
        while (leader := self._leader[name]) != name:
            path.append(name)
            name = leader
        is_opposite = False
        for one in reversed(path):
            is_opposite ^= self._is_opposite[one]
            self._leader[one], self._is_opposite[one] = name, is_opposite
        return name, is_opposite
