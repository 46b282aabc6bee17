"""The objects that a JSON or Parquet file holds, one after another, in flat memory."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

from dialogues.formats import reading, strict_json
from dialogues.formats.chat_keys import MESSAGES, WRAPPERS, first_item, is_dialogue, is_message
from dialogues.formats.head import LOOKED_AT, Head
from dialogues.formats.json_text import JsonText
from dialogues.formats.parquet_process import parquet_rows
from dialogues.formats.reading import HEAD, FileLines, UnreadableFileError, beginning_of, encoding_problem
from dialogues.formats.records import BadRecord
from dialogues.formats.strict_json import RefusedError

LINES = "JSON objects, one a line"
LIST = "one JSON list"
NAMED = "one JSON object of objects"
WRAPPED = "lists in one JSON object"
SPREAD = "one JSON object over many lines"
PARQUET = "Parquet rows"

_LIST = re.compile(r'\[\s*([\[{"\]]|$)')
# How deep the lists of a wrapper may lie: {"chats": {"list": [...]}}.
_DEPTH = 2
# Pieces of a file in which its layout must show; the longest dialogue that is read ends within them.
_LOOKED_THROUGH = 20


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a file. `row` is its line (JSON lines) or its place from 1; `name` its key in an object of objects.

    Where a list stands in an object's place, it is the `messages` of an object without other keys.
    """

    row: int
    name: str
    value: Mapping[str, Any]


def head_of(file: FileLines) -> Head:
    """What the beginning of the file shows; raises UnreadableFileError as `text_lines` and `objects_of` do."""
    text = beginning_of(file)
    container = _container(text, file)
    if not container:
        return Head(text)
    return Head(text, container, tuple(_first(file, container)))


def objects_of(file: FileLines) -> Iterator[Item | BadRecord]:
    """Every object of the file, or why it is none; a file that is neither JSON nor Parquet is read as JSON lines.

    Raises UnreadableFileError if the file is cut off, stops being JSON or has an object longer than a line may be.
    """
    yield from _read(file, _container(beginning_of(file), file) or LINES)


def objects_of_lines(lines: Iterable[str]) -> Iterator[Item | BadRecord]:
    """One object a line; blank lines are passed over."""
    for row, line in enumerate(lines, 1):
        if line.strip():
            yield _of_line(row, line)


def _read(file: FileLines, container: str) -> Iterator[Item | BadRecord]:
    if container == PARQUET:
        return (Item(row, "", value) for row, value in enumerate(parquet_rows(file.binary()), 1))
    if container == LINES:
        return objects_of_lines(file)
    text = JsonText(file.pieces())
    return {LIST: _of_list, NAMED: _of_named, WRAPPED: _of_wrapper, SPREAD: _of_values}[container](text)


def _of_line(row: int, line: str) -> Item | BadRecord:
    if problem := encoding_problem(line):
        return BadRecord(row, problem)
    try:
        value = strict_json.loads(line)
    except RefusedError as error:
        return BadRecord(row, str(error))
    return Item(row, "", value) if isinstance(value, dict) else BadRecord(row, "expected one JSON object per line")


def _of_list(text: JsonText) -> Iterator[Item | BadRecord]:
    for row in text.elements():
        text.place = row
        yield _item(row, text.value())
    text.end()


def _of_named(text: JsonText) -> Iterator[Item | BadRecord]:
    for row, name in enumerate(text.members(), 1):
        text.place = row
        yield _item(row, text.value(), name)
    text.end()


def _of_wrapper(text: JsonText) -> Iterator[Item | BadRecord]:
    for row, value in enumerate(_inside(text), 1):
        text.place = row + 1
        yield _item(row, value)
    text.end()


def _of_values(text: JsonText) -> Iterator[Item | BadRecord]:
    for row in count(1):
        text.place = row
        if not text.peek():
            return
        yield _item(row, text.value())


def _item(row: int, value: Any, name: str = "") -> Item | BadRecord:
    if isinstance(value, dict):
        return Item(row, name, value)
    if isinstance(value, list):
        return Item(row, name, {"messages": value})
    if isinstance(value, RefusedError):
        return BadRecord(row, str(value), name)
    return BadRecord(row, "expected a JSON object", name)


def _inside(text: JsonText, depth: int = 1) -> Iterator[Any]:
    """The elements of every list that holds dialogues or rows; whatever else the wrapper holds is passed over."""
    for key in text.members():
        if text.peek() == "[":
            yield from _held(text, key)
        elif text.peek() == "{" and depth < _DEPTH:
            yield from _inside(text, depth + 1)
        else:
            text.value()


def _held(text: JsonText, key: str) -> Iterator[Any]:
    holds = False
    for number in text.elements():
        value = text.value()
        if number == 1:
            holds = _is_item(key, value)
        if holds:
            yield value


def _is_item(key: str, value: Any) -> bool:
    return is_dialogue(value) or (key in WRAPPERS and isinstance(value, (dict, list)))


def _container(head: str, file: FileLines) -> str:
    if head.startswith(reading.PARQUET.decode()):
        return PARQUET
    head = head.lstrip(" \t\r\n")
    if _LIST.match(head):
        return LIST
    if not head.startswith("{"):
        return ""
    lines = Head(head).lines()[:2]
    if len(lines) == 2 and lines[1].lstrip().startswith("{"):
        return LINES
    return _layout(file) or (SPREAD if len(lines) == 2 and not _is_whole(lines[0]) else LINES)


def _is_whole(line: str) -> bool:
    with suppress(RefusedError):
        return isinstance(strict_json.loads(line), dict)
    return False


def _layout(file: FileLines) -> str:
    """Whether the one object of a file names its dialogues or wraps lists of them; "" if it is a dialogue itself."""
    for layout, shows in ((NAMED, _names_dialogues), (WRAPPED, _wraps_lists)):
        with suppress(UnreadableFileError):
            if shows(JsonText(islice(file.pieces(), _LOOKED_THROUGH))):
                return layout
    return ""


def _names_dialogues(text: JsonText) -> bool:
    name = next(text.members(), "")
    if name in WRAPPERS.union(MESSAGES) or text.peek() not in ("[", "{"):
        return False
    value = text.value()
    return is_dialogue(value) or is_message(first_item(value))


def _wraps_lists(text: JsonText) -> bool:
    return any(True for _ in _inside(text))


def _first(file: FileLines, container: str) -> Iterator[Mapping[str, Any]]:
    """The first objects, no more of them than the head is long; of an object over many lines, its beginning."""
    if container == SPREAD:
        yield _beginning_of_object(JsonText(file.pieces()))
        return
    left = HEAD
    items = _read(file, container)
    for item, _ in zip(items, range(LOOKED_AT), strict=False):
        if isinstance(item, Item):
            yield item.value
            left -= len(str(item.value)[:left])
        if left <= 0:
            return


def _beginning_of_object(text: JsonText) -> Mapping[str, Any]:
    """Its members as far as the head goes, of each list no more than the first elements."""
    found: dict[str, Any] = {}
    for key in text.members():
        if text.peek() == "[":
            found[key] = part = []
            for number in text.elements():
                value = text.value()
                if number <= LOOKED_AT:
                    part.append(value)
                if text.position() > HEAD:
                    return found
        else:
            found[key] = text.value()
        if text.position() > HEAD:
            return found
    return found
