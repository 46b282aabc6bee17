"""The columns or keys of a file, with some of their values, for a person to say what each of them holds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from dialogues.formats import csv_plain, json_rows
from dialogues.formats.chat_keys import at
from dialogues.formats.columns import NESTED, REQUIRED, guess_columns
from dialogues.formats.containers import head_of
from dialogues.formats.described import nothing_in
from dialogues.formats.head import Head
from dialogues.formats.reading import FileLines, UnreadableFileError
from dialogues.transcript import text_problem

# What a page shows of a file, which may have thousands of keys: further columns can be named on the command line.
MOST_COLUMNS, LONGEST_NAME = 50, 80
MOST_LISTS, MOST_IN_LIST = 5, 25
SAMPLES, SAMPLE_LETTERS = 3, 60


@dataclass(frozen=True, slots=True)
class Column:
    """A column of rows or a key of objects, and its first values that differ, cut to a length for a page."""

    name: str
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ColumnChoices:
    """What a person can choose from.

    `lists` are the lists of objects that may be a dialogue's messages, by their key, with the keys of these objects.
    `guess` says what the columns probably are, as `Choices.columns` does; it may be partial.
    """

    columns: tuple[Column, ...]
    lists: Mapping[str, tuple[Column, ...]] = field(default_factory=dict)
    guess: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_guess_whole(self) -> bool:
        return set(REQUIRED) - ({"dialogue_id"} if NESTED in self.guess else set()) <= self.guess.keys()


def column_choices(file: FileLines) -> ColumnChoices | None:
    """What the first rows or objects of a file offer; None for a file that has no such thing."""
    try:
        head = head_of(file)
    except UnreadableFileError:
        return None
    if head.container:
        return _of_objects(head) if head.objects and not nothing_in(head) else None
    if not head.text.strip() or not csv_plain.looks_like_csv(head.lines()):
        return None
    names, rows = csv_plain.first_rows(head)
    guess = guess_columns(names, rows)
    return ColumnChoices(_columns(names, rows, guess), guess=guess)


def _of_objects(head: Head) -> ColumnChoices:
    names, rows = json_rows.first_rows(head)
    found = ((name, list(_items(head.objects, name))) for name in names if _can_be_shown(name))
    lists = dict(islice(((name, items) for name, items in found if items), MOST_LISTS))
    flat = [name for name in names if name not in lists]
    flat_rows = [[value for name, value in zip(names, row, strict=True) if name not in lists] for row in rows]
    tables = {name: json_rows.first_rows(Head("", head.container, tuple(items))) for name, items in lists.items()}
    guess = _guess(flat, flat_rows, tables)
    shown = {name: _columns(*table, guess, MOST_IN_LIST) for name, table in tables.items()}
    return ColumnChoices(_columns(flat, flat_rows, guess), shown, guess)


def _guess(
    names: Sequence[str], rows: Sequence[Sequence[object]], tables: Mapping[str, tuple[list[str], list[list[object]]]]
) -> dict[str, str]:
    """Messages in a list, if its objects have a speaker and a text; else messages that are objects themselves."""
    whole = guess_columns(names, rows)
    for name, table in tables.items():
        inner = guess_columns(*table)
        if {"speaker", "text"} <= inner.keys():
            outer = {
                key: called for key, called in whole.items() if key in ("dialogue_id", "theme", "traits_1", "traits_2")
            }
            return outer | {NESTED: name} | {key: inner[key] for key in ("speaker", "text", "time") if key in inner}
    return whole


def _items(objects: Sequence[Mapping[str, Any]], name: str) -> Iterator[Mapping[str, Any]]:
    """The first objects in the lists that stand at a key."""
    for value in objects:
        found = at(value, name)
        if isinstance(found, list):
            yield from (item for item in found[:SAMPLES] if isinstance(item, dict))


def _columns(
    names: Sequence[str], rows: Sequence[Sequence[object]], guess: Mapping[str, str], most: int = MOST_COLUMNS
) -> tuple[Column, ...]:
    """The first columns, and those that a guess names wherever they stand."""
    known = list(dict.fromkeys(filter(_can_be_shown, names)))
    kept = [name for place, name in enumerate(known) if place < most or name in guess.values()]
    return tuple(Column(name, _samples(row[names.index(name)] for row in rows)) for name in kept)


def _can_be_shown(name: str) -> bool:
    return bool(name.strip()) and len(name) <= LONGEST_NAME and not text_problem(name)


def _samples(values: Iterable[object]) -> tuple[str, ...]:
    shown = dict.fromkeys(_cut(str(value).strip()) for value in values if value is not None)
    return tuple(text for text in shown if text)[:SAMPLES]


def _cut(text: str) -> str:
    """Short enough for a page, and without the halves of letters that no page can hold."""
    shown = text if len(text) <= SAMPLE_LETTERS else f"{text[:SAMPLE_LETTERS].rstrip()} …"
    return shown.encode(errors="replace").decode().replace("\0", "\ufffd")
