"""Answering chats: one task a chat in one process, which waits for silence, asks, and shows the reply bubble by bubble.

A process that answers a chat holds a lease on it. What it knows follows from the log, so when it dies another one goes
on: a reply that was open then is broken off, and asked for again if nothing of it was shown.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from secrets import token_hex
from threading import Lock, Thread
from time import time
from typing import Any, ParamSpec, TypeVar

import uvloop
from django.conf import settings
from django.db import connections
from django.utils import timezone

from annotation.chats import listening, notices, recording
from annotation.chats.log import Conversation, LogEvent
from annotation.chats.recording import DriverLostError, Kind, Unless, as_log
from annotation.chats.replying import show_reply
from annotation.chats.setup import Setup
from annotation.models import Chat, ChatEvent
from generation.endpoints.client import Clients
from generation.endpoints.limits import limiter
from generation.engine.loops import wait_for
from generation.live import calls

log = logging.getLogger(__name__)

DATABASE_THREADS = 4
HOLD_EVERY = 3.0  # seconds
POLL = 0.1  # seconds until what other processes wrote is noticed where nobody tells
TOLD_POLL = 1.0  # seconds between two looks where PostgreSQL tells

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class Driver:
    """One chat as long as this process answers it."""

    drivers: "Drivers"
    chat: Chat
    setup: Setup
    conversation: Conversation = field(default_factory=Conversation)

    async def drive(self) -> None:
        """Answer until the person is silent and everything is answered."""
        with notices.waiting(self.chat.pk) as news:
            holding = asyncio.create_task(self._hold())
            try:
                await self.catch_up()
                if self.conversation.asked:
                    await self._give_up_open_reply()
                while await self._work_left():
                    await self._answer(news)
            finally:
                holding.cancel()

    async def _give_up_open_reply(self) -> None:
        """The process that waited for it died; its call takes no place and no money any longer."""
        call_pk = await self.drivers.do(recording.call_of, self.chat.pk, self.conversation.asked)
        if call_pk is not None:
            await self.drivers.do(calls.give_up, call_pk, timezone.now())
        await self.tell(Kind.ABORTED, detail={"why": "restart"})

    async def _work_left(self) -> bool:
        self.drivers.is_looking_at(self.chat.pk)
        await self.catch_up()
        if self.conversation.awaits_reply:
            return True
        released = await self.drivers.do(
            recording.release, self.chat.pk, self.drivers.owner, self.conversation.last_number
        )
        return not released

    async def _answer(self, news: asyncio.Event) -> None:
        """Wait for the person's silence, then ask and show the reply."""
        while self.conversation.awaits_reply:
            left = self.conversation.silence_ends(self.setup.silence, self.setup.longest_silence) - time()
            if left <= 0:
                await show_reply(self, news)
                return
            await wait_for(news, left)
            news.clear()
            await self.catch_up()

    async def catch_up(self) -> None:
        """Take in what has happened since."""
        for event in await self.drivers.do(self._events):
            self.conversation.take(event)

    async def tell(self, kind: str, unless: Unless | None = None, **fields: Any) -> bool:
        """Write an event; False where the person was faster."""
        written = await self.drivers.do(recording.tell, self.chat.pk, self.drivers.owner, kind, unless, **fields)
        await self.take([written] if written else [])
        return written is not None

    async def take(self, written: Sequence[ChatEvent]) -> None:
        """Take in what was written, and first what others wrote before it."""
        if not written or written[0].number != self.conversation.last_number + 1:
            await self.catch_up()
            return
        for event in written:
            self.conversation.take(as_log(event))

    def _events(self) -> list[LogEvent]:
        return [as_log(event) for event in recording.events_after(self.chat.pk, self.conversation.last_number)]

    async def _hold(self) -> None:
        while True:
            await asyncio.sleep(HOLD_EVERY)
            await self.drivers.do(recording.hold, self.chat.pk, self.drivers.owner, timezone.now())


class Drivers:
    """The chats that this process answers, on a loop of its own in a thread of its own."""

    def __init__(self) -> None:
        self.owner = f"{socket.gethostname()[:60]}:{os.getpid()}:{token_hex(4)}"
        self.clients = Clients()
        self.limiter = limiter(settings.REDIS_URL)
        self._threads = ThreadPoolExecutor(DATABASE_THREADS, thread_name_prefix="chat")
        self._loop = uvloop.new_event_loop()
        self._listener = listening.Listener()
        # By chat: whether somebody called for it since it was last looked at.
        self._driven: dict[int, bool] = {}
        self._lock = Lock()
        Thread(target=self._loop.run_forever, name="chats", daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._poll(), self._loop)
        if listening.can_listen():
            asyncio.run_coroutine_threadsafe(self._listener.listen(partial(self.do, listening.announce, 0)), self._loop)

    def ensure(self, chat_pk: int) -> None:
        """See to it that somebody answers this chat: this process, unless another one does."""
        with self._lock:
            if chat_pk in self._driven:
                # Its driver may just be letting go of it.
                self._driven[chat_pk] = True
                return
            self._driven[chat_pk] = False
        asyncio.run_coroutine_threadsafe(self._drive(chat_pk), self._loop)

    @property
    def at_work(self) -> set[int]:
        """The chats that this process answers."""
        with self._lock:
            return set(self._driven)

    async def do(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run database work in a thread."""
        return await self._loop.run_in_executor(self._threads, partial(_closing, function, *args, **kwargs))

    def is_looking_at(self, chat_pk: int) -> None:
        """Whoever called for this chat before now need not call again."""
        with self._lock:
            self._driven[chat_pk] = False

    async def _drive(self, chat_pk: int) -> None:
        while True:
            await self._drive_once(chat_pk)
            with self._lock:
                if not self._driven[chat_pk]:
                    del self._driven[chat_pk]
                    return
                self._driven[chat_pk] = False

    async def _drive_once(self, chat_pk: int) -> None:
        try:
            if await self.do(recording.claim, chat_pk, self.owner, timezone.now()):
                chat = await self.do(Chat.objects.select_related("endpoint").get, pk=chat_pk)
                with suppress(DriverLostError):
                    await Driver(self, chat, Setup.of(chat.setup)).drive()
        except Exception:
            log.exception("Chat %d is not answered any more by this process", chat_pk)

    async def _poll(self) -> None:
        """Tell those who wait in this process what other processes wrote."""
        known: dict[int, int] = {}
        while True:
            await asyncio.sleep(TOLD_POLL if self._listener.hears else POLL)
            watched = notices.waited_for()
            if not watched:
                known.clear()
                continue
            try:
                found = await self.do(_last_numbers, watched)
            except Exception:
                log.warning("The chats could not be looked at", exc_info=True)
                continue
            for pk, number in found.items():
                if known.get(pk, number) != number:
                    notices.wake(pk)
            known = found


def _last_numbers(chats: list[int]) -> dict[int, int]:
    return dict(Chat.objects.filter(pk__in=chats).values_list("pk", "last_number"))


def _closing(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run it, then give the connection back."""
    try:
        return function(*args, **kwargs)
    finally:
        connections.close_all()


_drivers: list[Drivers] = []
_making = Lock()


def drivers() -> Drivers:
    """This process's, made on first use: after any fork."""
    with _making:
        if not _drivers:
            _drivers.append(Drivers())
        return _drivers[0]
