"""JSON or Parquet with a message an object: the keys dialogue_id, speaker and text, or those that a person names.

A name with dots, such as `meta.topic`, leads into objects within. The keys order, time, theme, traits_1 and traits_2
are read if there are any; others are ignored. `message_rows` says how rows become dialogues.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from dialogues.formats.branches import reply_of
from dialogues.formats.chat_keys import at
from dialogues.formats.columns import OPTIONAL, REQUIRED
from dialogues.formats.containers import Item, objects_of
from dialogues.formats.head import Head
from dialogues.formats.message_rows import Beside, Row, parsed
from dialogues.formats.reading import FileLines, listed
from dialogues.formats.records import AS_IT_COMES, BadRecord, Choices, Record, RecordError

# How deep the keys of an object are offered.
_DEPTH = 3


def fits(head: Head) -> str:
    if not head.objects or not all(name in head.objects[0] for name in REQUIRED):
        return ""
    return f"{head.container} with the keys {', '.join(REQUIRED)}"


def first_rows(head: Head) -> tuple[list[str], list[list[object]]]:
    """The keys of the first objects, with dots, and their values, for a person to say which key is which."""
    flat = [dict(_flat(value)) for value in head.objects]
    names = list(dict.fromkeys(chain.from_iterable(flat)))
    return names, [[value.get(name) for name in names] for value in flat]


def parse(file: FileLines, choices: Choices = AS_IT_COMES) -> Iterator[Record | BadRecord]:
    """One record for each dialogue_id; the file is read twice, as only its end shows how many speakers it has."""
    return parsed(lambda: _rows(file, choices.columns), choices)


def _rows(file: FileLines, columns: Mapping[str, str]) -> Iterator[Row | BadRecord]:
    named = [columns.get(name, name) for name in (*REQUIRED, *OPTIONAL)]
    taken = frozenset(named)
    for item in objects_of(file):
        yield _row(item, named, taken) if isinstance(item, Item) else item


def _row(item: Item, named: list[str], taken: frozenset[str]) -> Row | BadRecord:
    key, *values = (at(item.value, name) for name in named)
    if key is None:
        return BadRecord(item.row, f"no {named[0]}; the keys found are {listed(item.value)}")
    try:
        plain = list(map(_cell, named[:-2], (key, *values)))
        traits_1, traits_2 = map(_traits, named[-2:], values[-2:])
    except RecordError as error:
        return BadRecord(item.row, str(error))
    beside = Beside(plain[3], plain[4], plain[5], traits_1, traits_2, *reply_of(item.value, taken))
    return Row(item.row, plain[0], plain[1], plain[2], beside if any(beside) else None)


def _cell(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RecordError(f"{name} must be a text or a number, not {type(value).__name__}")
    return str(value).strip()


def _traits(name: str, value: object) -> tuple[str, ...]:
    traits = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(traits, list) or not all(isinstance(trait, str) for trait in traits):
        raise RecordError(f"{name} must be a list of texts")
    return tuple(filter(None, map(str.strip, traits)))


def _flat(value: Mapping[str, Any], path: str = "", depth: int = _DEPTH) -> Iterator[tuple[str, object]]:
    for key, part in value.items():
        name = f"{path}{key}"
        if isinstance(part, dict) and depth > 1:
            yield from _flat(part, f"{name}.", depth - 1)
        elif not isinstance(part, dict):
            yield name, part
