"""Personal data in the texts of dialogues: e-mail addresses, phone numbers, links, handles and the people's own names.

What is found is for a person to look at before an import and to mask if they wish. It is a help and no proof: a street,
a friend's name or an illness is not found.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from dialogues.formats.records import Record
from dialogues.transcript import Message, Transcript

EMAIL, PHONE, LINK, HANDLE, NAME = KINDS = ("e-mail", "phone", "link", "handle", "name")
IN_WORDS = {
    EMAIL: "e-mail addresses",
    PHONE: "phone numbers",
    LINK: "links",
    HANDLE: "handles",
    NAME: "names of the two people",
}
EXAMPLES = 5
# Shorter parts of a name are too often words.
SHORTEST_NAME = 3
_LONGEST_LOCAL, _LONGEST_DOMAIN = 64, 253

# Labels of speakers that name nobody.
_ROLES = frozenset(
    (
        *("user", "assistant", "human", "bot", "system", "speaker", "seeker", "supporter", "agent", "customer"),
        *("wizard", "apprentice", "usr", "sys", "model", "gpt", "chatgpt", "person", "client", "partner", "unknown"),
    )
)
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"“”]{1,2000}", re.IGNORECASE)
# Ends of domains that are hardly ever a word after a full stop without a space.
_KNOWN_END = re.compile(
    r"\.(?:com|org|net|edu|gov|info|io|app|dev|co\.uk|ac\.uk|uk|de|fr|nl|ch|eu|ru|pl|dk|cz|com?\.\w\w|tv|ly|ai|cn|jp|br)"
    r"(?![\w-])(?!\.\w)(?:[:/?#][^\s<>\"“”]{0,2000})?|\.[a-z]{2,10}/[^\s<>\"“”]{1,2000}",
    re.IGNORECASE,
)
_CLOSING = ".,;:!?'\"»”’]>*_…"
_DOMAIN = re.compile(r"[^\W_][\w-]{0,62}(?:\.[^\W_][\w-]{0,62}){1,8}")
_HANDLE = re.compile(r"\w(?:[\w.]{0,30}\w)")
_PHONE = re.compile(
    r"(?<![\w.,:/@#=$€£¥_-])(?:\+ ?)?\(?\d[\d \u00a0\u202f().\-/]{4,28}\d(?![\w%€£$])(?![ \u00a0][%€£$])"
)
_GROUP = re.compile(r"\d+")
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATE = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}"
_NO_PHONE = re.compile(
    rf"{_DATE}(?: ?- ?{_DATE}| \d{{1,2}})?"  # a date, two, or one and the hour of a time
    r"|\d{1,2}\.\d\d ?- ?\d{1,2}\.\d\d"  # from one time to another
    r"|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])"  # a date without marks
    r"|\d{1,3}(?:\.\d{3})+|\d+\.\d{1,2}|\d{1,2}\.\d+|\d{1,3}(?: \d{3})*[ .]?000"  # an amount
)


class Found(NamedTuple):
    """What a text has from `start` to `end`; `side` is 1 or 2 for a name, 0 where both people have it."""

    kind: str
    start: int
    end: int
    side: int = 0

    def mask(self) -> str:
        if self.kind != NAME:
            return f"[{self.kind}]"
        return ("[name]", "[A]", "[B]")[self.side]


def found(text: str, names: Sequence[str] = ("", "")) -> list[Found]:
    """All that was found, in order and without overlaps; `names` are those of speakers 1 and 2."""
    candidates = list(_candidates(text, names))
    if len(candidates) < 2:
        return candidates
    kept, taken = [], bytearray(len(text))
    for one in candidates:
        if not any(taken[one.start : one.end]):
            taken[one.start : one.end] = b"\x01" * (one.end - one.start)
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)


@dataclass(slots=True)
class Finder:
    """Counts what dialogues have, by kind, and keeps the first different examples of each."""

    counts: Counter[str] = field(default_factory=Counter)
    dialogues: int = 0
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        before = self.counts.total()
        for text in _texts(record):
            for one in found(text, record.names):
                self.counts[one.kind] += 1
                self._show(one.kind, text[one.start : one.end])
        self.dialogues += self.counts.total() > before

    def _show(self, kind: str, example: str) -> None:
        shown = self.examples.setdefault(kind, [])
        if len(shown) < EXAMPLES and example not in shown:
            shown.append(example)


def masked(record: Record, kinds: Collection[str] = KINDS) -> Record:
    """The record with `[e-mail]`, `[phone]`, `[link]`, `[handle]`, `[A]` and `[B]` in place of what was found."""

    def without(text: str) -> str:
        return masked_text(text, record.names, kinds)

    return replace(
        record,
        transcript=Transcript(tuple(Message(speaker, without(text)) for speaker, text in record.transcript)),
        traits_1=tuple(map(without, record.traits_1)),
        traits_2=tuple(map(without, record.traits_2)),
        theme=without(record.theme),
        names=("A", "B") if NAME in kinds else record.names,
    )


def masked_text(text: str, names: Sequence[str] = ("", ""), kinds: Collection[str] = KINDS) -> str:
    """The text with its masks; `names` are those of speakers 1 and 2."""
    parts, last = [], 0
    for one in found(text, names):
        if one.kind in kinds:
            parts += [text[last : one.start], one.mask()]
            last = one.end
    return "".join([*parts, text[last:]]) if parts else text


def _texts(record: Record) -> Iterable[str]:
    return chain((text for _, text in record.transcript), record.traits_1, record.traits_2, (record.theme,))


def _candidates(text: str, names: Sequence[str]) -> Iterator[Found]:
    """What may overlap, surest first. Most texts have none of the signs that are looked for first."""
    if "." in text or "://" in text:
        yield from _addresses(text)
    if "@" in text:
        yield from _at_signs(text)
    if "." in text:
        yield from _bare_domains(text)
    yield from _phones(text)
    known = _known(names[0], names[1])
    if known and any(part in text.lower() for part in known.parts):
        yield from known.within(text)


def _addresses(text: str) -> Iterator[Found]:
    for address in _ADDRESS.finditer(text):
        yield Found(LINK, address.start(), _end_of_link(text, address.start(), address.end()))


def _end_of_link(text: str, start: int, end: int) -> int:
    """Without the punctuation of the sentence around it."""
    while end > start and (text[end - 1] in _CLOSING or _is_open_before(text, start, end)):
        end -= 1
    return end


def _is_open_before(text: str, start: int, end: int) -> bool:
    return text[end - 1] == ")" and "(" not in text[start:end]


def _at_signs(text: str) -> Iterator[Found]:
    """E-mail addresses and handles. The sign is looked for and then what is around it, which keeps this linear."""
    place = text.find("@")
    while place >= 0:
        start = _back(text, place, "._%+-", _LONGEST_LOCAL)
        domain = _DOMAIN.match(text, place + 1)
        if start < place and domain and domain[0].rpartition(".")[2].isalpha():
            yield Found(EMAIL, start, domain.end())
        elif start == place and (handle := _HANDLE.match(text, place + 1)):
            yield Found(HANDLE, place, handle.end())
        place = text.find("@", place + 1)


def _back(text: str, place: int, marks: str, most: int) -> int:
    """Where the letters, digits and marks before a place begin."""
    start = place
    while start and place - start < most and (text[start - 1].isalnum() or text[start - 1] in marks):
        start -= 1
    while start < place and text[start] in marks:
        start += 1
    return start


def _bare_domains(text: str) -> Iterator[Found]:
    for end in _KNOWN_END.finditer(text):
        start = _back(text, end.start(), ".-", _LONGEST_DOMAIN)
        if any(map(str.isalpha, text[start : end.start()])):
            yield Found(LINK, start, _end_of_link(text, start, end.end()))


def _phones(text: str) -> Iterator[Found]:
    for number in _PHONE.finditer(text):
        if _is_phone(number[0]):
            yield Found(PHONE, number.start(), number.end())


def _is_phone(text: str) -> bool:
    """Whether a run of digits and marks is rather a phone number than a date, an amount or a list of numbers."""
    groups = _GROUP.findall(text)
    digits = sum(map(len, groups))
    if not 7 <= digits <= 15 or _NO_PHONE.fullmatch(text) or all(map(_YEAR.fullmatch, groups)):
        return False
    return text[0] in "+(" or text[0] == "0" or (max(map(len, groups)) >= 3 and len(groups) <= 6)


class _Known:
    """The names of the two people: whole, and each part that is long enough."""

    def __init__(self, sides: dict[str, int]) -> None:
        self._sides = sides
        self.parts = tuple(sides)
        words = "|".join(re.escape(part) for part in sorted(sides, key=len, reverse=True))
        self._pattern = re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)

    def within(self, text: str) -> Iterator[Found]:
        for name in self._pattern.finditer(text):
            yield Found(NAME, name.start(), name.end(), self._sides.get(name[0].lower(), 0))


@lru_cache(maxsize=1000)
def _known(first: str, second: str) -> _Known | None:
    sides: dict[str, int] = {}
    for side, name in enumerate((first, second), 1):
        for part in _parts(name):
            sides[part] = side if sides.get(part, side) == side else 0
    return _Known(sides) if sides else None


def _parts(name: str) -> Iterator[str]:
    """A name and its parts in small letters; a label such as “User 1” names nobody."""
    words = [word for word in re.split(r"[\W\d_]+", name.lower()) if word]
    if all(word in _ROLES for word in words):
        return
    for part in {name.strip().lower(), *words}:
        if sum(map(str.isalpha, part)) >= SHORTEST_NAME and part not in _ROLES:
            yield part
