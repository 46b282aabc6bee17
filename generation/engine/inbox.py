"""Answers that came back: stored in the ledger, several at a time, and read afterwards."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from generation.endpoints.client import CallError, Reply
from generation.engine import ledger, reading
from generation.engine.db_thread import DbThread, Urgency
from generation.engine.ledger import Claimed, Settlement
from generation.engine.loops import wait_for

SETTLE_PAUSE = 0.1  # seconds that an answer waits for others: storing many costs little more than one
READ_PAUSE = 0.25  # seconds; reading is in no hurry
CHUNK = 64  # settled or read at once; claims wait meanwhile
MOST_UNREAD = 512  # with more, reading becomes urgent, so that the queue stays short

Result = Reply | CallError
T = TypeVar("T")


class Sender(Protocol):
    """Sent a call, and waits for its place to come free."""

    async def settled(self, results: Sequence[tuple[Claimed, Result]]) -> None: ...


@dataclass(slots=True)
class Totals:
    """How many calls a runner sent, and how they ended."""

    sent: int = 0
    answered: int = 0
    troubles: int = 0


@dataclass(slots=True)
class Inbox:
    """Takes answers as they come; stores them at once and reads them when there is time."""

    owner: str
    db_thread: DbThread
    reader: DbThread  # the same thread, or a second one that reads while the first goes on storing
    totals: Totals
    _waiting: deque[tuple[Sender, Claimed, Result]] = field(default_factory=deque)
    _unread: deque[int] = field(default_factory=deque)
    _pressing: asyncio.Event = field(default_factory=asyncio.Event)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _stored: asyncio.Event = field(default_factory=asyncio.Event)
    _at_hand: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self._at_hand or self._unread)

    def put(self, sender: Sender, call: Claimed, result: Result) -> None:
        self._at_hand += 1
        if isinstance(result, CallError):
            # An error may mean that nothing more should be sent.
            self._waiting.appendleft((sender, call, result))
            self._pressing.set()
        else:
            self._waiting.append((sender, call, result))
        self._arrived.set()

    async def emptied(self) -> None:
        while not self.is_empty:
            await asyncio.sleep(SETTLE_PAUSE)

    async def settle_forever(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            await wait_for(self._pressing, SETTLE_PAUSE)
            self._pressing.clear()
            while self._waiting:
                await self._settle(_taken(self._waiting, CHUNK))

    async def read_forever(self) -> None:
        while True:
            await self._stored.wait()
            self._stored.clear()
            await asyncio.sleep(READ_PAUSE)
            while self._unread:
                keys = _taken(self._unread, CHUNK)
                self._at_hand += len(keys)
                urgency = Urgency.SETTLE if len(self._unread) > MOST_UNREAD else Urgency.READ
                await self.reader.do(urgency, reading.read_replies, keys)
                self._at_hand -= len(keys)

    async def _settle(self, batch: Sequence[tuple[Sender, Claimed, Result]]) -> None:
        settlements = [Settlement(call.pk, call.attempt, result) for _, call, result in batch]
        answered = await self.db_thread.do(Urgency.SETTLE, ledger.settle, self.owner, settlements)
        self._unread.extend(answered)
        self._stored.set()
        self._at_hand -= len(batch)
        self.totals.answered += len(answered)
        self.totals.troubles += sum(isinstance(result, CallError) for _, _, result in batch)
        senders = {id(sender): sender for sender, _, _ in batch}
        for key, sender in senders.items():
            await sender.settled([(call, result) for one, call, result in batch if id(one) == key])


def _taken(waiting: deque[T], most: int) -> list[T]:
    return [waiting.popleft() for _ in range(min(len(waiting), most))]
