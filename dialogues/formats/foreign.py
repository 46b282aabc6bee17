"""Forms that we recognise but do not read: one message for the file, not one for each line.

Only the beginning of a file decides (`head`, see `reading.head_of`), so its length does not matter.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.lines import lines_of
from dialogues.formats.reading import first_of, listed, quoted

WANTED = "one JSON object a line with the keys id and messages, a list of [speaker, text]"
OR_CSV = "or CSV with the columns dialogue_id, speaker and text"
# How many objects to look at before deciding that a file holds no dialogue of our own.
LOOKED_AT = 20

_WHATSAPP = re.compile(
    r"\u200e?(?:\[\d{1,4}[./-]\d{1,2}[./-]\d{1,4},? \d{1,2}[:.]\d\d[^\]\n]{0,12}\] "
    r"|\d{1,4}[./-]\d{1,2}[./-]\d{1,4},? \d{1,2}[:.]\d\d[^-\n]{0,8} - )"
)
_PARLAI_FIELDS = {"labels", "eval_labels", "text_candidates", "label_candidates", "episode_done", "reward"}
_LIST = re.compile(r'\[\s*([\[{"\]]|$)')


@dataclass(frozen=True, slots=True)
class _Form:
    """A form of JSON objects: its name, the key of its list of messages (or none), and keys it is known by."""

    name: str
    messages: str
    keys: frozenset[str]

    def fits(self, value: Mapping[str, Any]) -> bool:
        message = _first_item(value.get(self.messages)) if self.messages else value
        return isinstance(message, dict) and self.keys <= message.keys()


_FORMS = (
    _Form("OpenAI chat messages", "messages", frozenset({"role"})),
    _Form("ShareGPT conversations", "conversations", frozenset({"from", "value"})),
    _Form("ConvAI2 dialogues", "dialog", frozenset({"sender", "text"})),
    _Form("ConvoKit utterances", "", frozenset({"conversation_id", "speaker", "text"})),
)


def refusal(head: str) -> str | None:
    """The message for a file that begins so, if we recognise its form but do not read it; else None."""
    head = head.strip()
    if _WHATSAPP.match(head):
        return _sentence("a WhatsApp export", "lines of a date, a name and a text")
    fields = [cell.partition(":")[0] for cell in _first_line(head).split("\t") if ":" in cell]
    if "text" in fields and not _PARLAI_FIELDS.isdisjoint(fields):
        return _sentence("ParlAI's text of named fields", f"the fields {listed(fields)}")
    if _LIST.match(head):
        return _of_list(head)
    return _of_objects(head) if head.startswith("{") else None


def _of_list(head: str) -> str:
    value, _ = _decoded(head, head.find("{")) if re.match(r"\[\s*\{", head) else (None, 0)
    return _of_json("one JSON list", value, "jq -c '.[]'")


def _of_objects(head: str) -> str | None:
    value, end = _decoded(head)
    line = _first_line(head)
    # A truncated line may seem to continue with the next, which begins an object of its own.
    cut_off = value is None and head[len(line) :].lstrip("\r\n").startswith("{")
    if end > len(line) and not cut_off:
        return _of_json("one JSON object over many lines", value or _first_key(head), "jq -c .")
    objects = list(_objects(head))
    if objects and (_name(objects[0]) or not any("messages" in value for value in objects)):
        return _of_json("JSON objects, one a line", objects[0], "")
    return None


def _of_json(what: str, value: Mapping[str, Any] | None, command: str) -> str:
    name = _name(value) if value else ""
    found = f"the keys {_described(value)}" if value else ""
    own = value is not None and isinstance(_first_item(value.get("messages")), list)
    return _sentence(f"{name} in {what}" if name else what, found, command if own else "")


def _sentence(what: str, found: str, command: str = "") -> str:
    """`command` converts the file to our own form if it is almost that."""
    advice = f"as `{command} FILE > NEW.jsonl` does" if command else OR_CSV
    holds = f"This file holds {what}{found and f', with {found}'}."
    return f"{holds} Turn it into {WANTED}, {advice} (docs/formats.md shows how)."


def _decoded(head: str, start: int = 0) -> tuple[Mapping[str, Any] | None, int]:
    """The object that begins at `start`, or None, and the place where it ends or stops being JSON."""
    try:
        value, end = json.JSONDecoder().raw_decode(head, start)
    except json.JSONDecodeError as error:
        return None, error.pos
    except (ValueError, RecursionError):
        return None, 0
    return value, end


def _objects(head: str) -> Iterator[Mapping[str, Any]]:
    for line in lines_of(head)[:LOOKED_AT]:
        if line.lstrip().startswith("{") and (value := _decoded(line.strip())[0]) is not None:
            yield value


def _first_key(head: str) -> Mapping[str, Any] | None:
    """The first key of an object that continues beyond the head."""
    found = re.match(r'\{\s*"([^"\\]{1,60})"\s*:', head)
    return {found[1]: None} if found else None


def _first_line(head: str) -> str:
    return re.match(r"[^\r\n]*", head)[0]  # type: ignore[index]


def _name(value: Mapping[str, Any]) -> str:
    return next((form.name for form in _FORMS if form.fits(value)), "")


def _described(value: Mapping[str, Any]) -> str:
    """Its keys, and for a list of objects the keys of the first: `id, conversations (from, value)`."""
    items = ((quoted(key), _first_item(part)) for key, part in value.items())
    return first_of([f"{key} ({listed(item)})" if isinstance(item, dict) else key for key, item in items])


def _first_item(value: object) -> object:
    return value[0] if isinstance(value, list) and value else None
