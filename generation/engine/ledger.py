"""The queue of record: claim, settle, recover.

A call moves `todo → sent → done | failed | ambiguous`. The claim is committed before anything is sent, and the
answer is stored before it is read (`generation.engine.reading`). Every write of a runner is guarded by state, owner and
attempt, so a runner that was given up for dead cannot undo what happened since. Each function works in its own
transaction and may be called from any number of processes. To avoid deadlocks, locks are taken in one order
everywhere: endpoints, then runs, then calls.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import BigIntegerField, F, Q, Value
from django.utils import timezone

from core.database.bulk import update_rows
from generation.endpoints.client import CallError, Reply, Trouble
from generation.engine import capacity, lifecycle
from generation.engine.building import UnbuildableError, built
from generation.engine.requests import Request, with_stages, worst_cost
from generation.engine.settling import NOTHING, SETTLED_FIELDS, Effects, apply, make_ambiguous
from generation.models import Call, Endpoint, Run, Runner, RunStage

LEASE_MARGIN = timedelta(seconds=60)  # beyond the HTTP timeout

_CLAIMED_FIELDS = (
    "state", "owner", "attempt", "tries", "sent_at", "lease_until", "request_sha256", "reserved", "reserved_tokens",
)  # fmt: skip
_ENDED = (Call.State.FAILED, Call.State.AMBIGUOUS)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A call that only this runner may send now."""

    pk: int
    run_pk: int
    attempt: int
    request: Request


@dataclass(frozen=True, slots=True)
class Settlement:
    """The result of a claimed call."""

    pk: int
    attempt: int
    result: Reply | CallError


def claim(
    owner: str,
    endpoint_pk: int,
    most: int,
    *,
    runs: Sequence[int] = (),
    mine: int | None = None,
    now: datetime | None = None,
) -> list[Claimed]:
    """Take up to `most` waiting calls of an endpoint's running runs, shared evenly between those runs.

    `mine` is how many calls this runner has in flight. Without it the ledger's count is used, which may include calls
    that are answered and not settled yet.

    All live runners together stay within the endpoint's limit, and no run claims more than its budget pays for at
    worst. When this returns, the claim is committed. A run with a call of which no request can be made is paused with
    the reason, and nothing is taken this time.
    """
    try:
        return _claim(owner, endpoint_pk, most, runs, mine, now or timezone.now())
    except UnbuildableError as error:
        error.pause_runs()
        return []


@transaction.atomic
def _claim(
    owner: str, endpoint_pk: int, most: int, runs: Sequence[int], mine: int | None, now: datetime
) -> list[Claimed]:
    # One claim at a time for each endpoint, so that its calls in flight are counted exactly.
    endpoint = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint_pk)
    most = 0 if endpoint.is_blocked(now) else min(most, capacity.room(endpoint, owner, mine, now))
    if most <= 0:
        return []
    stages, counting = capacity.stages_by_run(endpoint, runs)
    budgets = lifecycle.lock(counting if endpoint.is_free else stages)
    running = {pk: keys for pk, keys in stages.items() if pk not in budgets or budgets[pk].state == Run.State.RUNNING}
    affordable = _reserve(endpoint, budgets, built(capacity.waiting_calls(running, most, now)))
    return _sent(affordable, owner, now, timedelta(seconds=endpoint.timeout_seconds) + LEASE_MARGIN)


def claim_for_batch(owner: str, row: RunStage, most: int, *, lease: timedelta, now: datetime) -> list[Claimed]:
    """Take up to `most` waiting calls of one stage for a batch, as many as its run can pay for at worst.

    Batches have their own limits, so calls in flight are not counted. As with `claim`, a run of which a request cannot
    be made is paused.
    """
    try:
        return _claim_for_batch(owner, row, most, lease, now)
    except UnbuildableError as error:
        error.pause_runs()
        return []


@transaction.atomic
def _claim_for_batch(owner: str, row: RunStage, most: int, lease: timedelta, now: datetime) -> list[Claimed]:
    run = lifecycle.lock([row.run_id])[row.run_id]
    if run.state != Run.State.RUNNING:
        return []
    budgets = {run.pk: run} if _counts(row.endpoint, run) else {}
    affordable = _reserve(row.endpoint, budgets, built(capacity.waiting_calls({run.pk: [row.pk]}, most, now)))
    return _sent(affordable, owner, now, lease)


def _sent(calls: Sequence[tuple[Call, Request]], owner: str, now: datetime, lease: timedelta) -> list[Claimed]:
    """Record these calls as sent; they are the runner's once the transaction is committed."""
    for call, request in calls:
        call.state, call.owner, call.sent_at = Call.State.SENT, owner, now
        call.attempt, call.tries = call.attempt + 1, call.tries + 1
        call.lease_until = now + lease
        call.request_sha256 = request.sha256
    update_rows([call for call, _ in calls], _CLAIMED_FIELDS)
    return [Claimed(call.pk, call.run_id, call.attempt, request) for call, request in calls]


def _counts(endpoint: Endpoint, run: Run) -> bool:
    """Whether a claim reserves money or tokens of the run."""
    return not endpoint.is_free or run.token_budget is not None


def settle(owner: str, settlements: Sequence[Settlement], *, now: datetime | None = None) -> list[int]:
    """Store what came back; returns the keys of answered calls, to be read next.

    A call whose lease ran out still takes a late answer while nobody has decided about it; a decision stands.
    """
    calls = _settle(owner, {item.pk: item for item in settlements}, now or timezone.now())
    lifecycle.finish_where_done({call.run_id for call in calls if call.state in _ENDED})
    return [call.pk for call in calls if call.state == Call.State.DONE]


