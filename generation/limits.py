"""Requests and tokens a minute: a bucket an endpoint, shared by all workers where there is a Redis.

Calls in flight are counted by the ledger's claim, which all workers share anyway.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol, cast

from redis.asyncio import Redis

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Rates:
    """None: no limit."""

    requests_per_minute: int | None
    tokens_per_minute: int | None

    @property
    def unlimited(self) -> bool:
        return self.requests_per_minute is None and self.tokens_per_minute is None


class Limiter(Protocol):
    async def acquire(self, key: str, rates: Rates, most: int, tokens: int) -> tuple[int, float]:
        """Leave for up to `most` calls of about `tokens` each: (how many, seconds until more may be asked for)."""

    async def give_back(self, key: str, rates: Rates, requests: int, tokens: int) -> None:
        """Return what was not used; a negative number of tokens takes more."""


@dataclass(slots=True)
class _Bucket:
    """Holds at most a tenth of a minute's worth (and at least one call), so that no minute sees twice its share."""

    level: float
    at: float


class LocalLimiter:
    """For one process."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    async def acquire(self, key: str, rates: Rates, most: int, tokens: int) -> tuple[int, float]:
        granted, wait = most, 0.0
        for name, per_minute, size in _demands(key, rates, tokens):
            bucket = self._filled(name, per_minute, size)
            granted = max(0, min(granted, int(bucket.level // size)))
            wait = max(wait, (size - bucket.level % size) / per_minute * MINUTE)
        for name, _, size in _demands(key, rates, tokens):
            self._buckets[name].level -= granted * size
        return granted, wait

    async def give_back(self, key: str, rates: Rates, requests: int, tokens: int) -> None:
        for name, amount in ((f"{key}:requests", requests), (f"{key}:tokens", tokens)):
            if name in self._buckets:
                self._buckets[name].level += amount

    def _filled(self, name: str, per_minute: int, size: int) -> _Bucket:
        now, room = self._clock(), capacity(per_minute, size)
        bucket = self._buckets.setdefault(name, _Bucket(room, now))
        bucket.level = min(room, bucket.level + (now - bucket.at) * per_minute / MINUTE)
        bucket.at = now
        return bucket


# KEYS: one bucket a demand. ARGV: most, then (per minute, size, capacity) a demand. Redis's own clock.
_ACQUIRE = """
local now = redis.call('TIME')
local at = tonumber(now[1]) + tonumber(now[2]) / 1e6
local granted, wait, levels = tonumber(ARGV[1]), 0, {}
for i, key in ipairs(KEYS) do
  local rate, size, room = tonumber(ARGV[3*i-1]), tonumber(ARGV[3*i]), tonumber(ARGV[3*i+1])
  local held = redis.call('HMGET', key, 'level', 'at')
  local level = tonumber(held[1]) or room
  levels[i] = math.min(room, level + math.max(0, at - (tonumber(held[2]) or at)) * rate / 60)
  granted = math.max(0, math.min(granted, math.floor(levels[i] / size)))
  wait = math.max(wait, (size - levels[i] % size) / rate * 60)
end
for i, key in ipairs(KEYS) do
  redis.call('HSET', key, 'level', tostring(levels[i] - granted * tonumber(ARGV[3*i])), 'at', string.format('%.6f', at))
  redis.call('EXPIRE', key, 600)
end
return {granted, tostring(wait)}
"""


class RedisLimiter:
    """For all processes that share a Redis; a flushed Redis starts with full buckets."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url)
        self._acquire = self._redis.register_script(_ACQUIRE)

    async def acquire(self, key: str, rates: Rates, most: int, tokens: int) -> tuple[int, float]:
        demands = _demands(key, rates, tokens)
        if not demands:
            return most, 0.0
        numbers = [number for _, rate, size in demands for number in (rate, size, capacity(rate, size))]
        reply = await self._acquire(keys=[f"limit:{name}" for name, _, _ in demands], args=[most, *numbers])
        granted, wait = cast(tuple[int, bytes], reply)
        return int(granted), float(wait)

    async def give_back(self, key: str, rates: Rates, requests: int, tokens: int) -> None:
        amounts = {"requests": (rates.requests_per_minute, requests), "tokens": (rates.tokens_per_minute, tokens)}
        for name, (per_minute, amount) in amounts.items():
            if per_minute is not None and amount:
                await self._redis.hincrbyfloat(f"limit:{key}:{name}", "level", amount)

    async def close(self) -> None:
        await self._redis.aclose()


def capacity(per_minute: int, size: int) -> float:
    """The most a bucket holds."""
    return float(max(per_minute / 10, size))


def _demands(key: str, rates: Rates, tokens: int) -> list[tuple[str, int, int]]:
    """(bucket, per minute, what one call takes) for each limit there is; a call never takes more than a minute's."""
    found = []
    if rates.requests_per_minute is not None:
        found.append((f"{key}:requests", rates.requests_per_minute, 1))
    if rates.tokens_per_minute is not None:
        found.append((f"{key}:tokens", rates.tokens_per_minute, max(1, min(tokens, rates.tokens_per_minute))))
    return found
