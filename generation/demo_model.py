"""An OpenAI-compatible HTTP server that answers by rules: for the demo, for tests and for benchmarks.

Same seed and same requests, same replies, delays and faults; a request that comes again draws its fault anew. What
it writes comes from `generation.demo_rules`, and every reply names itself in `model` and `system_fingerprint`.
"""

import asyncio
import hashlib
import json
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from aiohttp import web

from generation.demo_faults import (
    CONNECTION_FAULTS,
    CONTENT_FAULTS,
    HTTP_FAULTS,
    DemoStage,
    check_faults,
    chosen_fault,
    spoil,
)
from generation.demo_rules import DEMO_FINGERPRINT, DEMO_LABEL, answer, stage_of
from generation.prompts import ChatMessage, estimate_tokens

# Requests remembered to tell a repeated one; the oldest is forgotten first.
REMEMBERED = 50_000
STALL_SECONDS = 600
BODY_LIMIT = 16 * 1024 * 1024
ERROR_CODES = {"rate_limited": "rate_limit_exceeded", "quota": "insufficient_quota"}


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """Seconds before an answer (fixed, and the most that is added), and probabilities of faults by name."""

    seed: int = 0
    latency: float = 0.0
    jitter: float = 0.0
    retry_after: float = 1.0
    faults: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_faults(self.faults)


@dataclass(frozen=True, slots=True)
class Seen:
    times: int = 0
    answered: bool = False


class BadRequestError(ValueError):
    """A body that is no chat completion request."""


class DemoModel:
    """The server's state: settings, which may be replaced while it runs, and counts since it started."""

    def __init__(self, settings: DemoSettings) -> None:
        self.settings = settings
        self.outcomes: Counter[str] = Counter()
        self.stages: Counter[str] = Counter()
        self.answered_again = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self._seen: OrderedDict[bytes, Seen] = OrderedDict()

    def stats(self) -> dict[str, Any]:
        """Counts: requests, outcomes and stages by name, complete answers given twice to one request, in flight."""
        return {
            "requests": self.outcomes.total(),
            "outcomes": dict(self.outcomes),
            "stages": dict(self.stages),
            "answered_again": self.answered_again,
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
        }

    def draw(self, digest: bytes) -> Random:
        """Chance for this request, this time."""
        seen = self._seen.pop(digest, Seen())
        self._seen[digest] = Seen(seen.times + 1, seen.answered)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return Random(f"{self.settings.seed}/{digest.hex()}/{seen.times}")  # noqa: S311

    def count(self, stage: DemoStage, outcome: str, digest: bytes) -> None:
        self.stages[stage] += 1
        self.outcomes[outcome] += 1
        if outcome in HTTP_FAULTS or outcome in CONNECTION_FAULTS:
            return
        seen = self._seen.get(digest, Seen())
        self.answered_again += seen.answered
        self._seen[digest] = Seen(seen.times, True)


MODEL = web.AppKey("model", DemoModel)


def create_app(settings: DemoSettings) -> web.Application:
    """The server; its state is `app[MODEL]`."""
    app = web.Application(client_max_size=BODY_LIMIT)
    app[MODEL] = DemoModel(settings)
    app.router.add_post("/v1/chat/completions", _chat_completions)
    app.router.add_get("/v1/models", _models)
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/stats", _stats)
    return app


