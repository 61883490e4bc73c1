"""Rates counted in Redis, for all processes that take events together; each for itself while Redis is away."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from redis.asyncio import Redis

from services.ingest.adapters.memory import TokenBuckets
from services.ingest.ports import RateLimiter
from services.redis import AWAY, PREFIX, connect

log = structlog.get_logger()

# nobody waits for a dead server twice within this time
QUIET_S = 5.0
# The server's clock counts, so that processes need not agree on theirs. A bucket that is full again is forgotten.
_TAKE = """
local told = redis.call('TIME')
local now = told[1] + told[2] / 1e6
local known = redis.call('HMGET', KEYS[1], 'level', 'at')
local cost, rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local since = math.max(0, now - (tonumber(known[2]) or now))
local level = math.min(burst, (tonumber(known[1]) or burst) + since * rate)
local wanted, wait = math.min(cost, burst), 0
if level < wanted then wait = (wanted - level) / rate else level = level - cost end
redis.call('HSET', KEYS[1], 'level', string.format('%.6f', level), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - level) / rate * 1000) + 1000)
return string.format('%.6f', wait)
"""


class RedisTokenBuckets:
    """Made by `open_buckets`. `counts_together`: whether Redis answered last."""

    def __init__(self, client: Redis) -> None:
        self._client, self._script = client, client.register_script(_TAKE)
        self._alone = TokenBuckets(time.monotonic)
        self.counts_together = False
        self._quiet_until = 0.0  # of the event loop's clock

    async def take(self, key_id: str, cost: int, rate: int, burst: int) -> float:
        if asyncio.get_running_loop().time() >= self._quiet_until:
            try:
                wait = await self._script(keys=[f"{PREFIX}rate:{key_id}"], args=[cost, rate, burst])
                self.counts_together = True
                return float(wait)
            except AWAY as error:
                self.counts_together = False
                self._quiet_until = asyncio.get_running_loop().time() + QUIET_S
                log.warning("rates_counted_alone", error=type(error).__name__)
        return await self._alone.take(key_id, cost, rate, burst)

    async def close(self) -> None:
        with suppress(*AWAY):
            await self._client.aclose()


@asynccontextmanager
async def opened_rates(url: str) -> AsyncIterator[RateLimiter]:
    """Without a URL this process counts for itself."""
    if not url:
        yield TokenBuckets(time.monotonic)
        return
    buckets = open_buckets(url)
    try:
        yield buckets
    finally:
        await buckets.close()


def open_buckets(url: str) -> RedisTokenBuckets:
    """`redis://host:port/number`. Connects when first used."""
    return RedisTokenBuckets(connect(url))
