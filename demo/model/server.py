"""An OpenAI-compatible HTTP server that answers by rules: for the demo, for tests and for benchmarks.

Same seed and same requests, same replies, delays and faults; a request that comes again draws its fault anew. What
it writes comes from `demo.model.rules`, and every reply names itself in `model` and `system_fingerprint`.
"""

import asyncio
import contextlib
import hashlib
import json
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from aiohttp import web

from demo.model.batches import DemoBatches
from demo.model.completions import (
    CHUNK_CHARACTERS,
    TOKEN_CHARACTERS,
    BadRequestError,
    chunks,
    completion,
    error_body,
    outcome_of,
    read_body,
    wants_usage,
)
from demo.model.faults import CONNECTION_FAULTS, HTTP_FAULTS, BatchSettings, DemoSettings, DemoStage, chosen_fault
from demo.model.rules import stage_of
from dialogues.display import DEMO_LABEL, DEMO_MODEL

__all__ = ["MODEL", "BatchSettings", "DemoModel", "DemoSettings", "create_app", "serve"]

# Requests remembered to recognise a repeated one; the oldest is forgotten first.
REMEMBERED = 50_000
STALL_SECONDS = 600
STALL_LOOK = 0.1
BODY_LIMIT = 16 * 1024 * 1024
ERROR_CODES = {"rate_limited": "rate_limit_exceeded", "quota": "insufficient_quota"}


@dataclass(frozen=True, slots=True)
class Seen:
    times: int = 0
    answered: bool = False


class DemoModel:
    """The server's state: settings, which may be replaced while it runs, and counts since it started."""

    def __init__(self, settings: DemoSettings) -> None:
        self.settings = settings
        self.requests = 0
        self.outcomes: Counter[str] = Counter()
        self.stages: Counter[str] = Counter()
        self.answered_again = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self._seen: OrderedDict[bytes, Seen] = OrderedDict()
        self.batches = DemoBatches(lambda: self.settings, self.answer_line)

    def stats(self) -> dict[str, Any]:
        """Counts: requests as they came, outcomes and stages by name as they were settled, in flight now and at most.

        `answered_again` counts replies to a request that had its reply before: what a provider would bill twice.
        A client that hangs up is answered all the same.
        """
        return {
            "requests": self.requests,
            "outcomes": dict(self.outcomes),
            "stages": dict(self.stages),
            "answered_again": self.answered_again,
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
            "batches": self.batches.created,
        }

    def answer_line(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """One request of a batch: the HTTP status and body it would have had by itself."""
        raw = json.dumps(body).encode()
        try:
            body = read_body(raw)
        except BadRequestError as error:
            return 400, error_body(400, "invalid_request", str(error))
        digest, stage = digest_of(raw), stage_of(body["messages"])
        fault = chosen_fault(self.settings.faults, stage, self.draw(digest))
        if fault in HTTP_FAULTS or fault in CONNECTION_FAULTS:
            self.count(stage, fault, digest)
            status = HTTP_FAULTS.get(fault, 500)
            return status, error_body(status, ERROR_CODES.get(fault, fault), f"Told to fail: {fault}.")
        return 200, self.reply(body, digest, fault)

    def reply(self, body: dict[str, Any], digest: bytes, fault: str) -> dict[str, Any]:
        """A request's completion, counted."""
        rng = Random(f"{self.settings.seed}/{digest.hex()}")  # noqa: S311
        found = completion(body, digest.hex(), rng, fault, spellings=self.settings.heeded)
        self.count(stage_of(body["messages"]), outcome_of(found, fault), digest)
        return found

    def draw(self, digest: bytes) -> Random:
        """The random numbers for this request, this time."""
        self.requests += 1
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
    app[MODEL].batches.add_routes(app)
    return app


def digest_of(raw: bytes) -> bytes:
    """What a request is remembered by."""
    return hashlib.sha256(raw).digest()[:16]


async def serve(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Listen on an address; port 0 takes a free one. Returns the runner to clean up, and the port.

    Raises OSError if the address is not available.
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
    model = {"id": DEMO_MODEL, "object": "model", "created": 0, "owned_by": DEMO_LABEL}
    return web.json_response({"object": "list", "data": [model]})


async def _chat_completions(request: web.Request) -> web.StreamResponse:
    model = request.app[MODEL]
    raw = await request.read()
    try:
        body = read_body(raw)
    except BadRequestError as error:
        return _error(400, "invalid_request", str(error))
    refusal = model.settings.refusal(body, request.headers.get("Authorization", ""))
    if refusal is not None:
        return _error(*refusal)
    model.in_flight += 1
    model.most_in_flight = max(model.most_in_flight, model.in_flight)
    try:
        return await _answered(request, model, body, digest_of(raw))
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
    reply = model.reply(body, digest, fault)
    if body.get("stream"):
        return await _streamed(request, body, reply, settings.token_seconds)
    await asyncio.sleep(settings.token_seconds * reply["usage"]["completion_tokens"])
    return web.json_response(reply)


def _fault_response(fault: str, settings: DemoSettings) -> web.Response:
    message = f"The demo model was told to fail: {fault}."
    response = _error(HTTP_FAULTS[fault], ERROR_CODES.get(fault, fault), message)
    if fault in {"rate_limited", "unavailable"}:
        response.headers["Retry-After"] = f"{settings.retry_after:g}"
    return response


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response(error_body(status, code, message), status=status)


async def _cut(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer: the client cannot know whether it was served."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _stall(request: web.Request) -> web.StreamResponse:
    """Hold the connection open until the client gives up."""
    for _ in range(round(STALL_SECONDS / STALL_LOOK)):
        if request.transport is None or request.transport.is_closing():
            break
        await asyncio.sleep(STALL_LOOK)
    return web.Response(status=504)


CONNECTION_FAULT_ACTIONS: Mapping[str, Callable[[web.Request], Awaitable[web.StreamResponse]]] = {
    "cut": _cut,
    "stall": _stall,
}


async def _streamed(
    request: web.Request, body: dict[str, Any], reply: dict[str, Any], token_seconds: float
) -> web.StreamResponse:
    """The reply as server-sent events, ended by `[DONE]`; token by token where writing one takes time."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    # A client may leave in the middle; that is no error of ours.
    with contextlib.suppress(ConnectionResetError):
        characters = TOKEN_CHARACTERS if token_seconds else CHUNK_CHARACTERS
        for chunk in chunks(reply, with_usage=wants_usage(body), characters=characters):
            await asyncio.sleep(token_seconds)
            await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
    return response
