"""The demo model on a free loopback port, in a thread of its own, for tests that need a model behind HTTP."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from demo.model.server import MODEL, DemoModel, DemoSettings, create_app, serve


class DemoServer:
    """A running server; `settings` may be replaced at any time, `stats()` counts what was asked so far."""

    def __init__(self, base_url: str, model: DemoModel) -> None:
        self.base_url = base_url
        self._model = model

    @property
    def settings(self) -> DemoSettings:
        return self._model.settings

    @settings.setter
    def settings(self, settings: DemoSettings) -> None:
        self._model.settings = settings

    def stats(self) -> dict[str, Any]:
        return self._model.stats()


@contextmanager
def running(settings: DemoSettings) -> Iterator[DemoServer]:
    """Start a server, yield it (`base_url` ends in /v1), stop it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    app = create_app(settings)
    runner, port = asyncio.run_coroutine_threadsafe(serve(app, "127.0.0.1", 0), loop).result(10)
    try:
        yield DemoServer(f"http://127.0.0.1:{port}/v1", app[MODEL])
    finally:
        asyncio.run_coroutine_threadsafe(_stopped(runner), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _stopped(runner: web.AppRunner) -> None:
    """Close the server and end the answers whose clients have gone."""
    await runner.cleanup()
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
