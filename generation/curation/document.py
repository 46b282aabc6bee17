"""An example set as a JSON document, for export and import (docs/formats.md)."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.json_documents import DocumentError, read_object
from dialogues.transcript import text_problem
from generation.curation.content import FIELDS, MOST_EXAMPLES, Content, ContentError

FORMAT = "stephanie-example-set"
FORMAT_VERSION = 1
KINDS = ("single_step", "step_by_step", "further_split")
NAME_LENGTH = 120
# Deeper than any recorded operation, and far from what exhausts a stack.
DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Named:
    """A dialogue by the names it has in every installation: its corpus, its key there, its version."""

    corpus: str
    key: str
    version: str

    def to_json(self) -> dict[str, str]:
        return {"corpus": self.corpus, "key": self.key, "version": self.version}


@dataclass(frozen=True, slots=True)
class Entry:
    """One example and where it came from."""

    content: Content
    source: str
    dialogue: Named | None = None
    dialogue_after: Named | None = None
    operations: tuple[Any, ...] = ()

    def to_json(self) -> dict[str, Any]:
        named = {"dialogue": self.dialogue, "dialogue_after": self.dialogue_after}
        return {
            **{name: value for name, value in self.content.as_fields().items() if value is not None},
            "source": self.source,
            **{name: found.to_json() for name, found in named.items() if found},
            **({"operations": list(self.operations)} if self.operations else {}),
        }


@dataclass(frozen=True, slots=True)
class Document:
    name: str
    kind: str
    note: str
    entries: tuple[Entry, ...]

    def to_json(self, *, version: int, frozen: bool) -> dict[str, Any]:
        """`version` and `frozen` tell a reader which one this was; an import makes its own."""
        head = {"format": FORMAT, "format_version": FORMAT_VERSION, "name": self.name, "kind": self.kind}
        entries = [entry.to_json() for entry in self.entries]
        return {**head, "version": version, "frozen": frozen, "note": self.note, "examples": entries}


def read(data: bytes) -> Document:
    """Raises DocumentError with a numbered reason for everything that is wrong."""
    document = read_object(data, "The file must hold one JSON object with name, kind and examples.")
    problems = list(_head_problems(document))
    if problems:
        raise DocumentError(problems)
    entries = []
    for number, example in enumerate(document["examples"], 1):
        try:
            entries.append(_entry(document["kind"], example))
        except ContentError as error:
            problems.append(f"Example {number}: {error}.")
    if not problems:
        problems = list(_twins(entries))
    if problems:
        raise DocumentError(problems)
    return Document(document["name"].strip(), document["kind"], document.get("note", ""), tuple(entries))


def _head_problems(document: Mapping[str, Any]) -> Iterator[str]:
    if document.get("format", FORMAT) != FORMAT:
        yield f"This is not an example set: its format must be “{FORMAT}”."
    if document.get("format_version", FORMAT_VERSION) != FORMAT_VERSION:
        yield f"This project reads format_version {FORMAT_VERSION}. The file was written by a newer one."
    name, note, examples = document.get("name"), document.get("note", ""), document.get("examples")
    if not isinstance(name, str) or not name.strip() or len(name.strip()) > NAME_LENGTH or text_problem(name):
        yield f"name must be a text of 1 to {NAME_LENGTH} characters."
    if document.get("kind") not in KINDS:
        yield f"kind must be one of {', '.join(KINDS)}."
    if not isinstance(note, str) or text_problem(note):
        yield "note must be a text without broken characters."
    if not isinstance(examples, list):
        yield "examples must be a list."
    elif len(examples) > MOST_EXAMPLES:
        yield f"The file has {len(examples):,} examples; a set has at most {MOST_EXAMPLES}."


def _entry(kind: str, example: object) -> Entry:
    if not isinstance(example, dict):
        raise ContentError("it must be an object")
    if "messages" not in example:
        raise ContentError("messages are missing")
    known = {name: example[name] for name in FIELDS if name in example}
    source = example.get("source", "file")
    if not isinstance(source, str):
        raise ContentError("source must be text")
    operations = example.get("operations", [])
    if not isinstance(operations, list) or (reason := _unstorable(operations)):
        raise ContentError(f"operations: {reason if isinstance(operations, list) else 'must be a list'}")
    named = {name: _named(example.get(name), name) for name in ("dialogue", "dialogue_after")}
    return Entry(Content.of(kind, **known), source, **named, operations=tuple(operations))


def _named(found: object, about: str) -> Named | None:
    if found is None:
        return None
    names = [found.get(name) for name in ("corpus", "key", "version")] if isinstance(found, dict) else []
    if not names or not all(isinstance(name, str) and not text_problem(name) for name in names):
        raise ContentError(f"{about} must name corpus, key and version as texts", about)
    return Named(*map(str, names))


def _unstorable(value: object, depth: int = 0) -> str | None:
    """Why a database would refuse this JSON value, or None."""
    if depth > DEEPEST:
        return "nested too deeply"
    if isinstance(value, str):
        return text_problem(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "a number is too large"
    parts: Iterable[object] = ()
    if isinstance(value, dict):
        parts = [*value.keys(), *value.values()]
    elif isinstance(value, list):
        parts = value
    return next(filter(None, (_unstorable(part, depth + 1) for part in parts)), None)


def _twins(entries: list[Entry]) -> Iterator[str]:
    seen: dict[object, int] = {}
    for number, entry in enumerate(entries, 1):
        text = (entry.content.messages, entry.content.messages_after)
        names = entry.dialogue and (entry.dialogue.corpus, entry.dialogue.key)
        for key, what in ((text, "the same text"), (names, "the same dialogue")):
            if key and seen.setdefault(key, number) != number:
                yield f"Example {number}: {what} as example {seen[key]}."
                break
