"""The thread that does a runner's database work, and the loop that worker tasks share."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from django.db import OperationalError

from generation.engine import db_thread, loops
from generation.engine.db_thread import DbThread, Urgency
from tests.waiting import until


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_thread, "PAUSES", (0.01, 0.01))


class Clock:
    """Stands still unless it is set: on a busy machine the real one may go on between two lines of a test."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(db_thread, "monotonic", clock)
    return clock


@pytest.mark.usefixtures("clock")
def test_urgent_work_overtakes_what_can_wait() -> None:
    done: list[str] = []

    async def work() -> None:
        thread, gate = DbThread(), threading.Event()
        first = asyncio.create_task(thread.do(Urgency.READ, gate.wait))
        await asyncio.sleep(0)  # a turn of the loop: what was created begins
        rest = [
            asyncio.create_task(thread.do(urgency, done.append, urgency.name))
            for urgency in (Urgency.READ, Urgency.KEEP_HOUSE, Urgency.SETTLE, Urgency.CLAIM)
        ]
        await asyncio.sleep(0)  # a turn of the loop
        gate.set()
        await asyncio.gather(first, *rest)
        await thread.leave()

    asyncio.run(work())
    assert done == ["CLAIM", "SETTLE", "KEEP_HOUSE", "READ"]


def test_nothing_is_overtaken_for_ever(clock: Clock) -> None:
    done: list[str] = []

    async def work() -> None:
        thread, gate = DbThread(), threading.Event()
        first = asyncio.create_task(thread.do(Urgency.CLAIM, gate.wait))
        read = asyncio.create_task(thread.do(Urgency.READ, done.append, "read"))
        await asyncio.sleep(0)  # a turn of the loop: what was created begins
        clock.now = Urgency.READ.value + 0.05
        claim = asyncio.create_task(thread.do(Urgency.CLAIM, done.append, "claim"))
        await asyncio.sleep(0)  # a turn of the loop
        gate.set()
        await asyncio.gather(first, read, claim)
        await thread.leave()

    asyncio.run(work())
    assert done == ["read", "claim"]


@pytest.mark.usefixtures("quick")
def test_work_is_done_again_where_the_connection_broke_and_other_errors_come_through() -> None:
    answers: Iterator[Exception | str] = iter([OperationalError("gone"), OperationalError("still"), "here"])

    def ask() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def work() -> str:
        thread = DbThread()
        try:
            with pytest.raises(ZeroDivisionError):
                await thread.do(Urgency.CLAIM, divmod, 1, 0)
            return await thread.do(Urgency.CLAIM, ask)
        finally:
            await thread.leave()

    assert asyncio.run(work()) == "here"


def test_what_a_broken_task_leaves_running_does_not_go_on_in_the_next_one() -> None:
    ticks: list[int] = []

    async def tick() -> None:
        while True:
            ticks.append(1)
            await asyncio.sleep(0.01)  # a task that never ends

    async def broken() -> None:
        kept.append(asyncio.create_task(tick()))
        await asyncio.to_thread(until, lambda: ticks, "a tick")
        raise ZeroDivisionError

    async def sound() -> int:
        ticks.clear()
        await asyncio.sleep(0.05)  # time for five ticks
        return len(ticks)

    kept: list[asyncio.Task[None]] = []
    with pytest.raises(ZeroDivisionError):
        loops.of_this_process().run(broken())
    try:
        assert loops.of_this_process().run(sound()) == 0
    finally:
        loops.close()
    assert kept[0].cancelled()
