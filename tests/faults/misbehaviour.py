"""The ways in which the counting server answers wrongly, one small function each.

An answer gets the request, the reply that would have been right, and how often this behaviour was asked before.
"""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

Answer = Callable[[web.Request, dict[str, Any], int], Awaitable[web.StreamResponse]]
RETRY_AFTER = 2  # seconds that a telling 429 asks for
BURST_SECONDS = 1.0  # from the first request on, all are kept waiting and then told to come later
HUGE_MEGABYTES = 50

BURST_ENDS = web.AppKey("burst_ends", list[float])

ANSWERS: dict[str, Answer] = {}


def answers(function: Answer) -> Answer:
    ANSWERS[function.__name__] = function
    return function


def _error(status: int, code: str, **headers: str) -> web.Response:
    body = {"error": {"message": f"on purpose: {code}", "code": code, "type": code}}
    return web.json_response(body, status=status, headers={name.replace("_", "-"): headers[name] for name in headers})


def _with_text(reply: dict[str, Any], text: Any, finish: Any = "stop") -> web.Response:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return web.json_response({**reply, "choices": [choice]})


def _status(name: str, status: int, code: str) -> None:
    async def answer(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
        return _error(status, code)

    ANSWERS[name] = answer


def _status_once(name: str, status: int, **headers: str) -> None:
    """Wrong the first time, right from then on."""

    async def answer(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
        return web.json_response(reply) if before else _error(status, "come_again", **headers)

    ANSWERS[name] = answer


def _body(name: str, body: bytes) -> None:
    async def answer(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
        return web.Response(body=body, content_type="application/json")

    ANSWERS[name] = answer


_status("quota", 429, "insufficient_quota")
_status("payment", 402, "payment_required")
_status("unauthorized", 401, "invalid_api_key")
_status("forbidden", 403, "not_allowed")
_status("bad_request", 400, "invalid_request")
_status("not_found", 404, "no_such_model")
_status("always_500", 500, "server_error")
_status("moderated", 403, "content_policy_violation")
_status_once("rate_told", 429, Retry_After=str(RETRY_AFTER))
_status_once("rate_told_ms", 429, retry_after_ms=str(RETRY_AFTER * 1000), Retry_After="99")
_status_once("rate_untold", 429)
_status_once("timeout_408", 408)
_status_once("conflict_409", 409)
_status_once("once_500", 500)
_status_once("once_503", 503, Retry_After="1")
_body("not_json", b"<html>Bad gateway</html>")
_body("no_object", b"[1, 2, 3]")
_body("choices_of_wrong_type", b'{"choices": 7, "usage": "much", "model": 3}')
_body("deep_body", b'{"choices": ' + b"[" * 100_000)


@answers
async def rate_burst(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
    loop = asyncio.get_running_loop()
    if not before:
        request.app[BURST_ENDS].append(loop.time() + BURST_SECONDS)
    ends = request.app[BURST_ENDS][-1]
    if loop.time() >= ends:
        return web.json_response(reply)
    await asyncio.sleep(ends - loop.time())  # all of the burst are refused at once
    return _error(429, "rate_limit_exceeded", Retry_After=str(RETRY_AFTER))


@answers
async def empty_choices(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
    return web.json_response({**reply, "choices": []})


@answers
async def trouble_in_a_success(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
    """An answer of status 200 that is an error, the first time."""
    return web.json_response(reply if before else {"error": {"message": "on purpose", "code": 503}})


@answers
async def declined(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
    message = {"role": "assistant", "content": None, "refusal": "No, on purpose."}
    return web.json_response({**reply, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


@answers
async def blank(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
    return _with_text(reply, "")


@answers
async def content_of_wrong_type(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
    return _with_text(reply, {"theme": 5}, finish=5)


@answers
async def truncated(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
    return _with_text(reply, '{"theme": "half of', finish="length")


@answers
async def filtered(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
    return _with_text(reply, "", finish="content_filter")


@answers
async def bad_json(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
    return _with_text(reply, "Of course! {'theme': and so on")


@answers
async def fields_of_wrong_type(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
    return _with_text(reply, json.dumps({"theme": ["a", 1], "traits_1": 4, "traits_2": {"a": 1}}))


@answers
async def echo(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
    """Say back who asks: first in an error, then in every answer."""
    said = request.headers["Authorization"].removeprefix("Bearer ")
    if not before:
        return _error(500, f"something about {said}", X_Seen=said)
    theme = json.dumps({"theme": " ".join([*["word"] * 60, said]), "traits_1": [said], "traits_2": [said]})
    return _with_text({**reply, "model": said, "id": said}, theme)


@answers
async def redirect(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
    return web.Response(status=307, headers={"Location": "/elsewhere/good/v1/chat/completions"})


@answers
async def silent(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
    while request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(0.1)  # silence, for as long as somebody listens
    return web.Response(status=504)


@answers
async def drip(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
    """A byte now and then, so that no read ever times out by itself."""
    response = web.StreamResponse()
    response.content_length = 1000
    await response.prepare(request)
    try:
        for _ in range(200):
            await response.write(b" ")
            await asyncio.sleep(0.2)  # the drip
    except ConnectionError:
        pass
    return response


@answers
async def reset(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
    """Break the connection after the request was taken, without a byte of an answer."""
    assert request.transport is not None
    connection = request.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
    return web.Response()


@answers
async def cut(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
    """Break off in the middle of the answer."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = 5000
    await response.prepare(request)
    await response.write(json.dumps(reply).encode()[:40])
    await asyncio.sleep(0.05)  # so that the beginning is read before the break
    assert request.transport is not None
    request.transport.abort()
    return response


@answers
async def odd_line(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
    """Not HTTP at all."""
    assert request.transport is not None
    request.transport.write(b"HTTP/1.1 \x00\xff nonsense\r\n\r\n")  # type: ignore[attr-defined]
    request.transport.close()  # after what was written has gone out
    return web.Response()


@answers
async def huge(request: web.Request, reply: dict[str, Any], before: int) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    try:
        for _ in range(HUGE_MEGABYTES):
            await response.write(b"x" * 2**20)
    except ConnectionError:
        pass
    return response
