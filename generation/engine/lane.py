"""One endpoint's traffic in one process: claim calls as places come free, send them, hand answers to the inbox."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

from generation.endpoints.client import CallError, Client, Reply, Trouble
from generation.endpoints.limits import Limiter, Rates
from generation.engine import capacity, ledger
from generation.engine.db_thread import DbThread, Urgency
from generation.engine.inbox import Inbox, Result
from generation.engine.ledger import Claimed
from generation.engine.loops import wait_for
from generation.engine.settling import mostly_failed
from generation.models import Endpoint, Run

log = logging.getLogger(__name__)

SMALLEST_CHUNK, LARGEST_CHUNK = 8, 32  # calls in one claim
LONGEST_GATHERING = 0.25  # seconds that a free place waits for more of them, so that a claim takes several calls
GATHERING_SHARE = 1 / 30  # of what a call takes
IDLE_POLL = 0.5  # seconds until the next claim after one that found nothing
LEAST_WAIT = 0.03  # seconds
FIRST_TOKEN_GUESS = 3000
WINDOW = 20  # how many latest results decide whether a provider is failing
SUCCESSES_A_RAISE = 25  # answers from a full endpoint that raise its limit by one call


@dataclass(slots=True)
class RunnerContext:
    """What all lanes of a runner share."""

    owner: str
    runs: tuple[int, ...]
    db_thread: DbThread
    limiter: Limiter
    inbox: Inbox
    stopping: asyncio.Event
    in_flight: set[asyncio.Task[None]] = field(default_factory=set)
    runners: int = 1  # alive now, this one among them


@dataclass(slots=True)
class Lane:
    context: RunnerContext
    endpoint: Endpoint
    client: Client
    task: asyncio.Task[None] | None = None
    tokens_a_call: float = FIRST_TOKEN_GUESS
    seconds_a_call: float = 1.0
    failures: int = 0  # claims in a row that ended with an error that no further try mends
    _open: int = 0  # calls on their way
    _unsettled: int = 0  # calls answered and not yet in the ledger
    _unsettled_errors: int = 0
    _successes: int = 0
    # By run: calls on their way, and those answered and not yet in the ledger.
    _on_the_wire: Counter[int] = field(default_factory=Counter)
    _to_store: Counter[int] = field(default_factory=Counter)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _windows: dict[int, deque[bool]] = field(default_factory=dict)
    _last_live_call: int | None = None

    @property
    def _rates(self) -> Rates:
        return Rates.of(self.endpoint)

    @property
    def _chunk(self) -> int:
        """How many calls one claim takes: an eighth of the endpoint's limit, so that calls do not march in step.

        Smaller claims cost more each; calls of a larger one would all wait for the slowest.
        """
        return max(SMALLEST_CHUNK, min(self.endpoint.calls_at_once // 8, LARGEST_CHUNK))

    @property
    def _free(self) -> int:
        """How many more calls may be sent now.

        0 while an error is not in the ledger yet, because it may forbid the next call, and while answers come faster
        than the ledger stores them, because a crash would lose those that wait.
        """
        behind = self._unsettled > max(LARGEST_CHUNK, self.endpoint.calls_at_once // 2)
        return 0 if behind or self._unsettled_errors else self.endpoint.calls_at_once - self._open

    async def work(self) -> None:
        """Keep the endpoint full until the runner stops."""
        while not self.context.stopping.is_set():
            self._wake.clear()
            claimed, wait = await self._claim(min(self._chunk, self._free))
            self.failures = 0
            if not claimed:
                await wait_for(self._wake, wait)
            await self._gather()

    async def _gather(self) -> None:
        """Let a few places come free before the next claim, for so short a time that it costs next to nothing."""
        end = monotonic() + min(self.seconds_a_call * GATHERING_SHARE, LONGEST_GATHERING)
        while self._free < self._chunk and (left := end - monotonic()) > 0 and not self.context.stopping.is_set():
            self._wake.clear()
            await wait_for(self._wake, left)

    async def _claim(self, most: int) -> tuple[int, float]:
        """Claim and send up to `most` calls: (how many were sent, seconds until the next try makes sense)."""
        if most <= 0:
            return 0, IDLE_POLL
        context, estimate = self.context, int(self.tokens_a_call)
        await self._draw_for_people()
        granted, wait = await context.limiter.acquire(str(self.endpoint.pk), self._rates, most, estimate)
        if not granted:
            return 0, min(max(wait, LEAST_WAIT), IDLE_POLL)
        claimed = await context.db_thread.do(
            Urgency.CLAIM, ledger.claim, context.owner, self.endpoint.pk, granted, runs=context.runs, mine=self._open
        )
        # Send what is claimed before anything else can go wrong.
        for call in claimed:
            self._send(call, estimate)
        unused = granted - len(claimed)
        await self._give_back(unused, unused * estimate)
        return len(claimed), IDLE_POLL

    async def _draw_for_people(self) -> None:
        """Where no limiter is shared, take what other processes sent for people out of this one's; the ledger knows."""
        if self._rates.unlimited or self.context.limiter.is_shared:
            return
        self._last_live_call, sizes = await self.context.db_thread.do(
            Urgency.CLAIM, capacity.sent_for_people, self.endpoint.pk, self._last_live_call
        )
        for tokens in sizes:
            await self.context.limiter.acquire(str(self.endpoint.pk), self._rates, 1, tokens, least=1)

    def _send(self, call: Claimed, estimate: int) -> None:
        self._open += 1
        self._on_the_wire[call.run_pk] += 1
        self.context.inbox.totals.sent += 1
        task = asyncio.create_task(self._call(call, estimate))
        self.context.in_flight.add(task)
        task.add_done_callback(self.context.in_flight.discard)

    async def _call(self, call: Claimed, estimate: int) -> None:
        result: Result
        began = monotonic()
        try:
            result = await self.client.chat(call.request.messages, call.request.parameters)
        except CallError as error:
            result = error
        except Exception as error:
            log.exception("Call %d ended with an error that the client does not classify", call.pk)
            result = CallError(Trouble.AMBIGUOUS, f"Sending failed inside this program: {type(error).__name__}")
        self._open, self._unsettled = self._open - 1, self._unsettled + 1
        self._on_the_wire[call.run_pk] -= 1
        self._to_store[call.run_pk] += 1
        self._unsettled_errors += isinstance(result, CallError)
        self._wake.set()
        self.context.inbox.put(self, call, result)
        self.seconds_a_call += 0.05 * (monotonic() - began - self.seconds_a_call)
        if isinstance(result, Reply):
            used = result.prompt_tokens + result.completion_tokens
            self.tokens_a_call += 0.05 * (used - self.tokens_a_call)
            await self._give_back(0, estimate - used)

    async def _give_back(self, requests: int, tokens: int) -> None:
        if not self._rates.unlimited:
            await self.context.limiter.give_back(str(self.endpoint.pk), self._rates, requests, tokens)

    async def settled(self, results: Sequence[tuple[Claimed, Result]]) -> None:
        """These results are in the ledger now."""
        most = max(1, self.endpoint.calls_at_once - capacity.KEPT_FOR_PEOPLE)
        was_full = (self._open + len(results)) * self.context.runners >= most
        self._unsettled -= len(results)
        self._to_store.subtract(call.run_pk for call, _ in results)
        self._unsettled_errors -= sum(isinstance(result, CallError) for _, result in results)
        self._wake.set()
        await self._adapt([result for _, result in results], was_full=was_full)
        for call, result in results:
            await self._watch(call.run_pk, result)

    @property
    def report(self) -> dict[str, list[int]]:
        """By run: [calls on the wire, answers waiting to be stored]."""
        runs = sorted({run for counted in (self._on_the_wire, self._to_store) for run, n in counted.items() if n})
        return {str(run): [self._on_the_wire[run], self._to_store[run]] for run in runs}

    async def _adapt(self, results: Sequence[Result], *, was_full: bool) -> None:
        """Raise the endpoint's limit by one after many answers; the ledger lowers it after a refusal."""
        if any(isinstance(result, CallError) and result.trouble is Trouble.RATE_LIMITED for result in results):
            self._successes = 0
        elif was_full and self.endpoint.in_flight_limit is not None:
            self._successes += sum(isinstance(result, Reply) for result in results)
        if self._successes >= SUCCESSES_A_RAISE:
            more, self._successes = divmod(self._successes, SUCCESSES_A_RAISE)
            await self.context.db_thread.do(Urgency.KEEP_HOUSE, self.endpoint.raise_limit, more)

    async def _watch(self, run_pk: int, result: Result) -> None:
        """Pause a run if more than half of its latest results here failed; rate limits do not count."""
        if isinstance(result, CallError) and result.trouble is Trouble.RATE_LIMITED:
            return
        if isinstance(result, CallError) and result.trouble in (Trouble.AUTH, Trouble.QUOTA):
            # These pause the run by themselves; once a person resumes it, they are no evidence against the provider.
            self._windows.pop(run_pk, None)
            return
        window = self._windows.setdefault(run_pk, deque(maxlen=WINDOW))
        window.append(isinstance(result, CallError) and result.is_failure)
        if len(window) == WINDOW and sum(window) > WINDOW / 2:
            reason = mostly_failed(f"{sum(window)} of the last {WINDOW} calls failed at {self.endpoint}", result)
            await self.context.db_thread.do(Urgency.KEEP_HOUSE, _pause, run_pk, reason)
            window.clear()


def _pause(run_pk: int, reason: str) -> None:
    Run(pk=run_pk).pause(reason, Run.PauseCause.PROVIDER)
