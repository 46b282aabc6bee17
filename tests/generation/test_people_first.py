"""A person's call goes before those of runs: it is sent at once, and runs take what is left of places and rates."""

import asyncio
import os
from secrets import token_hex

import pytest
from django.utils import timezone

from generation.endpoints.answers import CallError, Trouble
from generation.endpoints.limits import Limiter, LocalLimiter, Rates, RedisLimiter
from generation.engine import capacity, ledger
from generation.live import calls
from generation.models import Endpoint, LiveBudget, LiveCall, Runner
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus, started


def live_call(endpoint: Endpoint) -> LiveCall:
    pot = LiveBudget.objects.create(name="Chat")
    parameters = {"model": endpoint.model, "max_tokens": 100}
    return calls.open_call(pot.pk, endpoint, [{"role": "user", "content": "Hi"}], parameters, timezone.now())


def claimed(endpoint: Endpoint) -> int:
    Runner.beat("me", timezone.now())
    return len(ledger.claim("me", endpoint.pk, 64))


@pytest.mark.django_db
def test_a_run_leaves_the_places_of_people_and_one_more() -> None:
    endpoint = endpoint_at(NOWHERE, max_in_flight=8)
    started(small_corpus(20), endpoint)
    for _ in range(2):
        live_call(endpoint)
    assert claimed(endpoint) == 8 - 2 - capacity.KEPT_FOR_PEOPLE


@pytest.mark.django_db
def test_the_place_stays_free_between_two_messages_and_no_longer() -> None:
    endpoint = endpoint_at(NOWHERE, max_in_flight=8)
    started(small_corpus(20), endpoint)
    call = live_call(endpoint)
    calls.settle(call.pk, CallError(Trouble.REJECTED, "no"), timezone.now())
    assert claimed(endpoint) == 8 - capacity.KEPT_FOR_PEOPLE
    LiveCall.objects.update(sent_at=timezone.now() - capacity.STILL_CHATTING)
    assert claimed(endpoint) == capacity.KEPT_FOR_PEOPLE


@pytest.mark.django_db
def test_a_run_goes_on_at_an_endpoint_with_one_place_and_gives_it_up_to_a_person() -> None:
    endpoint = endpoint_at(NOWHERE, max_in_flight=1)
    started(small_corpus(3), endpoint)
    call = live_call(endpoint)
    assert claimed(endpoint) == 0
    calls.settle(call.pk, CallError(Trouble.REJECTED, "no"), timezone.now())
    assert claimed(endpoint) == 1


@pytest.mark.django_db
def test_no_more_people_than_the_endpoint_has_places_are_answered_at_once() -> None:
    endpoint = endpoint_at(NOWHERE, max_in_flight=2)
    started(small_corpus(5), endpoint)
    assert claimed(endpoint) == 2
    for _ in range(2):
        live_call(endpoint)
    with pytest.raises(calls.NoPlaceError):
        live_call(endpoint)
    assert LiveCall.objects.count() == 2


@pytest.mark.django_db
def test_a_persons_refused_call_holds_everybody_back() -> None:
    endpoint = endpoint_at(NOWHERE)
    started(small_corpus(5), endpoint)
    calls.settle(live_call(endpoint).pk, CallError(Trouble.RATE_LIMITED, "later", 30.0), timezone.now())
    assert claimed(endpoint) == 0
    with pytest.raises(calls.BlockedError) as blocked:
        live_call(endpoint)
    assert 0 < blocked.value.seconds <= 30


def overdrawn(limiter: Limiter, key: str) -> list[int]:
    """Two calls are left of the bucket's six when five people come; then what a run is granted, now and later."""

    async def asked() -> list[int]:
        rates = Rates(600, 600_000)
        found = [(await limiter.acquire(key, rates, 58, 100))[0]]
        found += [(await limiter.acquire(key, rates, 1, 100, least=1))[0] for _ in range(5)]
        found.append((await limiter.acquire(key, rates, 8, 100))[0])
        await limiter.give_back(key, rates, 5, 0)
        found.append((await limiter.acquire(key, rates, 8, 100))[0])
        await limiter.close()
        return found

    return asyncio.run(asked())


def test_a_person_overdraws_the_rate_and_a_run_waits_until_that_is_paid_back() -> None:
    assert overdrawn(LocalLimiter(lambda: 0.0), "e") == [58, 1, 1, 1, 1, 1, 0, 2]


def test_an_overdrawn_bucket_says_how_long_it_takes_to_pay_back() -> None:
    limiter = LocalLimiter(lambda: 0.0)

    async def asked() -> float:
        await limiter.acquire("e", Rates(60, None), 6, 1)
        await limiter.acquire("e", Rates(60, None), 3, 1, least=3)
        return (await limiter.acquire("e", Rates(60, None), 1, 1))[1]

    assert asyncio.run(asked()) == 4.0


@pytest.mark.redis
@pytest.mark.skipif(not os.environ.get("REDIS_URL"), reason="REDIS_URL is not set")
def test_processes_share_what_is_overdrawn_over_redis() -> None:
    async def asked() -> tuple[int, int, float]:
        key, rates = f"test-{token_hex(4)}", Rates(6, None)
        chats, runner = RedisLimiter(os.environ["REDIS_URL"]), RedisLimiter(os.environ["REDIS_URL"])
        drawn = (await chats.acquire(key, rates, 3, 1, least=3))[0]
        left, wait = await runner.acquire(key, rates, 1, 1)
        for limiter in (chats, runner):
            await limiter.close()
        return drawn, left, wait

    drawn, left, wait = asyncio.run(asked())
    assert (drawn, left) == (3, 0)
    assert 20 < wait <= 30
