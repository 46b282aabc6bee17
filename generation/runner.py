"""One asyncio loop, many calls in flight: claims as slots come free, sends, and hands answers back in batches.

All database work happens in one thread of its own, so the loop never waits for it; answers that arrive meanwhile
are settled together in the next transaction. Nothing is kept here that the ledger does not know.
"""

import asyncio
import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from secrets import token_hex
from time import monotonic
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from generation import ledger, reading
from generation.client import CallError, Client, Reply, Target, Trouble
from generation.keys import KeysMissingError
from generation.ledger import Claimed, Settlement
from generation.limits import Limiter, LocalLimiter, Rates, RedisLimiter
from generation.models import Call, Endpoint, Run, Runner

log = logging.getLogger(__name__)

MOST_AT_ONCE = 64  # calls in one claim
SETTLED_AT_ONCE = 128  # answers in one transaction
CLAIM_PAUSE = 0.03  # seconds between claims, so that they come in handfuls
IDLE_POLL = 0.5  # seconds
BEAT_SECONDS = 5
SWEEP_SECONDS = 15
IDLE_EXIT_SECONDS = 2
DATABASE_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 20.0)  # seconds between tries
FIRST_TOKEN_GUESS = 3000
WINDOW = 20  # latest results that decide whether a provider is failing

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a runner may do: which runs (none named: all), and for how many seconds it claims (None: until done)."""

    runs: tuple[int, ...] = ()
    seconds: float | None = None


@dataclass(slots=True)
class Totals:
    """What a runner did."""

    sent: int = 0
    answered: int = 0
    troubles: int = 0


@dataclass(slots=True)
class _Lane:
    """One endpoint's traffic in this process."""

    endpoint: Endpoint
    client: Client
    tokens_a_call: float = FIRST_TOKEN_GUESS
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    @property
    def rates(self) -> Rates:
        return Rates(self.endpoint.requests_per_minute, self.endpoint.tokens_per_minute)

    @property
    def key(self) -> str:
        return str(self.endpoint.pk)


