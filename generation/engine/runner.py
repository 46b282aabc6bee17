"""One asyncio loop, many calls in flight, a lane for every endpoint with work.

All database work happens in separate threads (`db_thread`), so the loop never waits for it; answers that arrive
meanwhile are settled together in the next transaction. The runner holds no state that the ledger does not know.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from secrets import token_hex
from time import monotonic
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import connection
from django.utils import timezone

from generation.batching.tending import tend
from generation.endpoints.client import CallError, Client, Clients, target_of
from generation.endpoints.keys import KeysMissingError
from generation.endpoints.limits import limiter
from generation.engine import ledger, reading
from generation.engine.building import PERMANENT
from generation.engine.db_thread import DbThread, Urgency
from generation.engine.inbox import Inbox, Totals
from generation.engine.lane import IDLE_POLL, Lane, RunnerContext
from generation.engine.loops import wait_for
from generation.models import BatchJob, Call, Endpoint, Run, Runner

log = logging.getLogger(__name__)

BEAT_SECONDS = 5
REPORT_SECONDS = 1
SWEEP_SECONDS = 15
IDLE_EXIT_SECONDS = 2
# How long a runner with a time limit waits for calls that are held back; for later ones the next runner is scheduled.
DUE_SOON = timedelta(seconds=20)
# After so many errors in a row that no further try mends, a lane's runs are paused instead of tried for ever.
MOST_FAILURES = 5
CANNOT_CLAIM = (
    "its calls cannot be claimed because of an error in this program; the worker's log names it. Resume to try again."
)

P = ParamSpec("P")
T = TypeVar("T")

__all__ = ["CallRunner", "Plan", "Totals"]


def never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a runner does: calls of which runs (empty: all), claiming for how many seconds (None: until all is done).

    `told_to_stop` is asked now and then, and ends it early.
    """

    runs: tuple[int, ...] = ()
    seconds: float | None = None
    told_to_stop: Callable[[], bool] = never