@transaction.atomic
def _settle(owner: str, results: Mapping[int, Settlement], now: datetime) -> list[Call]:
    waiting = Q(pk__in=results, owner=owner, state__in=(Call.State.SENT, Call.State.AMBIGUOUS))
    refused = [item.pk for item in results.values() if _is_refusal(item.result)]
    runs = _lock_around(waiting, refused)
    rows = Call.objects.select_for_update(of=("self",), no_key=True).filter(waiting, run__in=runs)
    calls = [call for call in rows.order_by("pk") if call.attempt == results[call.pk].attempt]
    late = {call.run_id for call in calls if call.state == Call.State.AMBIGUOUS}
    effects = Effects()
    for call in with_stages(calls, runs):
        apply(call, results[call.pk].result, now, effects)
    update_rows(calls, SETTLED_FIELDS)
    _carry_out(effects, now)
    for run_pk in late:
        lifecycle.go_on_where_decided(runs[run_pk])
    return calls


def recover(*, now: datetime | None = None) -> int:
    """Make calls whose lease ran out ambiguous, and apply each run's policy; returns how many."""
    now = now or timezone.now()
    recovered = _recover(now)
    lifecycle.finish_where_done(lifecycle.open_runs())
    Runner.objects.filter(seen_at__lt=now - timedelta(hours=1)).delete()
    return recovered


@transaction.atomic
def _recover(now: datetime) -> int:
    stale = Q(state=Call.State.SENT, lease_until__lte=now)
    _lock_around(stale)
    calls = list(Call.objects.select_for_update(of=("self",), no_key=True, skip_locked=True).filter(stale))
    effects = Effects()
    for call in with_stages(calls):
        make_ambiguous(call, "The worker that sent this call stopped before an answer came.", now, effects)
    update_rows(calls, SETTLED_FIELDS)
    _carry_out(effects, now)
    return len(calls)


def _lock_around(which: Q, refused: Sequence[int] = ()) -> dict[int, Run]:
    """Lock what settling these calls also changes: endpoints that refused one, and their runs."""
    if refused:
        endpoints = Endpoint.objects.filter(run_stages__calls__in=refused).values("pk")
        list(Endpoint.objects.select_for_update(no_key=True).filter(pk__in=endpoints).order_by("pk"))
    return lifecycle.lock(Call.objects.filter(which).order_by().values("run_id"))


def _is_refusal(result: Reply | CallError) -> bool:
    return isinstance(result, CallError) and result.trouble is Trouble.RATE_LIMITED


def _reserve(
    endpoint: Endpoint, budgets: Mapping[int, Run], wanted: Sequence[tuple[Call, Request]]
) -> list[tuple[Call, Request]]:
    """The calls that their runs can pay for at worst, with that sum reserved; pauses a run that can pay for none."""
    by_run: dict[int, list[tuple[Call, Request]]] = defaultdict(list)
    for call, request in wanted:
        if call.run_id in budgets:
            call.reserved = worst_cost(call.run_stage, request)
            call.reserved_tokens = request.prompt_tokens + request.longest_reply
        by_run[call.run_id].append((call, request))
    taken: list[tuple[Call, Request]] = []
    for run_pk, pairs in by_run.items():
        taken += _affordable(budgets[run_pk], pairs) if run_pk in budgets else pairs
    return taken


def _affordable(run: Run, wanted: Sequence[tuple[Call, Request]]) -> list[tuple[Call, Request]]:
    money, tokens = run.money_left, run.tokens_left
    taken, price, size = [], NOTHING, 0
    for call, request in wanted:
        if _exceeds(price + call.reserved, money) or _exceeds(size + call.reserved_tokens, tokens):
            call.reserved, call.reserved_tokens = NOTHING, 0
            continue
        price, size = price + call.reserved, size + call.reserved_tokens
        taken.append((call, request))
    if taken:
        Run.objects.filter(pk=run.pk).update(
            reserved=F("reserved") + price, tokens_reserved=F("tokens_reserved") + _tokens(size)
        )
    elif not (run.reserved or run.tokens_reserved):
        run.pause(_over_budget(run), Run.PauseCause.BUDGET)
    return taken


def _exceeds(amount: Decimal | int, limit: Decimal | int | None) -> bool:
    return limit is not None and amount > limit


def _over_budget(run: Run) -> str:
    """Which budget a run has reached, and what to do."""
    parts = []
    if run.budget is not None:
        parts.append(f"the budget of ${run.budget:.2f}, of which ${run.spent:.4f} is spent")
    if run.token_budget is not None:
        parts.append(f"the budget of {run.token_budget:,} tokens, of which {run.tokens_spent:,} are used")
    return f"Another call could go beyond {' or '.join(parts)}. Raise the budget and resume."


def _tokens(number: int) -> Value:
    """A number as large as its column: Django sends a bare one in 32 bits."""
    return Value(number, output_field=BigIntegerField())


def _carry_out(effects: Effects, now: datetime) -> None:
    """Apply the effects on endpoints and runs; the caller holds their locks."""
    for endpoint, until in effects.blocks.items():
        endpoint.block_until(until)
    for endpoint, sent_at in effects.refused.items():
        endpoint.lower_limit(sent_at, now)
    for run_pk, (words, cause) in effects.pauses.items():
        Run(pk=run_pk).pause(words, cause)
    for run_pk, booking in effects.bookings.items():
        Run.objects.filter(pk=run_pk).update(
            spent=F("spent") + booking.spent,
            reserved=F("reserved") - booking.freed,
            tokens_spent=F("tokens_spent") + _tokens(booking.tokens_spent),
            tokens_reserved=F("tokens_reserved") - _tokens(booking.tokens_freed),
        )