class CallRunner:
    """Sends waiting calls until there are none, the time is up or `stop` is called; then drains."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.owner = f"{socket.gethostname()[:60]}:{os.getpid()}:{token_hex(4)}"
        self.totals = Totals()
        self._limiter: Limiter = RedisLimiter(settings.REDIS_URL) if settings.REDIS_URL else LocalLimiter()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._lanes: dict[int, _Lane] = {}
        self._clients: dict[Target, Client] = {}
        self._in_flight: set[asyncio.Task[None]] = set()
        self._results: asyncio.Queue[tuple[_Lane, Claimed, Reply | CallError]] = asyncio.Queue()
        self._unsettled = 0
        self._windows: dict[int, deque[bool]] = {}
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Claim no more; what is in flight still comes home."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    async def run(self) -> Totals:
        try:
            async with asyncio.TaskGroup() as group:
                helpers = [group.create_task(self._settle_forever()), group.create_task(self._keep_house())]
                await self._supervise()
                await self._drain()
                for helper in helpers:
                    helper.cancel()
        finally:
            await self._close()
        return self.totals

    async def _supervise(self) -> None:
        """Open a lane for every endpoint with work; return when there is no more to do."""
        started = last_busy = monotonic()
        await self._db(Runner.beat, self.owner, timezone.now())
        await self._db(reading.read_all)
        while not self._stopping.is_set():
            if self.plan.seconds is not None and monotonic() - started > self.plan.seconds:
                return self.stop()
            await self._open_lanes()
            if self._in_flight or self._unsettled or await self._db(self._work_left):
                last_busy = monotonic()
            elif monotonic() - last_busy > IDLE_EXIT_SECONDS or self.plan.seconds is None:
                return self.stop()
            await self._sleep(IDLE_POLL)
        return None

    def _work_left(self) -> bool:
        """Whether waiting here makes sense: always for calls that are due, and until the end where runs are named."""
        waiting = Call.objects.unfinished().filter(run__state=Run.State.RUNNING)
        if self.plan.runs:
            waiting = waiting.filter(run__in=self.plan.runs)
        return (waiting if self.plan.seconds is None else waiting.claimable(timezone.now())).exists()

    async def _open_lanes(self) -> None:
        for endpoint in await self._db(self._endpoints):
            try:
                client = self._client_for(target_of(endpoint))
            except (CallError, KeysMissingError) as error:
                await self._db(self._pause_all, endpoint, str(error))
            else:
                self._open_lane(endpoint, client)

    def _client_for(self, target: Target) -> Client:
        """One client for as long as address, key and limits stay; a change reaches the next call. Raises CallError."""
        if target not in self._clients:
            self._clients[target] = Client(target)
        return self._clients[target]

    def _open_lane(self, endpoint: Endpoint, client: Client) -> None:
        lane = self._lanes.setdefault(endpoint.pk, _Lane(endpoint, client))
        lane.endpoint, lane.client = endpoint, client
        if lane.task is None or lane.task.done():
            lane.task = asyncio.create_task(self._work(lane))
            lane.task.add_done_callback(_log_failure)

    def _endpoints(self) -> list[Endpoint]:
        running = Run.objects.filter(state=Run.State.RUNNING)
        if self.plan.runs:
            running = running.filter(pk__in=self.plan.runs)
        return list(Endpoint.objects.filter(pk__in=running.values("endpoint")))

    def _pause_all(self, endpoint: Endpoint, reason: str) -> None:
        for run in Run.objects.filter(endpoint=endpoint, state=Run.State.RUNNING):
            run.pause(reason)

    async def _work(self, lane: _Lane) -> None:
        """Keep a lane full."""
        while not self._stopping.is_set():
            lane.wake.clear()
            wanted = min(MOST_AT_ONCE, lane.endpoint.max_in_flight)
            estimate = int(lane.tokens_a_call)
            granted, wait = await self._limiter.acquire(lane.key, lane.rates, wanted, estimate)
            claimed = await self._claim(lane, granted) if granted else []
            # What is claimed is sent before anything else can go wrong.
            for call in claimed:
                self._send(lane, call, estimate)
            unused = granted - len(claimed)
            await self._limiter.give_back(lane.key, lane.rates, unused, unused * estimate)
            if claimed:
                await self._sleep(CLAIM_PAUSE)
            else:
                await self._wait_for(lane.wake, IDLE_POLL if granted else min(max(wait, CLAIM_PAUSE), IDLE_POLL))

    async def _claim(self, lane: _Lane, most: int) -> list[Claimed]:
        return await self._db(ledger.claim, self.owner, lane.endpoint.pk, most, runs=self.plan.runs)

    def _send(self, lane: _Lane, call: Claimed, estimate: int) -> None:
        self.totals.sent += 1
        task = asyncio.create_task(self._call(lane, call, estimate))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def _call(self, lane: _Lane, call: Claimed, estimate: int) -> None:
        result: Reply | CallError
        try:
            result = await lane.client.chat(call.request.messages, call.request.parameters)
        except CallError as error:
            result = error
        except Exception as error:
            log.exception("Call %d ended in a way that the client has no name for", call.pk)
            result = CallError(Trouble.AMBIGUOUS, f"Sending failed inside this program: {type(error).__name__}")
        self._unsettled += 1
        self._results.put_nowait((lane, call, result))
        if isinstance(result, Reply):
            used = result.prompt_tokens + result.completion_tokens
            lane.tokens_a_call += 0.05 * (used - lane.tokens_a_call)
            await self._limiter.give_back(lane.key, lane.rates, 0, estimate - used)

    async def _settle_forever(self) -> None:
        while True:
            batch = [await self._results.get()]
            while not self._results.empty() and len(batch) < SETTLED_AT_ONCE:
                batch.append(self._results.get_nowait())
            await self._settle(batch)
            for lane in {id(lane): lane for lane, _, _ in batch}.values():
                lane.wake.set()
            for _ in batch:
                self._unsettled -= 1
                self._results.task_done()

    async def _settle(self, batch: Sequence[tuple[_Lane, Claimed, Reply | CallError]]) -> None:
        settlements = [Settlement(call.pk, call.attempt, result) for _, call, result in batch]
        answered = await self._db(ledger.settle, self.owner, settlements)
        if answered:
            await self._db(reading.read_replies, answered)
        self.totals.answered += len(answered)
        self.totals.troubles += sum(isinstance(result, CallError) for _, _, result in batch)
        for _, call, result in batch:
            await self._watch(call.run_pk, result)

    async def _watch(self, run_pk: int, result: Reply | CallError) -> None:
        """Pause a run when more than half of its latest results, rate limits aside, were failures."""
        if isinstance(result, CallError) and result.trouble is Trouble.RATE_LIMITED:
            return
        window = self._windows.setdefault(run_pk, deque(maxlen=WINDOW))
        window.append(isinstance(result, CallError))
        if len(window) == WINDOW and sum(window) > WINDOW / 2:
            words = f"{sum(window)} of the last {WINDOW} calls failed"
            detail = f" ({result.message})" if isinstance(result, CallError) else ""
            await self._db(_pause_run, run_pk, f"{words}{detail}. See to the endpoint, then resume.")
            window.clear()

    async def _keep_house(self) -> None:
        """Say that this process is alive, and look after calls of those that died."""
        swept = monotonic()
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await self._db(Runner.beat, self.owner, timezone.now())
            if monotonic() - swept >= SWEEP_SECONDS:
                swept = monotonic()
                await self._db(ledger.recover)
                await self._db(reading.read_all)

    async def _drain(self) -> None:
        """Wait for what is in flight; every call has a time limit of its own."""
        for lane in self._lanes.values():
            if lane.task is not None:
                await asyncio.gather(lane.task, return_exceptions=True)
        while self._in_flight:
            await asyncio.wait(self._in_flight)
        await self._results.join()

    async def _close(self) -> None:
        for client in self._clients.values():
            await client.close()
        if isinstance(self._limiter, RedisLimiter):
            await self._limiter.close()
        await self._db(Runner.objects.filter(owner=self.owner).delete)
        await self._db(connections.close_all)
        self._thread.shutdown()

    async def _db(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in the thread that owns the database connection, again where the connection broke.

        Every function given here may be run twice: the ledger's guards see to it.
        """

        def call() -> T:
            try:
                return function(*args, **kwargs)
            except (OperationalError, InterfaceError):
                connections.close_all()
                raise

        for pause in DATABASE_PAUSES:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._thread, call)
            except (OperationalError, InterfaceError) as error:
                log.warning("The database does not answer, trying again in %.1f s: %s", pause, error)
                await asyncio.sleep(pause)
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def _sleep(self, seconds: float) -> None:
        await self._wait_for(self._stopping, seconds)

    @staticmethod
    async def _wait_for(event: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass


def target_of(endpoint: Endpoint) -> Target:
    """Raises KeysMissingError where the stored key cannot be opened."""
    return Target(
        base_url=endpoint.base_url,
        api_key=endpoint.api_key(),
        timeout=endpoint.timeout_seconds,
        connections=endpoint.max_in_flight + 1,
        allowed_hosts=tuple(settings.ENDPOINT_ALLOWED_HOSTS),
    )


def _pause_run(run_pk: int, reason: str) -> None:
    Run.objects.get(pk=run_pk).pause(reason)


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("A lane stopped and will be opened again", exc_info=task.exception())
