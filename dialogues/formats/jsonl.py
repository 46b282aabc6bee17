"""The project's own form: one JSON object a line, one dialogue an object (docs/formats.md describes it)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from dialogues.formats.reading import encoding_problem, listed, quoted
from dialogues.formats.records import ORIGINAL, BadRecord, Record, checked

_TEXTS = ("theme", "version", "origin", "parent", "written_by")
_TRAITS = ("traits_1", "traits_2")
_KNOWN = {"id", "messages", "demo", *_TEXTS, *_TRAITS}


class _RefusedError(ValueError):
    """An object that is not a dialogue; the text says why."""


def parse(lines: Iterable[str]) -> Iterator[Record | BadRecord]:
    """One record a line; blank lines are skipped, unknown keys are counted and ignored."""
    for row, line in enumerate(lines, 1):
        if line.strip():
            yield _parsed(row, line)


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
    return json.dumps(fields, ensure_ascii=False, separators=(", ", ": "))


def _parsed(row: int, line: str) -> Record | BadRecord:
    if problem := encoding_problem(line):
        return BadRecord(row, problem)
    try:
        value = _loads(line)
        key = _key(value)
        messages = value.get("messages")
        if not isinstance(messages, list):
            raise _RefusedError("messages must be a list of [speaker, text]")
        return checked(row, key, messages, **_fields(value))
    except _RefusedError as error:
        return BadRecord(row, str(error))


def _loads(line: str) -> Mapping[str, Any]:
    try:
        value = json.loads(line, parse_constant=_no_constant, object_pairs_hook=_unique)
    except _RefusedError:
        raise
    except RecursionError:
        raise _RefusedError("the JSON is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise _RefusedError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except ValueError as error:
        raise _RefusedError(f"not JSON: {str(error)[:200]}") from None
    if not isinstance(value, dict):
        raise _RefusedError("expected one JSON object per line")
    return value


def _no_constant(name: str) -> NoReturn:
    raise _RefusedError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _RefusedError("a key appears twice in one object")
    return found


def _key(value: Mapping[str, Any]) -> str:
    missing = [name for name in ("id", "messages") if name not in value]
    if missing:
        raise _RefusedError(
            f"no {' and no '.join(missing)}: the keys wanted are id and messages, those found {listed(value)}"
        )
    key = value["id"]
    if isinstance(key, bool) or not isinstance(key, (str, int)):
        raise _RefusedError("id must be a text or a whole number")
    return str(key)


def _fields(value: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {name: _text(name, value[name]) for name in _TEXTS if value.get(name) is not None}
    fields |= {name: _texts(name, value[name]) for name in _TRAITS if value.get(name) is not None}
    demo = value.get("demo", False)
    if not isinstance(demo, bool):
        raise _RefusedError("demo must be true or false")
    ignored = [name for name in value if name not in _KNOWN]
    return fields | {"is_demo": demo, "tally": {f"ignored_key {quoted(name)}": 1 for name in ignored}}


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _RefusedError(f"{name} must be a text")
    return value


def _texts(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise _RefusedError(f"{name} must be a list of texts")
    return tuple(value)
