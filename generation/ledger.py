"""The queue of record: claim, settle, recover.

A call moves `todo → sent → done | failed | ambiguous`. The claim is committed before anything is sent, and the
answer is stored before it is read (`generation.reading`). Every write of a runner is guarded by state, owner and
attempt, so a runner that was given up for dead cannot undo what happened since. All functions work in one
transaction of their own and may be called from any number of processes.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from generation import lifecycle
from generation.client import CallError, Reply, Trouble
from generation.models import Call, Endpoint, Run, Runner
from generation.requests import Request, build, cost, with_runs, worst_cost
from generation.rows import update_rows

MOST_ATTEMPTS = 5
LEASE_MARGIN = timedelta(seconds=60)  # beyond the HTTP timeout
FIRST_BACKOFF, LONGEST_BACKOFF = 2.0, 120.0  # seconds
UNTOLD_RETRY_AFTER = 5.0  # seconds, where a 429 does not say
NOTHING = Decimal(0)

_CLAIMED_FIELDS = ("state", "owner", "attempt", "sent_at", "lease_until", "request_sha256", "reserved")
_ENDED = (Call.State.FAILED, Call.State.AMBIGUOUS)
_SETTLED_FIELDS = (
    "state", "owner", "lease_until", "not_before", "attempt", "settled_at", "raw_reply", "finish_reason", "reply_model",
    "is_demo", "prompt_tokens", "completion_tokens", "cost", "reserved", "outcome", "error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Claimed:
    """A call that this runner alone may send now."""

    pk: int
    run_pk: int
    attempt: int
    request: Request


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a claimed call."""

    pk: int
    attempt: int
    result: Reply | CallError


@transaction.atomic
def claim(
    owner: str, endpoint_pk: int, most: int, *, runs: Sequence[int] = (), now: datetime | None = None
) -> list[Claimed]:
    """Take up to `most` waiting calls of an endpoint's running runs, shared evenly between those runs.

    Never more than the endpoint's calls in flight over all live runners, and never more than a run's budget can
    pay for at worst. When this returns, the claim is committed.
    """
    now = now or timezone.now()
    # One claim at a time an endpoint, so that its calls in flight are counted exactly.
    endpoint = Endpoint.objects.select_for_update().get(pk=endpoint_pk)
    most = min(most, endpoint.max_in_flight - _in_flight(endpoint, now))
    calls = _share(endpoint, most, runs, now) if most > 0 else []
    affordable = _reserve(endpoint, list(zip(calls, build(with_runs(calls)), strict=True)))
    for call, request in affordable:
        call.state, call.owner, call.attempt, call.sent_at = Call.State.SENT, owner, call.attempt + 1, now
        call.lease_until = now + timedelta(seconds=endpoint.timeout_seconds) + LEASE_MARGIN
        call.request_sha256 = request.sha256
    update_rows([call for call, _ in affordable], _CLAIMED_FIELDS)
    return [Claimed(call.pk, call.run_id, call.attempt, request) for call, request in affordable]


@transaction.atomic
def settle(owner: str, settlements: Sequence[Settlement], *, now: datetime | None = None) -> list[int]:
    """Store what came back; returns the keys of answered calls, to be read next.

    A call that was meanwhile given up (its lease ran out) and is still undecided takes its late answer; one that
    was decided otherwise keeps the decision.
    """
    now = now or timezone.now()
    results = {item.pk: item for item in settlements}
    waiting = (Call.State.SENT, Call.State.AMBIGUOUS)
    rows = Call.objects.select_for_update(of=("self",)).filter(pk__in=results, owner=owner, state__in=waiting)
    calls = [call for call in rows.order_by("pk") if call.attempt == results[call.pk].attempt]
    before = {call.pk: (call.run_id, call.reserved, call.cost) for call in calls}
    for call in with_runs(calls):
        _apply(call, results[call.pk].result, now)
    update_rows(calls, _SETTLED_FIELDS)
    _account(calls, before)
    lifecycle.finish_where_done({call.run_id for call in calls if call.state in _ENDED})
    return [call.pk for call in calls if call.state == Call.State.DONE]


