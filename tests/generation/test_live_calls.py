"""Replies that a person waits for: streamed in pieces, and paid from a budget however they end."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from generation.endpoints.answers import CallError, Reply, Trouble
from generation.endpoints.client import Client, target_of
from generation.endpoints.streamed import StreamedAnswer
from generation.live import calls
from generation.models import Endpoint, LiveBudget, LiveCall
from generation.prompts import ChatMessage
from tests.demo_server import DemoServer

MESSAGES: list[ChatMessage] = [{"role": "user", "content": "Do you like tea?"}]
PARAMETERS: dict[str, Any] = {"model": "m", "max_tokens": 100}


def budget_of(dollars: str | None, parent: LiveBudget | None = None) -> LiveBudget:
    return LiveBudget.objects.create(name="Chats", budget=dollars and Decimal(dollars), parent=parent)


@pytest.fixture
def paid(db: None) -> Endpoint:
    return Endpoint.objects.create(name="E", base_url="http://127.0.0.1:9/v1", model="m", price_in=1000, price_out=1000)


def opened(budget: LiveBudget, endpoint: Endpoint) -> LiveCall:
    return calls.open_call(budget.pk, endpoint, MESSAGES, PARAMETERS, timezone.now())


def test_a_reply_reserves_its_worst_and_books_what_it_used_in_every_budget_around_it(paid: Endpoint) -> None:
    study = budget_of("10")
    chat = budget_of("1", study)
    call = opened(chat, paid)
    for budget in (chat, study):
        budget.refresh_from_db()
        assert budget.reserved == call.reserved > Decimal("0.1")
    calls.settle(call.pk, Reply("Yes.", "stop", "m", 30, 20, is_demo=False), timezone.now())
    calls.settle(call.pk, Reply("Yes.", "stop", "m", 99, 99, is_demo=False), timezone.now())
    for budget in (chat, study):
        budget.refresh_from_db()
        assert (budget.reserved, budget.spent) == (0, Decimal("0.05"))
    call.refresh_from_db()
    assert (call.state, call.raw_reply, call.cost) == (LiveCall.State.DONE, "Yes.", Decimal("0.05"))


def test_nothing_is_sent_beyond_the_budget_of_the_chat_or_of_the_study(paid: Endpoint) -> None:
    study = budget_of("0.05")
    chat = budget_of(None, study)
    with pytest.raises(calls.OverBudgetError, match=r"left of \$0.05"):
        opened(chat, paid)
    assert not LiveCall.objects.exists()
    study.refresh_from_db()
    assert study.reserved == 0


@pytest.mark.parametrize("trouble", Trouble)
def test_what_may_have_been_paid_is_booked_and_what_was_not_is_given_back(paid: Endpoint, trouble: Trouble) -> None:
    budget = budget_of("10")
    call = opened(budget, paid)
    calls.settle(call.pk, CallError(trouble, "no"), timezone.now())
    budget.refresh_from_db()
    assert budget.reserved == 0
    assert budget.spent == (call.reserved if trouble is Trouble.AMBIGUOUS else 0)


def test_a_reply_that_we_broke_off_costs_what_had_come(paid: Endpoint) -> None:
    budget = budget_of("10")
    call = opened(budget, paid)
    calls.settle(call.pk, "Yes, but", timezone.now())
    call.refresh_from_db()
    assert (call.state, call.raw_reply, call.is_estimated) == (LiveCall.State.ABORTED, "Yes, but", True)
    assert 0 < call.cost < Decimal("0.05")


def test_a_call_whose_process_died_is_settled_at_its_worst(paid: Endpoint) -> None:
    budget = budget_of("10")
    call = opened(budget, paid)
    assert calls.recover(timezone.now()) == 0
    assert calls.recover(call.lease_until) == 1
    budget.refresh_from_db()
    assert budget.spent == call.reserved


def test_a_stream_is_told_in_pieces_and_read_as_a_whole(demo_model: DemoServer) -> None:
    async def streamed() -> tuple[list[str], Reply]:
        pieces: list[str] = []
        client = Client(target_of(Endpoint(base_url=demo_model.base_url, model="demo")))
        try:
            return pieces, await client.stream(MESSAGES, {"model": "demo"}, pieces.append)
        finally:
            await client.close()

    pieces, reply = asyncio.run(streamed())
    assert "".join(pieces) == reply.text
    assert reply.is_demo
    assert reply.completion_tokens > 0


def test_other_line_separators_within_a_text_end_no_line() -> None:
    told: list[str] = []
    answer = StreamedAnswer(told.append)
    line = 'data: {"choices": [{"delta": {"content": "a\u2028b\x85c"}}]}\r\n\r\ndata: [DONE]\n'
    for letter in line:
        answer.add(letter)
    assert told == ["a\u2028b\x85c"]
    assert answer.finish() == line
