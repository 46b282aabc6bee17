"""A run's progress as Server-Sent Events.

However many people watch, a process reads each run once a second, in one thread, and holds no database connection
while it waits. The first event after every (re)connect is the whole state, so a lost connection loses nothing.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from typing import NamedTuple

from django.db import connections

from generation.models import Run
from generation.watching.progress import progress_of

PERIOD = 1.0  # seconds
SILENCE = 15  # periods without news before a comment keeps proxies from closing the line
LONGEST = 600  # periods; then the browser reconnects and its rights are checked again
LIVE = (Run.State.RUNNING, Run.State.PAUSED, Run.State.DRAFT)


class Snapshot(NamedTuple):
    """A run's progress as JSON, and whether it can still change."""

    text: str
    live: bool


_reader = ThreadPoolExecutor(1, thread_name_prefix="progress")
_latest: dict[int, tuple[float, Future[Snapshot | None]]] = {}


async def stream(run_pk: int) -> AsyncIterator[str]:
    """Event after event whenever something changed, until the run is finished or gone."""
    yield "retry: 2000\n\n"
    before, quiet = "", 0
    for turn in range(LONGEST):
        # Fresh at first: a state read before a button was pressed would set the page back.
        snapshot = await asyncio.wrap_future(_read_once_a_period(run_pk, afresh=turn == 0))
        if snapshot is None:
            break
        quiet = 0 if snapshot.text != before else quiet + 1
        if not quiet:
            yield f"data: {snapshot.text}\n\n"
        elif quiet % SILENCE == 0:
            yield ": still here\n\n"
        if not snapshot.live:
            break
        before = snapshot.text
        await asyncio.sleep(PERIOD)
    else:
        return  # the browser reconnects by itself
    yield "event: end\ndata: {}\n\n"


def _read_once_a_period(run_pk: int, *, afresh: bool) -> Future[Snapshot | None]:
    now = monotonic()
    at, future = _latest.get(run_pk, (0.0, None))
    begun = future is None or future.running() or future.done()
    if future is None or now - at > PERIOD * 0.9 or (afresh and begun):
        future = _reader.submit(_snapshot, run_pk)
        for old in [pk for pk, (then, _) in _latest.items() if now - then > 60]:
            del _latest[old]
        _latest[run_pk] = (now, future)
    return future


def _snapshot(run_pk: int) -> Snapshot | None:
    try:
        run = Run.objects.with_stages().filter(pk=run_pk).first()
        if run is None:
            return None
        return Snapshot(json.dumps(progress_of(run).as_json(), ensure_ascii=False), run.state in LIVE)
    finally:
        connections.close_all()
