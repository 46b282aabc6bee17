"""The project's own form: a dialogue is one JSON object, usually one a line (docs/formats.md describes it)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dialogues.formats.chat_keys import first_item
from dialogues.formats.containers import LINES, Item, objects_of, objects_of_lines
from dialogues.formats.head import Head
from dialogues.formats.reading import FileLines, listed, quoted
from dialogues.formats.records import AS_IT_COMES, ORIGINAL, BadRecord, Choices, Record, checked
from dialogues.formats.strict_json import RefusedError

_TEXTS = ("theme", "version", "origin", "parent", "written_by")
_TRAITS = ("traits_1", "traits_2")
_KNOWN = {"id", "messages", "times", "demo", *_TEXTS, *_TRAITS}


def fits(head: Head) -> str:
    """JSON lines of which none can be read are ours, too: then each says what is wrong with it.

    Where `messages` is empty an object may be any form's, so the others decide.
    """
    filled = [found for found in head.objects if found.get("messages")]
    own = any(_is_ours(found, head.container) for found in filled or head.objects)
    return head.container if own or (head.container == LINES and not head.objects) else ""


def parse(lines: Iterable[str], choices: Choices = AS_IT_COMES) -> Iterator[Record | BadRecord]:
    """One record an object; unknown keys are counted and ignored. Lines that come without a file are JSON lines."""
    for item in objects_of(lines) if isinstance(lines, FileLines) else objects_of_lines(lines):
        yield _parsed(item) if isinstance(item, Item) else item


def dump(record: Record) -> str:
    """The line that `parse` reads back as an equal record; fields at their default are left out."""
    fields: dict[str, Any] = {"id": record.key}
    if record.version != ORIGINAL:
        fields["version"] = record.version
    fields |= {name: value for name in ("origin", "parent", "written_by") if (value := getattr(record, name))}
    if record.is_demo:
        fields["demo"] = True
    if record.theme:
        fields["theme"] = record.theme
    fields |= {name: list(value) for name in _TRAITS if (value := getattr(record, name))}
    fields["messages"] = record.transcript.to_json()
    if record.times:
        fields["times"] = list(record.times)
    return json.dumps(fields, ensure_ascii=False, separators=(", ", ": "))


def _is_ours(value: Mapping[str, Any], container: str) -> bool:
    """Messages that are objects or texts are another form's; lists without ids may be, outside JSON lines."""
    if "messages" not in value or isinstance(first_item(value["messages"]), (dict, str)):
        return False
    return "id" in value or container == LINES


def _parsed(item: Item) -> Record | BadRecord:
    try:
        key = _key(item.value)
        messages = item.value["messages"]
        if not isinstance(messages, list):
            raise RefusedError("messages must be a list of [speaker, text]")
        return checked(item.row, key, messages, **_fields(item.value))
    except RefusedError as error:
        return BadRecord(item.row, str(error))


def _key(value: Mapping[str, Any]) -> str:
    missing = [name for name in ("id", "messages") if name not in value]
    if missing:
        raise RefusedError(
            f"no {' and no '.join(missing)}: the keys wanted are id and messages, those found {listed(value)}"
        )
    key = value["id"]
    if isinstance(key, bool) or not isinstance(key, (str, int)):
        raise RefusedError("id must be a text or a whole number")
    return str(key)


def _fields(value: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {name: _text(name, value[name]) for name in _TEXTS if value.get(name) is not None}
    fields |= {name: _texts(name, value[name]) for name in _TRAITS if value.get(name) is not None}
    if value.get("times") is not None:
        fields["times"] = _times(value["times"])
    demo = value.get("demo", False)
    if not isinstance(demo, bool):
        raise RefusedError("demo must be true or false")
    ignored = [name for name in value if name not in _KNOWN]
    return fields | {"is_demo": demo, "tally": {f"ignored_key {quoted(name)}": 1 for name in ignored}}


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise RefusedError(f"{name} must be a text")
    return value


def _texts(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise RefusedError(f"{name} must be a list of texts")
    return tuple(value)


def _times(value: object) -> tuple[str | None, ...]:
    if not isinstance(value, list) or not all(item is None or isinstance(item, str) for item in value):
        raise RefusedError("times must be a list with a text or null for each message")
    return tuple(value)