class CallRunner:
    """Sends waiting calls until there are none, the time is up or `stop` is called; then drains."""

    def __init__(self, plan: Plan, clients: Clients | None = None) -> None:
        """Clients that are passed in outlive the runner; make the runner inside the loop that they belong to."""
        self.plan = plan
        self.owner = f"{socket.gethostname()[:60]}:{os.getpid()}:{token_hex(4)}"
        self.totals = Totals()
        self._own_clients = clients is None
        self._clients = clients or Clients()
        self._db_thread = DbThread()
        # SQLite allows one writer at a time, so a second connection would only wait.
        self._reader = self._db_thread if connection.vendor == "sqlite" else DbThread()
        self._limiter = limiter(settings.REDIS_URL)
        self._stopping = asyncio.Event()
        self._inbox = Inbox(self.owner, self._db_thread, self._reader, self.totals)
        self._context = RunnerContext(
            self.owner, plan.runs, self._db_thread, self._limiter, self._inbox, self._stopping
        )
        self._lanes: dict[int, Lane] = {}

    def stop(self) -> None:
        """Claim no more calls; those in flight still come home."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    async def run(self) -> Totals:
        try:
            async with asyncio.TaskGroup() as group:
                forever = (self._inbox.settle_forever(), self._inbox.read_forever(), self._keep_house(), self._report())
                helpers = [group.create_task(work) for work in forever]
                if self.plan.seconds is None:  # workers leave batches to the sweep task
                    helpers.append(group.create_task(tend(self.plan.runs)))
                await self._supervise()
                await self._drain()
                for helper in helpers:
                    helper.cancel()
        finally:
            await self._close()
        return self.totals

    async def _supervise(self) -> None:
        """Open a lane for every endpoint with work; return when nothing is left to do."""
        started = last_busy = monotonic()
        await self._beat()
        await self._reader.do(Urgency.READ, reading.read_all)
        while not self._stopping.is_set():
            if self.plan.told_to_stop() or self._time_is_up(started):
                return self.stop()
            await self._open_lanes()
            # Looked at before and after the query: meanwhile a reply may have been read and its next call be waiting.
            was_idle = self._is_idle
            if await self._house(self._work_left) or not (was_idle and self._is_idle):
                last_busy = monotonic()
            elif monotonic() - last_busy > IDLE_EXIT_SECONDS or self.plan.seconds is None:
                return self.stop()
            await wait_for(self._stopping, IDLE_POLL)
        return None

    @property
    def _is_idle(self) -> bool:
        """Whether no call is in flight and no answer is being settled or read."""
        return not self._context.in_flight and self._inbox.is_empty

    def _time_is_up(self, started: float) -> bool:
        return self.plan.seconds is not None and monotonic() - started > self.plan.seconds

    def _work_left(self) -> bool:
        """Whether to wait: for calls due soon, or, without a time limit, until every call and batch is done."""
        waiting = Call.objects.unfinished().filter(run__state=Run.State.RUNNING)
        if self.plan.runs:
            waiting = waiting.filter(run__in=self.plan.runs)
        if self.plan.seconds is not None:
            return waiting.claimable(timezone.now() + DUE_SOON).exists()
        return waiting.exists() or BatchJob.objects.of_runs(self.plan.runs).open().exists()

    async def _open_lanes(self) -> None:
        for endpoint in await self._house(self._endpoints):
            try:
                client = self._clients.get(target_of(endpoint))
            except (CallError, KeysMissingError) as error:
                await self._house(self._pause_all, endpoint, str(error))
            else:
                self._open_lane(endpoint, client)
        for lane in self._lanes.values():
            if lane.failures >= MOST_FAILURES:
                lane.failures = 0
                await self._house(self._pause_all, lane.endpoint, CANNOT_CLAIM)

    def _open_lane(self, endpoint: Endpoint, client: Client) -> None:
        lane = self._lanes.setdefault(endpoint.pk, Lane(self._context, endpoint, client))
        lane.endpoint, lane.client = endpoint, client
        if lane.task is None or lane.task.done():
            lane.failures += _has_failed_for_good(lane.task)
            lane.task = asyncio.create_task(lane.work())
            lane.task.add_done_callback(_log_failure)

    def _endpoints(self) -> list[Endpoint]:
        running = Run.objects.filter(state=Run.State.RUNNING)
        if self.plan.runs:
            running = running.filter(pk__in=self.plan.runs)
        return list(Endpoint.objects.filter(pk__in=running.values("run_stages__endpoint")))

    def _pause_all(self, endpoint: Endpoint, reason: str) -> None:
        for run in Run.objects.running().filter(run_stages__endpoint=endpoint).distinct():
            run.pause(f"{endpoint}: {reason}", Run.PauseCause.PROVIDER)

    async def _keep_house(self) -> None:
        """Report that this process is alive, and recover the calls of processes that died."""
        swept = monotonic()
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await self._beat()
            if monotonic() - swept >= SWEEP_SECONDS:
                swept = monotonic()
                await self._house(ledger.recover)
                # Replies that another process stored and never read; our own queue is not waiting here.
                if self._inbox.is_empty:
                    await self._reader.do(Urgency.READ, reading.read_all)

    async def _report(self) -> None:
        """Store for progress pages how many calls are on the wire and how many answers are not in the ledger yet."""
        told: dict[str, dict[str, list[int]]] = {}
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            calls = {str(pk): report for pk, lane in self._lanes.items() if (report := lane.report)}
            if calls != told:
                await self._house(Runner.report, self.owner, calls)
                told = calls

    async def _beat(self) -> None:
        self._context.runners = await self._house(self._beat_and_count)
        self._limiter.share(self._context.runners)

    def _beat_and_count(self) -> int:
        now = timezone.now()
        Runner.beat(self.owner, now, self.plan.runs)
        return Runner.live(now).count()

    async def _drain(self) -> None:
        """Wait for the calls in flight; each has its own time limit."""
        for lane in self._lanes.values():
            if lane.task is not None:
                await asyncio.gather(lane.task, return_exceptions=True)
        while self._context.in_flight:
            await asyncio.wait(self._context.in_flight)
        await self._inbox.emptied()
        await self._reader.do(Urgency.READ, reading.read_all)

    async def _close(self) -> None:
        if self._own_clients:
            await self._clients.close()
        await self._limiter.close()
        try:
            await self._house(Runner.objects.filter(owner=self.owner).delete)
        finally:
            for thread in {self._db_thread, self._reader}:
                await thread.leave()

    async def _house(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._db_thread.do(Urgency.KEEP_HOUSE, function, *args, **kwargs)


def _has_failed_for_good(task: asyncio.Task[None] | None) -> bool:
    return task is not None and not task.cancelled() and isinstance(task.exception(), PERMANENT)


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("A lane stopped and will be opened again", exc_info=task.exception())
