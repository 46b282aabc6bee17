"""The ledger of live calls: their money is reserved before anything is sent, and booked however the reply ends.

Locks are taken as everywhere: endpoints first, then calls, then budgets.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F

from generation.endpoints.answers import CallError, Reply, Trouble, storable
from generation.engine.capacity import USUAL_LONGEST_REPLY, has_place_for_person
from generation.engine.ledger import LEASE_MARGIN
from generation.engine.requests import Request
from generation.engine.settling import UNTOLD_RETRY_AFTER
from generation.models import Endpoint, LiveBudget, LiveCall
from generation.prompts import ChatMessage, estimate_tokens

State = LiveCall.State
NOTHING = Decimal(0)


class OverBudgetError(Exception):
    """The worst case of another reply is beyond the budget; the text says which one."""


class BlockedError(Exception):
    """The endpoint refused a call a short while ago, and told everybody to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The endpoint takes no calls for another {seconds:.1f} seconds.")
        self.seconds = seconds


class NoPlaceError(Exception):
    """As many people as an endpoint may answer at once wait for it already."""


@transaction.atomic
def open_call(
    budget_pk: int,
    endpoint: Endpoint,
    messages: Sequence[ChatMessage],
    parameters: Mapping[str, Any],
    now: datetime,
) -> LiveCall:
    """Reserve the worst case and write the call; send it once this has returned.

    Raises OverBudgetError, BlockedError and NoPlaceError. The endpoint is read anew: its limits and price may have
    changed since the chat began.
    """
    endpoint = Endpoint.objects.get(pk=endpoint.pk)
    if endpoint.blocked_until and endpoint.is_blocked(now):
        raise BlockedError((endpoint.blocked_until - now).total_seconds())
    if not has_place_for_person(endpoint, now):
        raise NoPlaceError
    request = Request(list(messages), dict(parameters))
    worst = endpoint.price(request.prompt_tokens, request.longest_reply or USUAL_LONGEST_REPLY)
    _reserve(budget_pk, worst)
    return LiveCall.objects.create(
        budget_id=budget_pk,
        endpoint=endpoint,
        address=endpoint.base_url,
        model=parameters["model"],
        parameters=request.parameters,
        messages=request.messages,
        request_sha256=request.sha256,
        sent_at=now,
        lease_until=now + timedelta(seconds=endpoint.timeout_seconds) + LEASE_MARGIN,
        reserved=worst,
    )


def settle(pk: int, result: Reply | CallError | str, now: datetime) -> None:
    """Store how a sent call ended; a text is what had come of a reply that was broken off. Does nothing a second time.

    Money is booked by the usage that the endpoint tells, else by an estimate. What may have been paid although no
    answer came is booked at its worst. A 429 holds everybody back who sends to the endpoint.
    """
    with transaction.atomic():
        if isinstance(result, CallError) and result.trouble is Trouble.RATE_LIMITED:
            wait = UNTOLD_RETRY_AFTER if result.retry_after is None else result.retry_after
            LiveCall.objects.select_related("endpoint").get(pk=pk).endpoint.block_until(now + timedelta(seconds=wait))
        call = LiveCall.objects.select_for_update().select_related("endpoint").filter(pk=pk, state=State.SENT).first()
        if call is None:
            return
        worst, call.reserved, call.settled_at = call.reserved, NOTHING, now
        if isinstance(result, Reply):
            _store_reply(call, result)
        elif isinstance(result, CallError):
            _store_error(call, result, worst)
        else:
            call.state, call.raw_reply = State.ABORTED, storable(result)
            _estimate(call)
        call.save()
        _book(call.budget_id, freed=worst, spent=call.cost)


def recover(now: datetime) -> int:
    """Settle calls whose process died, at their worst price; returns how many."""
    stale = LiveCall.objects.filter(state=State.SENT, lease_until__lte=now).values_list("pk", flat=True)
    for pk in list(stale):
        give_up(pk, now)
    return len(stale)


def give_up(pk: int, now: datetime) -> None:
    """Settle a call whose process died, at its worst price."""
    settle(pk, CallError(Trouble.AMBIGUOUS, "The process that waited for this reply stopped."), now)


def _store_reply(call: LiveCall, reply: Reply) -> None:
    call.state, call.raw_reply, call.finish_reason = State.DONE, reply.text, reply.finish_reason
    call.reply_model, call.is_demo = reply.model, reply.is_demo
    call.prompt_tokens, call.completion_tokens = reply.prompt_tokens, reply.completion_tokens
    if reply.prompt_tokens or reply.completion_tokens:
        call.cost = call.endpoint.price(reply.prompt_tokens, reply.completion_tokens)
    else:
        _estimate(call)


def _store_error(call: LiveCall, error: CallError, worst: Decimal) -> None:
    call.trouble, call.error = error.trouble, error.message
    if error.trouble is Trouble.AMBIGUOUS:
        call.state, call.cost, call.is_estimated = State.AMBIGUOUS, worst, True
    else:
        call.state = State.FAILED


def _estimate(call: LiveCall) -> None:
    call.prompt_tokens = estimate_tokens(call.messages)
    call.completion_tokens = estimate_tokens([{"role": "assistant", "content": call.raw_reply}])
    call.cost, call.is_estimated = call.endpoint.price(call.prompt_tokens, call.completion_tokens), True


def _chain(budget_pk: int) -> list[LiveBudget]:
    """The budget and those it is part of, locked from the outermost in."""
    found: list[int] = []
    place: int | None = budget_pk
    while place is not None:
        found.append(place)
        place = LiveBudget.objects.values_list("parent", flat=True).get(pk=place)
    return [LiveBudget.objects.select_for_update().get(pk=pk) for pk in reversed(found)]


def _reserve(budget_pk: int, worst: Decimal) -> None:
    chain = _chain(budget_pk)
    for budget in chain:
        if budget.left is not None and worst > budget.left:
            raise OverBudgetError(
                f"Another reply could cost ${worst:.4f}, and {budget} has ${max(budget.left, NOTHING):.4f} left of "
                f"${budget.budget:.2f}."
            )
    LiveBudget.objects.filter(pk__in=[budget.pk for budget in chain]).update(reserved=F("reserved") + worst)


def _book(budget_pk: int, *, freed: Decimal, spent: Decimal) -> None:
    keys = [budget.pk for budget in _chain(budget_pk)]
    LiveBudget.objects.filter(pk__in=keys).update(reserved=F("reserved") - freed, spent=F("spent") + spent)