async def serve(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Listen on an address; port 0 takes a free one. Returns the runner to clean up, and the port.

    Raises OSError where the address cannot be had.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner, int(runner.addresses[0][1])


async def _healthz(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok", "label": DEMO_LABEL})


async def _stats(request: web.Request) -> web.Response:
    return web.json_response(request.app[MODEL].stats())


async def _models(request: web.Request) -> web.Response:
    model = {"id": DEMO_FINGERPRINT, "object": "model", "created": 0, "owned_by": DEMO_LABEL}
    return web.json_response({"object": "list", "data": [model]})


async def _chat_completions(request: web.Request) -> web.StreamResponse:
    model = request.app[MODEL]
    raw = await request.read()
    try:
        body = _read_body(raw)
    except BadRequestError as error:
        return _error(400, "invalid_request", str(error))
    model.in_flight += 1
    model.most_in_flight = max(model.most_in_flight, model.in_flight)
    try:
        return await _answered(request, model, body, hashlib.sha256(raw).digest()[:16])
    finally:
        model.in_flight -= 1


async def _answered(request: web.Request, model: DemoModel, body: dict[str, Any], digest: bytes) -> web.StreamResponse:
    settings = model.settings
    stage = stage_of(body["messages"])
    rng = model.draw(digest)
    fault = chosen_fault(settings.faults, stage, rng)
    await asyncio.sleep(settings.latency + settings.jitter * rng.random())
    if fault in HTTP_FAULTS:
        model.count(stage, fault, digest)
        return _fault_response(fault, settings)
    if fault in CONNECTION_FAULT_ACTIONS:
        model.count(stage, fault, digest)
        return await CONNECTION_FAULT_ACTIONS[fault](request)
    completion = _completion(body, _seeded_answer(body, settings.seed, digest), fault, digest)
    model.count(stage, _outcome_name(completion, fault), digest)
    if body.get("stream"):
        options = body.get("stream_options")
        return await _streamed(request, completion, isinstance(options, dict) and bool(options.get("include_usage")))
    return web.json_response(completion)


def _read_body(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadRequestError("the body is not JSON") from error
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list) or not messages or not all(isinstance(item, dict) for item in messages):
        raise BadRequestError("messages must be a non-empty list of objects with role and content")
    body["messages"] = [_message(item) for item in messages]
    return dict(body)


def _message(item: dict[str, Any]) -> ChatMessage:
    """Content may be a text or a list of parts, of which the texts count."""
    content = item.get("content")
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return {"role": item.get("role", "user"), "content": content if isinstance(content, str) else ""}


def _seeded_answer(body: dict[str, Any], seed: int, digest: bytes) -> str:
    return answer(body["messages"], Random(f"{seed}/{digest.hex()}"))  # noqa: S311


def _completion(body: dict[str, Any], text: str, fault: str | None, digest: bytes) -> dict[str, Any]:
    """The reply object, with the fault in it."""
    if fault in CONTENT_FAULTS:
        text = spoil(text, fault)
    text, finish_reason = _shaped(text, fault, body.get("max_completion_tokens") or body.get("max_tokens"))
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish_reason}
    prompt_tokens, completion_tokens = estimate_tokens(body["messages"]), _tokens(text)
    return {
        "id": f"chatcmpl-{digest.hex()}",
        "object": "chat.completion",
        "created": 0,
        "model": DEMO_FINGERPRINT,
        "system_fingerprint": DEMO_FINGERPRINT,
        "choices": [] if fault == "empty" else [choice],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }


def _shaped(text: str, fault: str | None, max_tokens: object) -> tuple[str, str]:
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


def _outcome_name(completion: dict[str, Any], fault: str | None) -> str:
    cut = any(choice["finish_reason"] == "length" for choice in completion["choices"])
    return fault or ("truncated" if cut else "ok")


def _fault_response(fault: str, settings: DemoSettings) -> web.Response:
    response = _error(HTTP_FAULTS[fault], ERROR_CODES.get(fault, fault), f"The demo model was told to fail: {fault}.")
    if fault in {"rate_limited", "unavailable"}:
        response.headers["Retry-After"] = f"{settings.retry_after:g}"
    return response


def _error(status: int, code: str, message: str) -> web.Response:
    kind = code if status == 429 else "server_error" if status >= 500 else "invalid_request_error"
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return web.json_response(body, status=status)


async def _cut(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer: the client cannot know whether it was served."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _stall(request: web.Request) -> web.StreamResponse:
    """Hold the connection open until the client gives up."""
    await asyncio.sleep(STALL_SECONDS)
    return web.Response(status=504)


CONNECTION_FAULT_ACTIONS: Mapping[str | None, Callable[[web.Request], Awaitable[web.StreamResponse]]] = {
    "cut": _cut,
    "stall": _stall,
}


async def _streamed(request: web.Request, completion: dict[str, Any], usage_wanted: bool) -> web.StreamResponse:
    """The same reply as server-sent chunks of a few words, ended by `[DONE]`."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    head = {key: completion[key] for key in ("id", "created", "model", "system_fingerprint")}
    head["object"] = "chat.completion.chunk"
    for choice in completion["choices"]:
        deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}]
        deltas += [{"content": piece} for piece in _pieces(choice["message"]["content"])]
        for delta in deltas:
            await _event(response, {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        last = {"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}
        await _event(response, {**head, "choices": [last]})
    if usage_wanted:
        await _event(response, {**head, "choices": [], "usage": completion["usage"]})
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


def _pieces(text: str, size: int = 24) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


async def _event(response: web.StreamResponse, payload: dict[str, Any]) -> None:
    await response.write(b"data: " + json.dumps(payload).encode() + b"\n\n")
