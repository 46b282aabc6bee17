"""Requests and tokens a minute: a token bucket for each endpoint, which all workers share if there is a Redis.

Calls in flight are counted by the ledger's claim, which all workers share anyway.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol, Self, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from generation.models import Endpoint

log = logging.getLogger(__name__)

MINUTE = 60.0
REDIS_SECONDS = 2.0  # time limit of a request to Redis
AWAY_SECONDS = 5.0  # until Redis is asked again after it did not answer


@dataclass(frozen=True, slots=True)
class Rates:
    """None: no limit."""

    requests_per_minute: int | None
    tokens_per_minute: int | None

    @classmethod
    def of(cls, endpoint: Endpoint) -> Self:
        return cls(endpoint.requests_per_minute, endpoint.tokens_per_minute)

    @property
    def unlimited(self) -> bool:
        return self.requests_per_minute is None and self.tokens_per_minute is None

    def divided(self, runners: int) -> "Rates":
        """One runner's share; at least one request a minute."""
        return Rates(
            *(value and max(1, value // runners) for value in (self.requests_per_minute, self.tokens_per_minute))
        )


class Limiter(Protocol):
    is_shared: bool  # whether other processes draw from the same buckets

    async def acquire(self, key: str, rates: Rates, most: int, tokens: int, least: int = 0) -> tuple[int, float]:
        """Ask to send up to `most` calls of about `tokens` each: (how many may go, seconds until more may).

        `least` of them go in any case: a person waits for them. A bucket that lacks what they take owes it, so that
        others wait until it is paid back.
        """

    async def give_back(self, key: str, rates: Rates, requests: int, tokens: int) -> None:
        """Return what was not used; a negative number of tokens takes more."""

    def share(self, runners: int) -> None:
        """Tell how many runners are alive, for a limiter that cannot ask the others."""

    async def close(self) -> None: ...


@dataclass(slots=True)
class _Bucket:
    """Holds at most a tenth of a minute's amount (at least one call), so that no minute exceeds its limit by much."""

    level: float
    at: float


class LocalLimiter:
    """For one process."""

    is_shared = False

    def __init__(self, clock: Callable[[], float] = monotonic, *, full: bool = True) -> None:
        """`full`: whether buckets start full."""
        self._clock = clock
        self._full = full
        self._buckets: dict[str, _Bucket] = {}

    async def acquire(self, key: str, rates: Rates, most: int, tokens: int, least: int = 0) -> tuple[int, float]:
        granted, wait = most, 0.0
        for name, per_minute, size in _demands(key, rates, tokens):
            bucket = self._filled(name, per_minute, size)
            granted = max(least, min(granted, int(bucket.level // size)))
            wait = max(wait, max(size - bucket.level, size - bucket.level % size) / per_minute * MINUTE)
        for name, _, size in _demands(key, rates, tokens):
            self._buckets[name].level -= granted * size
        return granted, wait

    async def give_back(self, key: str, rates: Rates, requests: int, tokens: int) -> None:
        for name, amount in ((f"{key}:requests", requests), (f"{key}:tokens", tokens)):
            if name in self._buckets:
                self._buckets[name].level += amount

    def share(self, runners: int) -> None:
        pass

    async def close(self) -> None:
        pass

    def _filled(self, name: str, per_minute: int, size: int) -> _Bucket:
        now, room = self._clock(), bucket_size(per_minute, size)
        bucket = self._buckets.setdefault(name, _Bucket(room if self._full else 0.0, now))
        bucket.level = min(room, bucket.level + (now - bucket.at) * per_minute / MINUTE)
        bucket.at = now
        return bucket


# KEYS: a bucket for each demand. ARGV: most, least, then (per minute, size, capacity) for each. Redis's own clock.
_ACQUIRE = """
local now = redis.call('TIME')
local at = tonumber(now[1]) + tonumber(now[2]) / 1e6
local granted, least, wait, levels = tonumber(ARGV[1]), tonumber(ARGV[2]), 0, {}
for i, key in ipairs(KEYS) do
  local rate, size, room = tonumber(ARGV[3*i]), tonumber(ARGV[3*i+1]), tonumber(ARGV[3*i+2])
  local held = redis.call('HMGET', key, 'level', 'at')
  local level = tonumber(held[1]) or room
  levels[i] = math.min(room, level + math.max(0, at - (tonumber(held[2]) or at)) * rate / 60)
  granted = math.max(least, math.min(granted, math.floor(levels[i] / size)))
  wait = math.max(wait, math.max(size - levels[i], size - levels[i] % size) / rate * 60)
end
for i, key in ipairs(KEYS) do
  local left = levels[i] - granted * tonumber(ARGV[3*i+1])
  redis.call('HSET', key, 'level', tostring(left), 'at', string.format('%.6f', at))
  redis.call('EXPIRE', key, 600)
end
return {granted, tostring(wait)}
"""


class RedisLimiter:
    """For all processes that share a Redis; after a flush its buckets are full. Raises what Redis raises."""

    is_shared = True

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS, retry=Retry(NoBackoff(), 1)
        )
        self._acquire = self._redis.register_script(_ACQUIRE)

    async def acquire(self, key: str, rates: Rates, most: int, tokens: int, least: int = 0) -> tuple[int, float]:
        demands = _demands(key, rates, tokens)
        if not demands:
            return most, 0.0
        numbers = [number for _, rate, size in demands for number in (rate, size, bucket_size(rate, size))]
        reply = await self._acquire(keys=[f"limit:{name}" for name, _, _ in demands], args=[most, least, *numbers])
        granted, wait = cast(tuple[int, bytes], reply)
        return int(granted), float(wait)

    async def give_back(self, key: str, rates: Rates, requests: int, tokens: int) -> None:
        amounts = {"requests": (rates.requests_per_minute, requests), "tokens": (rates.tokens_per_minute, tokens)}
        for name, (per_minute, amount) in amounts.items():
            if per_minute is not None and amount:
                await self._redis.hincrbyfloat(f"limit:{key}:{name}", "level", amount)

    def share(self, runners: int) -> None:
        pass

    async def close(self) -> None:
        await self._redis.aclose()


class FallbackLimiter:
    """A shared limiter; while it does not answer, this runner keeps to its own share of the limits."""

    is_shared = True

    def __init__(self, shared: Limiter, clock: Callable[[], float] = monotonic) -> None:
        self._shared = shared
        # Empty at first: what the shared buckets held has been granted already.
        self._local = LocalLimiter(clock, full=False)
        self._clock = clock
        self._away_until = 0.0
        self._runners = 1

    async def acquire(self, key: str, rates: Rates, most: int, tokens: int, least: int = 0) -> tuple[int, float]:
        if not self._away:
            try:
                return await self._shared.acquire(key, rates, most, tokens, least)
            except (RedisError, OSError) as error:
                self._leave(error)
        return await self._local.acquire(key, rates.divided(self._runners), most, tokens, least)

    async def give_back(self, key: str, rates: Rates, requests: int, tokens: int) -> None:
        if not self._away:
            try:
                return await self._shared.give_back(key, rates, requests, tokens)
            except (RedisError, OSError) as error:
                self._leave(error)
        return await self._local.give_back(key, rates, requests, tokens)

    def share(self, runners: int) -> None:
        self._runners = max(1, runners)

    async def close(self) -> None:
        try:
            await self._shared.close()
        except (RedisError, OSError) as error:
            self._leave(error)

    @property
    def _away(self) -> bool:
        return self._clock() < self._away_until

    def _leave(self, error: Exception) -> None:
        self._away_until = self._clock() + AWAY_SECONDS
        log.warning("Redis does not answer, each runner keeps to its own share of the limits: %s", error)


def limiter(redis_url: str) -> Limiter:
    """Shared through Redis if there is one."""
    return FallbackLimiter(RedisLimiter(redis_url)) if redis_url else LocalLimiter()


def bucket_size(per_minute: int, size: int) -> float:
    """The most a bucket holds."""
    return float(max(per_minute / 10, size))


def _demands(key: str, rates: Rates, tokens: int) -> list[tuple[str, int, int]]:
    """(bucket, per minute, what one call takes) for each limit; a call never takes more than a minute's amount."""
    found = []
    if rates.requests_per_minute is not None:
        found.append((f"{key}:requests", rates.requests_per_minute, 1))
    if rates.tokens_per_minute is not None:
        found.append((f"{key}:tokens", rates.tokens_per_minute, max(1, min(tokens, rates.tokens_per_minute))))
    return found