@transaction.atomic
def recover(*, now: datetime | None = None) -> int:
    """Turn calls whose lease ran out into ambiguous ones, and apply each run's policy; returns how many."""
    now = now or timezone.now()
    rows = Call.objects.select_for_update(of=("self",), skip_locked=True).filter(
        state=Call.State.SENT, lease_until__lte=now
    )
    calls = list(rows.order_by("pk"))
    before = {call.pk: (call.run_id, call.reserved, call.cost) for call in calls}
    for call in with_runs(calls):
        _make_ambiguous(call, "The worker that sent this call stopped before an answer came.", now)
    update_rows(calls, _SETTLED_FIELDS)
    _account(calls, before)
    lifecycle.finish_where_done(Run.objects.filter(state=Run.State.RUNNING).values_list("pk", flat=True))
    Runner.objects.filter(seen_at__lt=now - timedelta(hours=1)).delete()
    return len(calls)


@transaction.atomic
def decide(run: Run, *, resend: bool) -> int:
    """A person's word on all ambiguous calls of a run: send again, or give up; returns how many."""
    held = run.calls.filter(state=Call.State.AMBIGUOUS)
    if resend:
        return held.update(state=Call.State.TODO, owner="", attempt=0, not_before=timezone.now(), outcome="", error="")
    return held.update(state=Call.State.FAILED, owner="", settled_at=timezone.now())


@transaction.atomic
def retry_failed(run: Run) -> int:
    """Put calls that failed without a usable answer back in line; returns how many.

    One that was answered keeps its row and reply; its repairs were used up.
    """
    return run.calls.retryable().update(
        state=Call.State.TODO, owner="", attempt=0, not_before=timezone.now(), outcome="", error=""
    )


def _in_flight(endpoint: Endpoint, now: datetime) -> int:
    """Calls on their way by runners that are alive."""
    sent = Call.objects.filter(state=Call.State.SENT, run__endpoint=endpoint)
    return sent.filter(owner__in=Runner.live(now).values("owner")).count()


