"""What the demo model sends over HTTP: completion objects, their streamed chunks, errors. Pure."""

import json
from collections.abc import Container, Iterator, Mapping
from random import Random
from typing import Any

from demo.model.faults import CONTENT_FAULTS, spoil
from demo.model.rules import answer, stage_of
from dialogues.display import DEMO_MODEL
from generation.endpoints.structured import TRIED, Form, schema_in
from generation.prompts import ChatMessage, estimate_tokens
from generation.training import delimiter

_PLAIN: Mapping[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False, "null": None, "array": []}
# Asked for by this name it chats as a model that was never trained on steps: in one piece.
UNTUNED = "demo-untuned"
CHUNK_CHARACTERS = 24
TOKEN_CHARACTERS = 4  # of a chunk with one token


class BadRequestError(ValueError):
    """A body that is no chat completion request."""


def read_body(raw: bytes) -> dict[str, Any]:
    """A request's body with `messages` as plain role/content pairs; BadRequestError says what is wrong."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadRequestError("the body is not JSON") from error
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list) or not messages or not all(isinstance(item, dict) for item in messages):
        raise BadRequestError("messages must be a non-empty list of objects with role and content")
    return {**body, "messages": [_message(item) for item in messages]}


def completion(
    body: dict[str, Any], identity: str, rng: Random, fault: str = "", *, spellings: Container[Form] = TRIED
) -> dict[str, Any]:
    """The reply object to a request that was read, with the named fault in it.

    A stage's rule writes what its schema asks for; anything else that carries a schema gets the plainest value of it.
    """
    form, schema = schema_in(body) or (Form.NONE, {})
    plain = form in spellings and stage_of(body["messages"]) == "chat"
    text = plainest(schema) if plain else answer(body["messages"], rng)
    if body.get("model") == UNTUNED:
        text = text.replace(delimiter.DEFAULT, " ")
    if fault in CONTENT_FAULTS:
        text = spoil(text, fault)
    text, finish_reason = _shaped(text, fault, body.get("max_completion_tokens") or body.get("max_tokens"))
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish_reason}
    prompt_tokens, completion_tokens = estimate_tokens(body["messages"]), _tokens(text)
    return {
        "id": f"chatcmpl-{identity}",
        "object": "chat.completion",
        "created": 0,
        "model": DEMO_MODEL,
        "system_fingerprint": DEMO_MODEL,
        "choices": [] if fault == "empty" else [choice],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }


def outcome_of(reply: dict[str, Any], fault: str) -> str:
    """The name under which a reply is counted."""
    cut = any(choice["finish_reason"] == "length" for choice in reply["choices"])
    return fault or ("truncated" if cut else "ok")


def chunks(reply: dict[str, Any], *, with_usage: bool, characters: int = CHUNK_CHARACTERS) -> Iterator[dict[str, Any]]:
    """The same reply as the chunks of a stream: role, a few characters each, finish reason, usage if asked for."""
    head = {key: reply[key] for key in ("id", "created", "model", "system_fingerprint")}
    head["object"] = "chat.completion.chunk"
    for choice in reply["choices"]:
        text = choice["message"]["content"]
        deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}]
        deltas += [{"content": text[at : at + characters]} for at in range(0, len(text), characters)]
        for delta in deltas:
            yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    if with_usage:
        yield {**head, "choices": [], "usage": reply["usage"]}


def wants_usage(body: dict[str, Any]) -> bool:
    options = body.get("stream_options")
    return isinstance(options, dict) and bool(options.get("include_usage"))


def error_body(status: int, code: str, message: str) -> dict[str, Any]:
    """An error as OpenAI-compatible servers word it."""
    kind = code if status == 429 else "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _message(item: dict[str, Any]) -> ChatMessage:
    """Content may be a text or a list of parts, of which the texts count."""
    content = item.get("content")
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return {"role": item.get("role", "user"), "content": content if isinstance(content, str) else ""}


def _shaped(text: str, fault: str, max_tokens: object) -> tuple[str, str]:
    """The text as the fault or the token limit leaves it, and the finish reason that goes with it."""
    if fault == "filtered":
        return "", "content_filter"
    if fault == "blank":
        return "", "stop"
    if fault == "truncated":
        return text[: len(text) * 2 // 3], "length"
    if isinstance(max_tokens, int) and _tokens(text) > max_tokens:
        return text[: len(text) * max_tokens // _tokens(text)], "length"
    return text, "stop"


def _tokens(text: str) -> int:
    return estimate_tokens([{"role": "assistant", "content": text}]) if text else 0


def plainest(schema: Mapping[str, Any]) -> str:
    """The plainest JSON text that a schema allows: honours `const`, `enum`, `required` and `type`, but not bounds."""
    return json.dumps(_plainest(schema), ensure_ascii=False)


def _plainest(schema: Mapping[str, Any]) -> Any:
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: _plainest(properties.get(name, {"type": "string"})) for name in schema.get("required", [])}
    return _PLAIN.get(kind) if isinstance(kind, str) else None
