"""Django under ASGI, each request in one of a few lasting threads.

Every view here reads a database, so it needs a thread. Django's own handler gives each request a new one and switches
between it and the event loop twice for each middleware; here the whole stack runs in one go. With Django's in its place
`tests.benchmarks.rating` with 32 raters kept 27 % of its pairs a second, and one in twenty requests took 590 to 890 ms
or more; it had no pool of connections, because only a handler that hears of the server's start can open one. The event
loop reads bodies and writes answers, so a slow client ties up no thread, and exports are streamed row by row, where
Django's handler reads a plain iterator to its end first.
`tests/config/test_handler_beside_django.py` holds its answers against Django's. It can go once no page is streamed, or
Django streams plain iterators and runs synchronous middleware in one thread.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from tempfile import SpooledTemporaryFile
from typing import Any, TypeVar

from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted, RequestDataTooBig
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.db import close_old_connections, connections
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import set_script_prefix

from config.outage import unread

T = TypeVar("T")
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class ThreadedHandler(ASGIHandler):
    """Answers HTTP requests in `settings.WEB_THREADS` threads; each stream has a thread of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.threads = ThreadPoolExecutor(settings.WEB_THREADS, thread_name_prefix="web")

    def load_middleware(self, is_async: bool = False) -> None:
        """Stack the middleware as plain calls, although the server is asynchronous."""
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self.handle(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            raise ValueError(f"Only HTTP is served here, not {scope['type']}.")

    async def _live(self, receive: Receive, send: Send) -> None:
        """Threads share the database's connections from the server's start to its end."""
        await receive()
        open_pools()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(close_pools)
        self.threads.shutdown(wait=False)
        await send({"type": "lifespan.shutdown.complete"})

    async def read_body(self, receive: Receive) -> Any:
        """The body, in a file if it is long.

        Raises RequestDataTooBig before a body fills the disk, OSError if the disk is full, RequestAborted if the client
        leaves.
        """
        body: Any = SpooledTemporaryFile(max_size=settings.FILE_UPLOAD_MAX_MEMORY_SIZE)  # noqa: SIM115 handed on
        try:
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RequestAborted
                body.write(message.get("body", b""))
                if body.tell() > largest_body():
                    raise RequestDataTooBig
                more = message.get("more_body", False)
            body.seek(0)
        except BaseException:
            # Closing tries once more to write what could not be written, and fails again.
            with suppress(OSError):
                body.close()
            raise
        return body

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        except (RequestDataTooBig, OSError) as error:
            await self.send_response(unread(scope, error), send)
            return
        response = await _in_thread(self.threads, self._answer, scope, body)
        if not isinstance(response, StreamingHttpResponse):
            await self.send_response(response, send)
            return
        # A cursor must stay in one thread, and a slow reader must not tie up one that answers requests.
        thread = ThreadPoolExecutor(1, thread_name_prefix="stream")
        try:
            if not response.is_async:
                response.streaming_content = _drawn(iter(response), thread)
            await _while_connected(self.send_response(response, send), self.listen_for_disconnect(receive))
        finally:
            # Not awaited: this task may have been cancelled.
            thread.submit(_end, response)
            thread.shutdown(wait=False)

    def _answer(self, scope: Scope, body: Any) -> HttpResponseBase:
        """The response, closed unless it has yet to be streamed."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        made = self.create_request(scope, body)
        response = self.get_response(made[0]) if made[0] is not None else made[1]
        response._resource_closers.append(body.close)  # type: ignore[attr-defined]
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if not isinstance(response, StreamingHttpResponse):
            response.close()
        else:
            # Its own thread will close it; until then this one holds no connection.
            close_old_connections()
        return response


def open_pools() -> None:
    """Have this process's threads take their connections to PostgreSQL from Django's pool.

    Only a web process does: workers fork, and a command or a test must be able to drop a database that it has left.
    """
    for database in _postgresql_databases():
        database.settings_dict["OPTIONS"]["pool"] = dict(settings.CONNECTION_POOL)


def close_pools() -> None:
    """Close the connections that no thread holds; one that a thread holds is closed when it is given back."""
    for database in _postgresql_databases():
        database.close_pool()
        del database.settings_dict["OPTIONS"]["pool"]


def _postgresql_databases() -> list[Any]:
    # Each thread has wrappers of its own; all read the same settings.
    return [one for one in connections.all() if one.vendor == "postgresql"]


def largest_body() -> int:
    """The most bytes that any address takes: the largest file and the form around it."""
    return int(settings.MAX_UPLOAD_MB) * 2**20 + int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


async def _while_connected(sending: Coroutine[Any, Any, None], listening: Coroutine[Any, Any, None]) -> None:
    """Send until all is sent or the client has gone."""
    tasks = [asyncio.create_task(sending), asyncio.create_task(listening)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    for found in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(found, BaseException) and not isinstance(found, asyncio.CancelledError | RequestAborted):
            raise found


async def _drawn(chunks: Iterator[bytes], thread: Executor) -> AsyncIterator[bytes]:
    while (chunk := await _in_thread(thread, next, chunks, None)) is not None:
        yield chunk


def _end(response: HttpResponseBase) -> None:
    response.close()
    connections.close_all()


async def _in_thread(threads: Executor, call: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(threads, copy_context().run, call, *arguments)