def _share(endpoint: Endpoint, most: int, runs: Sequence[int], now: datetime) -> list[Call]:
    """Waiting calls, an even share a run first, then whatever is left."""
    running = Run.objects.filter(endpoint=endpoint, state=Run.State.RUNNING).order_by("pk")
    keys = list((running.filter(pk__in=runs) if runs else running).values_list("pk", flat=True))
    found: dict[int, Call] = {}
    for share in ((most + len(keys) - 1) // len(keys) if keys else 0, most):
        for key in keys:
            rows = Call.objects.select_for_update(of=("self",), skip_locked=True).claimable(now).filter(run=key)
            room = min(share, most - len(found))
            if room > 0:
                found |= {call.pk: call for call in rows.exclude(pk__in=found).select_related("dialogue")[:room]}
    return list(found.values())


def _reserve(endpoint: Endpoint, wanted: Sequence[tuple[Call, Request]]) -> list[tuple[Call, Request]]:
    """The calls that their runs can pay for at worst, with the sum reserved; pauses a run that can pay for none."""
    if endpoint.is_free:
        return list(wanted)
    by_run: dict[int, list[tuple[Call, Request]]] = defaultdict(list)
    for call, request in wanted:
        call.reserved = worst_cost(endpoint, request)
        by_run[call.run_id].append((call, request))
    taken: list[tuple[Call, Request]] = []
    for run in Run.objects.select_for_update().filter(pk__in=by_run).order_by("pk"):
        taken += _affordable(run, by_run[run.pk])
    return taken


def _affordable(run: Run, wanted: Sequence[tuple[Call, Request]]) -> list[tuple[Call, Request]]:
    left = None if run.budget is None else run.budget - run.spent - run.reserved
    taken, total = [], NOTHING
    for call, request in wanted:
        if left is not None and total + call.reserved > left:
            call.reserved = NOTHING
            continue
        total += call.reserved
        taken.append((call, request))
    if taken:
        Run.objects.filter(pk=run.pk).update(reserved=F("reserved") + total)
    elif not run.reserved:
        run.pause(
            f"The budget of ${run.budget:.2f} does not cover another call: ${run.spent:.4f} is spent. "
            "Raise the budget and resume."
        )
    return taken


def _apply(call: Call, result: Reply | CallError, now: datetime) -> None:
    if isinstance(result, Reply):
        _store_reply(call, result, now)
        return
    call.error = result.message
    if result.trouble is Trouble.AMBIGUOUS:
        _make_ambiguous(call, result.message, now)
    elif result.trouble is Trouble.REJECTED:
        _fail(call, result.trouble, now)
    elif result.trouble is Trouble.PROVIDER:
        _try_again_later(call, result, now)
    else:
        _not_an_attempt(call, result, now)


def _store_reply(call: Call, reply: Reply, now: datetime) -> None:
    # A late answer replaces the worst case that was booked when it was given up for lost; any other answer comes on
    # top of what earlier attempts may have cost.
    late = call.state == Call.State.AMBIGUOUS
    told = bool(reply.prompt_tokens or reply.completion_tokens)
    price = cost(call.run.endpoint, reply.prompt_tokens, reply.completion_tokens)
    if late:
        call.cost = price if told else call.cost
    else:
        call.cost += price if told else call.reserved
    call.reserved = NOTHING
    call.state, call.settled_at, call.lease_until = Call.State.DONE, now, None
    call.raw_reply, call.finish_reason, call.reply_model = reply.text, reply.finish_reason, reply.model
    call.is_demo, call.outcome, call.error = reply.is_demo, "", ""
    call.prompt_tokens, call.completion_tokens = reply.prompt_tokens, reply.completion_tokens


def _make_ambiguous(call: Call, why: str, now: datetime) -> None:
    """It may have been paid for, so the worst case is booked as spent."""
    call.cost += call.reserved
    call.reserved, call.lease_until, call.settled_at = NOTHING, None, now
    call.state, call.outcome, call.error = Call.State.AMBIGUOUS, Trouble.AMBIGUOUS, why
    if call.run.ambiguous_policy == Run.AmbiguousPolicy.RESEND:
        if call.attempt >= MOST_ATTEMPTS:
            _fail(call, Trouble.AMBIGUOUS, now)
        else:
            _wait(call, now + backoff(call))
            call.outcome = ""


def _try_again_later(call: Call, error: CallError, now: datetime) -> None:
    call.reserved = NOTHING
    if call.attempt >= MOST_ATTEMPTS:
        _fail(call, Trouble.PROVIDER, now)
    else:
        _wait(call, now + max(backoff(call), timedelta(seconds=error.retry_after or 0)))


def _not_an_attempt(call: Call, error: CallError, now: datetime) -> None:
    """The endpoint would not take it now: nothing was paid and nothing is held against the call."""
    call.attempt -= 1
    call.reserved = NOTHING
    if error.trouble is Trouble.RATE_LIMITED:
        wait = UNTOLD_RETRY_AFTER if error.retry_after is None else error.retry_after
        _wait(call, now + timedelta(seconds=wait))
        call.run.endpoint.block_until(call.not_before)
    else:
        _wait(call, now)
        call.run.pause(_PAUSE_WORDS[error.trouble].format(error.message))


_PAUSE_WORDS = {
    Trouble.QUOTA: "The endpoint says that the account has no quota left ({}). Top it up, then resume.",
    Trouble.AUTH: "The endpoint does not accept the API key ({}). Correct the key, then resume.",
}


def _wait(call: Call, until: datetime) -> None:
    call.state, call.owner, call.lease_until, call.not_before = Call.State.TODO, "", None, until


def _fail(call: Call, outcome: str, now: datetime) -> None:
    call.state, call.owner, call.lease_until, call.settled_at = Call.State.FAILED, "", None, now
    call.outcome, call.reserved = outcome, NOTHING


def backoff(call: Call) -> timedelta:
    """Doubling with every attempt, between half and the whole of the step; the same for the same call and attempt."""
    step = min(FIRST_BACKOFF * 2 ** (call.attempt - 1), LONGEST_BACKOFF)
    jitter = Random(f"{call.pk}/{call.attempt}").uniform(0.5, 1)  # noqa: S311 - spreads load, guards nothing
    return timedelta(seconds=step * jitter)


def _account(calls: Iterable[Call], before: dict[int, tuple[int, Decimal, Decimal]]) -> None:
    """Carry the change of what these calls cost and reserve over to their runs."""
    spent: dict[int, Decimal] = defaultdict(Decimal)
    freed: dict[int, Decimal] = defaultdict(Decimal)
    for call in calls:
        run_pk, reserved, cost_before = before[call.pk]
        spent[run_pk] += call.cost - cost_before
        freed[run_pk] += reserved - call.reserved
    for run_pk in sorted(spent):
        if spent[run_pk] or freed[run_pk]:
            Run.objects.filter(pk=run_pk).update(
                spent=F("spent") + spent[run_pk], reserved=F("reserved") - freed[run_pk]
            )
