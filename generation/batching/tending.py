"""Batches worked on by a long-lived process, such as `manage.py run start`."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from django.db import DatabaseError, connections
from django.utils import timezone

from generation.batching import rounds
from generation.engine.loops import ProcessLoop
from generation.models import RunStage

T = TypeVar("T")

log = logging.getLogger(__name__)

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 15.0  # seconds between two rounds


async def tend(runs: Sequence[int] = ()) -> None:
    """One round after another until cancelled; returns at once if no run uses batches."""
    own = ProcessLoop()
    try:
        while (pause := await _finished(asyncio.to_thread(_round, runs, own))) is not None:
            await asyncio.sleep(pause)
    finally:
        await _finished(asyncio.to_thread(own.close))


async def _finished(work: Coroutine[Any, Any, T]) -> T:
    """The thread's result. A thread cannot be stopped, so a cancelled task waits for its end."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


def _round(runs: Sequence[int], loop: ProcessLoop) -> float | None:
    """One round, in a separate thread: seconds until the next, or None if there will be none."""
    try:
        rows = RunStage.objects.filter(use_batch=True)
        if not (rows.filter(run__in=runs) if runs else rows).exists():
            return None
        found = rounds.advance(runs, loop=loop)
    except DatabaseError as error:
        log.warning("The database does not answer; batches wait: %s", error)
        return LONGEST_PAUSE
    finally:
        connections.close_all()
    if found.next_look_at is None:
        return SHORTEST_PAUSE
    return min(max((found.next_look_at - timezone.now()).total_seconds(), SHORTEST_PAUSE), LONGEST_PAUSE)
