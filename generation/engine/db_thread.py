"""One thread with one connection that does a runner's database work, so that the event loop never waits for it."""

import asyncio
import logging
import math
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from queue import PriorityQueue
from threading import Thread
from time import monotonic
from typing import Any, ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connections

log = logging.getLogger(__name__)

PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 20.0)  # seconds between tries while the database is away

P = ParamSpec("P")
T = TypeVar("T")


class Urgency(Enum):
    """For how many seconds other work may overtake a piece of work, so that nothing waits for ever.

    What gets the next call sent soonest goes first.
    """

    CLAIM = 0.0
    SETTLE = 0.05
    KEEP_HOUSE = 0.1
    READ = 0.25


@dataclass(order=True, slots=True)
class _Job:
    due: float
    number: int
    act: Callable[[], Any] | None = field(compare=False)  # None ends the thread
    result: Future[Any] = field(compare=False, default_factory=Future)


class DbThread:
    """Runs functions, the most urgent first, and runs one again if the connection broke.

    So a function may run twice; the ledger's guards make that safe.
    """

    def __init__(self) -> None:
        self._jobs: PriorityQueue[_Job] = PriorityQueue()
        self._numbers = count()
        self._thread = Thread(target=self._work, name="ledger", daemon=True)
        self._thread.start()

    async def do(self, urgency: Urgency, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def act() -> T:
            return function(*args, **kwargs)

        for pause in PAUSES:
            try:
                return await self._once(urgency, act)
            except (OperationalError, InterfaceError) as error:
                log.warning("The database does not answer, trying again in %.1f s: %s", pause, error)
                await asyncio.sleep(pause)
        return await self._once(urgency, act)

    async def leave(self) -> None:
        """Close the connection and end the thread once all waiting work is done."""
        self._jobs.put(_Job(math.inf, next(self._numbers), None))
        await asyncio.to_thread(self._thread.join)

    async def _once(self, urgency: Urgency, act: Callable[[], T]) -> T:
        job = _Job(monotonic() + urgency.value, next(self._numbers), act)
        self._jobs.put(job)
        found: T = await asyncio.wrap_future(job.result)
        return found

    def _work(self) -> None:
        while (act := (job := self._jobs.get()).act) is not None:
            if job.result.set_running_or_notify_cancel():
                self._do(act, job.result)
            del job, act  # do not keep what is done alive until the next job comes
        connections.close_all()

    @staticmethod
    def _do(act: Callable[[], Any], result: Future[Any]) -> None:
        try:
            result.set_result(act())
        except (OperationalError, InterfaceError) as error:
            connections.close_all()
            result.set_exception(error)
        except BaseException as error:
            result.set_exception(error)
