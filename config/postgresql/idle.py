"""Connections to PostgreSQL that wait for the next request of this process."""

import select
import time
from collections import deque
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

MOST_IDLE = 16
# A server that was told to use less memory or another plan shows it within this time.
LONGEST_LIFE = 600  # seconds

# (when it was opened, to where, the connection); the one used last is taken first.
_idle: deque[tuple[float, str, Any]] = deque()
_is_on = False


def keep_connections() -> None:
    """From now on this process hands connections on."""
    global _is_on
    _is_on = True


def stop_keeping() -> None:
    """Close what waits, and keep nothing from now on."""
    global _is_on
    _is_on = False
    while _idle:
        _idle.pop()[2].close()


def keep(connection: Any, opened: float, address: str) -> bool:
    """Whether it was kept; the caller closes it if not."""
    if not _is_on or len(_idle) >= MOST_IDLE or not _is_in_order(connection):
        return False
    _idle.append((opened, address, connection))
    return True


def take(address: str) -> tuple[float, Any]:
    """The connection that was used last, if it is for this address and still stands."""
    while True:
        try:
            opened, of, kept = _idle.pop()
        except IndexError:
            return 0.0, None
        if of == address and time.monotonic() - opened < LONGEST_LIFE and _still_stands(kept):
            return opened, kept
        kept.close()


def _is_in_order(connection: Any) -> bool:
    """Whether the next request may have it: open, and in no transaction."""
    if connection.closed or connection.info.transaction_status in (TransactionStatus.ACTIVE, TransactionStatus.UNKNOWN):
        return False
    with suppress(psycopg.Error):
        connection.rollback()
        return bool(connection.info.transaction_status == TransactionStatus.IDLE)
    return False


def _still_stands(connection: Any) -> bool:
    """A server that ended a connection has written so into it; from one that is idle nothing else comes."""
    if connection.closed:
        return False
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    return not waiting.poll(0)
