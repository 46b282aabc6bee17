"""A TCP proxy that can be told to misbehave: reset what is open, refuse what is new, or hold everything still."""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

BLOCK = 65536
NO_LINGER = struct.pack("ii", 1, 0)  # closing then sends a reset instead of a goodbye


class Proxy:
    """Forwards connections to a port on loopback; made by `running_proxy`, told what to do from any thread."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self._target_port = target_port
        self._refusing = False
        self._flowing = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def reset_all(self) -> int:
        """Break every open connection from both sides at once; returns how many clients lost theirs."""
        return self._ask(self._reset_all())

    def refuse(self, refusing: bool) -> None:
        """Reset new connections as soon as they come, or take them again."""
        self._ask(self._refuse(refusing))

    def stall(self, stalling: bool) -> None:
        """Let no byte through until told otherwise; connections stay open, as behind a firewall that drops."""
        self._ask(self._stall(stalling))

    @property
    def open_connections(self) -> int:
        return len(self._open) // 2

    def start(self) -> None:
        self._thread.start()
        self._ask(self._listen())

    def stop(self) -> None:
        self._ask(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _ask(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listen(self) -> None:
        self._flowing.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._refusing:
                raise ConnectionRefusedError
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            _reset(writer)
            return
        ends = {writer, far_writer}
        self._open |= ends
        try:
            await asyncio.gather(self._forward(reader, far_writer), self._forward(far_reader, writer))
        finally:
            self._open -= ends
            for end in ends:
                end.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while block := await reader.read(BLOCK):
                await self._flowing.wait()
                writer.write(block)
                await writer.drain()
        # One side has ended, so the other has nobody to talk to.
        writer.close()

    async def _reset_all(self) -> int:
        lost = len(self._open) // 2
        for writer in list(self._open):
            _reset(writer)
        return lost

    async def _refuse(self, refusing: bool) -> None:
        self._refusing = refusing

    async def _stall(self, stalling: bool) -> None:
        (self._flowing.clear if stalling else self._flowing.set)()

    async def _close(self) -> None:
        self._server.close()
        self._flowing.set()
        await self._reset_all()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)


def _reset(writer: asyncio.StreamWriter) -> None:
    connection: socket.socket | None = writer.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    writer.transport.abort()


@contextmanager
def running_proxy(target_port: int) -> Iterator[Proxy]:
    proxy = Proxy(target_port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
