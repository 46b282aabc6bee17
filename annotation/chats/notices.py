"""Who waits for news of a chat in this process, and how they hear of them.

What this process writes it tells at once. What others write PostgreSQL tells (`listening`); a poller finds what nobody
told, with one query for all chats that are waited for, however many there are.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

Waiter = tuple[asyncio.AbstractEventLoop, asyncio.Event]
_waiters: dict[int, set[Waiter]] = defaultdict(set)
_lock = Lock()


@contextmanager
def waiting(chat_pk: int) -> Iterator[asyncio.Event]:
    """An event of the running loop that is set whenever something happens in the chat."""
    waiter = (asyncio.get_running_loop(), asyncio.Event())
    with _lock:
        _waiters[chat_pk].add(waiter)
    try:
        yield waiter[1]
    finally:
        with _lock:
            _waiters[chat_pk].discard(waiter)
            if not _waiters[chat_pk]:
                del _waiters[chat_pk]


def wake(chat_pk: int) -> None:
    """From any thread."""
    with _lock:
        found = list(_waiters.get(chat_pk, ()))
    for loop, event in found:
        if not loop.is_closed():
            loop.call_soon_threadsafe(event.set)


def waited_for() -> list[int]:
    with _lock:
        return list(_waiters)
