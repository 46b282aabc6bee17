"""A model whose answers a test directs: each request takes the next scene, and a scene may wait for the test."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from generation.endpoints.batch_lines import CHAT


class Gate:
    """A scene stops at a gate until the test opens it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._open = threading.Event()

    def open(self) -> None:
        self._open.set()

    async def passed(self) -> None:
        self.reached.set()
        while not self._open.is_set():
            await asyncio.sleep(0.005)


CUT = object()  # the connection breaks
# Texts to stream, gates, CUT, an error inside the stream (a dict), or alone a status to refuse with.
Scene = list[Any]


class StreamingModel:
    def __init__(self) -> None:
        self.scenes: list[Scene] = []
        self.asked: list[list[dict[str, str]]] = []
        self.base_url = ""

    def next(self, messages: list[dict[str, str]]) -> Scene:
        self.asked.append(messages)
        return self.scenes.pop(0) if self.scenes else ["ok"]


@contextmanager
def streaming_model() -> Iterator[StreamingModel]:
    """Serve a model on a port of this machine."""
    model = StreamingModel()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(_started(model), loop).result(10)
    try:
        yield model
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _started(model: StreamingModel) -> web.AppRunner:
    async def answer(request: web.Request) -> web.StreamResponse:
        scene = model.next((await request.json())["messages"])
        if scene and isinstance(scene[0], int):
            return web.json_response({"error": {"message": "no"}}, status=scene[0], headers={"Retry-After": "0.05"})
        return await _played(request, scene)

    app = web.Application()
    app.router.add_post(CHAT, answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    model.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    return runner


async def _played(request: web.Request, scene: Scene) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for step in scene:
        if isinstance(step, Gate):
            await step.passed()
        elif step is CUT:
            assert request.transport is not None
            request.transport.abort()
            return response
        else:
            chunk = {"error": step} if isinstance(step, dict) else {"choices": [{"delta": {"content": step}}]}
            await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
    await response.write(b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n')
    await response.write_eof()
    return response
