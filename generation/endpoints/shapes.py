"""Find the text in an endpoint's answer, whatever shape it came in. Pure.

A text may be one string, a list of parts (some of them thoughts), the `text` of an older kind of completion, or the
arguments of a tool call; the whole answer may come as a stream although none was asked for.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from core.lines import BYTE_ORDER_MARK

# How a stream of events begins: with a field's name or a comment.
_EVENT_BEGINNINGS = ("data:", "event:", "id:", "retry:", ":")
_TEXT_PARTS = ("text", "output_text", None)
# What a chunk says about the whole answer; the last to say it counts.
_HEAD = ("id", "model", "system_fingerprint", "usage", "error")


def document_of(body: str) -> dict[str, Any] | None:
    """The object that a body holds, with a stream's chunks put together, or None."""
    document = decoded(body.lstrip(BYTE_ORDER_MARK))
    if document is not None:
        return document if isinstance(document, dict) else None
    return _assembled(body)


def decoded(text: str) -> Any:
    """The JSON value, or None if the text is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def first_choice(document: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = document.get("choices")
    return mapping(choices[0]) if isinstance(choices, list) and choices else {}


def words_of(choice: Mapping[str, Any]) -> str:
    """A choice's text, then the arguments of its tool calls, each on its own line."""
    message = choice.get("message")
    if not isinstance(message, dict):
        return _joined(choice.get("text"), "text")
    parts = (_joined(message.get("content"), "text"), *_arguments(message))
    return "\n".join(part for part in parts if part)


def refusal_of(choice: Mapping[str, Any]) -> str:
    """The words with which a model declines, if its answer has a field for them."""
    message = mapping(choice.get("message"))
    refusal = message.get("refusal")
    return refusal if isinstance(refusal, str) and refusal else _joined(message.get("content"), "refusal")


def _joined(content: object, kind: str) -> str:
    """The texts of one kind in a content; a plain string is a text."""
    if isinstance(content, str):
        return content if kind == "text" else ""
    parts = content if isinstance(content, list) else [content]
    return "".join(_part(part, kind) for part in parts)


def _part(part: object, kind: str) -> str:
    if isinstance(part, str):
        return part if kind == "text" else ""
    part = mapping(part)
    known = _TEXT_PARTS if kind == "text" else (kind,)
    text = part.get(kind)
    # A part marked as a thought does not belong to the answer.
    return text if part.get("type") in known and isinstance(text, str) and part.get("thought") is not True else ""


def _arguments(message: Mapping[str, Any]) -> Iterator[str]:
    calls = message.get("tool_calls")
    functions = [mapping(call).get("function") for call in calls] if isinstance(calls, list) else []
    for function in (*functions, message.get("function_call")):
        given = mapping(function).get("arguments")
        yield (
            json.dumps(given, ensure_ascii=False)
            if isinstance(given, dict)
            else given
            if isinstance(given, str)
            else ""
        )


def _assembled(body: str) -> dict[str, Any] | None:
    """A stream's chunks put together as one completion; None if the body is no stream."""
    if not body.lstrip(f"{BYTE_ORDER_MARK} \r\n").startswith(_EVENT_BEGINNINGS):
        return None
    stream = _Stream()
    for chunk in _chunks(body):
        stream.take(chunk)
    return stream.document


def delta_of(choice: Mapping[str, Any]) -> str:
    """The text that one chunk of a stream adds."""
    return _joined(mapping(choice.get("delta")).get("content"), "text") or _joined(choice.get("text"), "text")


def text_in_line(line: str) -> str:
    """The text that one line of a stream adds; "" for a line that adds none."""
    if not line.startswith("data:"):
        return ""
    return delta_of(first_choice(mapping(decoded(line.removeprefix("data:").strip()))))


def _chunks(body: str) -> Iterator[dict[str, Any]]:
    # Not splitlines: JSON may hold other line separators in its texts.
    for event in body.replace("\r\n", "\n").replace("\r", "\n").split("\n\n"):
        lines = [line.removeprefix("data:").strip() for line in event.split("\n") if line.startswith("data:")]
        whole = decoded("\n".join(lines))
        # Some servers leave out the empty line between two events.
        values = [whole] if whole is not None else [decoded(line) for line in lines]
        yield from (value for value in values if isinstance(value, dict))


class _Stream:
    """What the chunks of a stream have said so far."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._choice: dict[str, Any] = {}
        self._whole: Mapping[str, Any] | None = None  # a chunk that is a completion by itself
        self._texts: list[str] = []
        self._refusals: list[str] = []
        self._calls: dict[Any, list[str]] = {}

    def take(self, chunk: Mapping[str, Any]) -> None:
        self._head |= {name: chunk[name] for name in _HEAD if chunk.get(name)}
        if chunk.get("object") == "error":
            self._head["error"] = chunk
        choice = first_choice(chunk)
        if not choice:
            return
        if isinstance(choice.get("message"), dict):
            self._whole = choice
        self._choice |= {name: choice[name] for name in ("finish_reason", "error") if choice.get(name)}
        delta = mapping(choice.get("delta"))
        self._texts.append(delta_of(choice))
        self._refusals.append(refusal_of({"message": delta}))
        self._take_calls(delta)

    def _take_calls(self, delta: Mapping[str, Any]) -> None:
        calls = delta.get("tool_calls")
        for call in map(mapping, calls if isinstance(calls, list) else []):
            given = mapping(call.get("function")).get("arguments")
            index = call.get("index")
            place = index if isinstance(index, int) else 0
            self._calls.setdefault(place, []).append(given if isinstance(given, str) else "")

    @property
    def document(self) -> dict[str, Any] | None:
        if not (self._head or self._choice or self._whole or any(self._texts)):
            return None
        calls = [{"function": {"arguments": "".join(parts)}} for parts in self._calls.values()]
        said = {"content": "".join(self._texts), "refusal": "".join(self._refusals), "tool_calls": calls}
        choice = self._whole or {**self._choice, "message": said}
        return {**self._head, "choices": [choice]}
