"""Requests and tokens a minute: never more than allowed, in one process and over a shared Redis."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from secrets import token_hex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.endpoints.limits import (
    AWAY_SECONDS,
    FallbackLimiter,
    Limiter,
    LocalLimiter,
    Rates,
    RedisLimiter,
    limiter,
)

pytestmark = pytest.mark.redis


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def granted(limiter: Limiter, rates: Rates, most: int, tokens: int = 100) -> tuple[int, float]:
    return asyncio.run(limiter.acquire("e", rates, most, tokens))


def test_without_limits_everything_goes() -> None:
    assert granted(LocalLimiter(), Rates(None, None), 64) == (64, 0.0)


def test_requests_come_back_with_time() -> None:
    clock = Clock()
    limiter = LocalLimiter(clock)
    rates = Rates(60, None)
    assert granted(limiter, rates, 64)[0] == 6
    count, wait = granted(limiter, rates, 1)
    assert (count, wait) == (0, 1.0)
    clock.now = 2.5
    assert granted(limiter, rates, 64)[0] == 2


def test_tokens_that_were_not_used_are_given_back() -> None:
    limiter = LocalLimiter(Clock())
    rates = Rates(None, 6000)
    assert granted(limiter, rates, 10, tokens=200)[0] == 3
    asyncio.run(limiter.give_back("e", rates, 0, 200))
    assert granted(limiter, rates, 10, tokens=200)[0] == 1


def test_a_call_larger_than_a_minutes_tokens_still_goes_when_the_bucket_is_full() -> None:
    assert granted(LocalLimiter(Clock()), Rates(None, 1000), 5, tokens=50_000)[0] == 1


@settings(max_examples=40, deadline=None)
@given(
    per_minute=st.integers(1, 600),
    asks=st.lists(st.tuples(st.integers(1, 50), st.floats(0, 5)), min_size=1, max_size=60),
)
def test_no_minute_sees_more_than_its_share_and_one_bucket(per_minute: int, asks: list[tuple[int, float]]) -> None:
    clock = Clock()
    limiter = LocalLimiter(clock)
    sent: list[tuple[float, int]] = []
    for most, pause in asks:
        sent.append((clock.now, granted(limiter, Rates(per_minute, None), most)[0]))
        clock.now += pause
    for start, _ in sent:
        in_a_minute = sum(count for at, count in sent if start <= at < start + 60)
        assert in_a_minute <= per_minute + max(per_minute / 10, 1) + 1


class BrokenLimiter(LocalLimiter):
    """A shared limiter whose server can go away."""

    broken = False

    async def acquire(self, key: str, rates: Rates, most: int, tokens: int, least: int = 0) -> tuple[int, float]:
        if self.broken:
            raise ConnectionError("gone")
        return await super().acquire(key, rates, most, tokens, least)

    async def give_back(self, key: str, rates: Rates, requests: int, tokens: int) -> None:
        if self.broken:
            raise TimeoutError("no answer")
        await super().give_back(key, rates, requests, tokens)


def test_while_redis_is_away_each_runner_keeps_to_its_share_and_then_comes_back() -> None:
    clock = Clock()
    shared_limiter = BrokenLimiter(clock)
    fallback = FallbackLimiter(shared_limiter, clock)
    fallback.share(4)
    rates = Rates(240, None)
    assert granted(fallback, rates, 10)[0] == 10
    shared_limiter.broken = True
    assert granted(fallback, rates, 10)[0] == 0
    asyncio.run(fallback.give_back("e", rates, 1, 0))
    clock.now = 4.0
    assert granted(fallback, rates, 10)[0] == 5
    shared_limiter.broken = False
    clock.now = AWAY_SECONDS + 1
    assert granted(fallback, rates, 20)[0] == 20


def test_a_redis_that_is_not_there_stops_nobody() -> None:
    nowhere = limiter("redis://127.0.0.1:1/0")
    assert granted(nowhere, Rates(None, None), 7) == (7, 0.0)
    count, wait = granted(nowhere, Rates(60, 6000), 7)
    assert count == 0
    assert 0 < wait <= 1.01


@asynccontextmanager
async def shared() -> AsyncIterator[Callable[[], RedisLimiter]]:
    made: list[RedisLimiter] = []

    def make() -> RedisLimiter:
        made.append(RedisLimiter(os.environ["REDIS_URL"]))
        return made[-1]

    try:
        yield make
    finally:
        for limiter in made:
            await limiter.close()


@pytest.mark.skipif(not os.environ.get("REDIS_URL"), reason="REDIS_URL is not set")
def test_two_processes_share_one_bucket_over_redis() -> None:
    async def ask() -> list[int]:
        key, rates = f"test-{token_hex(4)}", Rates(60, 60_000)
        async with shared() as make:
            first, second = make(), make()
            counts = [(await limiter.acquire(key, rates, 4, 10))[0] for limiter in (first, second, first)]
            await first.give_back(key, rates, 2, 20)
            return [*counts, (await second.acquire(key, rates, 4, 10))[0]]

    assert asyncio.run(ask()) == [4, 2, 0, 2]
