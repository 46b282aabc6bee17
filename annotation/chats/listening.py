"""News of chats that other processes write, as PostgreSQL tells it (LISTEN and NOTIFY).

A web process in which somebody chats keeps one connection for it, beside its pool. Where it hears nothing, because the
database is SQLite or a pooler stands before it that hands on no notices, asking the database often takes its place
(`driving.Drivers`).
"""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
from django.db import Error, connection

from annotation.chats import notices

log = logging.getLogger(__name__)

CHANNEL = "chats"
PROBE = 2.0  # seconds in which a notice of this process's own must come back
AGAIN = 5.0  # seconds until it tries again after a connection broke or heard nothing
# What Django's connections have besides an address.
_OF_DJANGO = ("context", "cursor_factory", "prepare_threshold")


def announce(chat_pk: int) -> None:
    """Tell the other processes, once the transaction is committed."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, f"{_this_process()} {chat_pk}"])


def can_listen() -> bool:
    """Only where the process keeps connections anyway: tests and commands must be able to drop a database."""
    return connection.vendor == "postgresql" and bool(connection.settings_dict["OPTIONS"].get("pool"))


class Listener:
    """Wakes those of this process who wait for a chat that another process wrote to."""

    def __init__(self) -> None:
        self.hears = False

    async def listen(self, probe: Callable[[], Awaitable[None]]) -> None:
        """For ever. `probe` announces chat 0 on a connection of its own."""
        while True:
            try:
                await self._listen_once(probe)
            except (psycopg.Error, Error, OSError):
                log.warning("Notices of chats cannot be heard just now; the database is asked instead", exc_info=True)
            finally:
                self.hears = False
            await asyncio.sleep(AGAIN)

    async def _listen_once(self, probe: Callable[[], Awaitable[None]]) -> None:
        """Until the connection breaks, or nothing of the probe is heard."""
        async with await psycopg.AsyncConnection.connect(**_address(), autocommit=True) as line:
            await line.execute(f"LISTEN {CHANNEL}")
            await probe()
            async for notice in line.notifies(timeout=PROBE, stop_after=1):
                self.hears = True
                hear(notice.payload)
            if self.hears:
                async for notice in line.notifies():
                    hear(notice.payload)


def hear(payload: str) -> None:
    """What this process wrote it has told its own at once."""
    writer, _, chat = payload.rpartition(" ")
    if writer != _this_process() and chat.isdecimal():
        notices.wake(int(chat))


def _this_process() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _address() -> dict[str, Any]:
    told = connection.get_connection_params()
    return {name: value for name, value in told.items() if name not in _OF_DJANGO}
