"""Rates counted in Redis, for all processes that take events together; each for itself while Redis is away."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from redis.asyncio import Redis

from services.ingest.adapters.memory import TokenBuckets
from services.ingest.ports import RateLimiter
from services.outage import Outage
from services.redis import AWAY, PREFIX, away, connect

# nobody waits for a dead server twice within this time
QUIET_S = 5.0
# For how long a process may spend what it has taken ahead, which is as much as it has just spent in such a time.
LEASE_S = 0.5
# The server's clock counts, so that processes need not agree on theirs. A bucket that is full again is forgotten.
# `unspent` comes back from the lease before; `ahead` is given only of what would still be there.
_TAKE = """
local told = redis.call('TIME')
local now = told[1] + told[2] / 1e6
local known = redis.call('HMGET', KEYS[1], 'level', 'at')
local cost, rate, burst, unspent, ahead = unpack(ARGV)
cost, rate, burst = tonumber(cost), tonumber(rate), tonumber(burst)
local since = math.max(0, now - (tonumber(known[2]) or now))
local level = math.min(burst, (tonumber(known[1]) or burst) + since * rate + tonumber(unspent))
local wanted, wait, lent = math.min(cost, burst), 0, 0
if level < wanted then
    wait = (wanted - level) / rate
else
    lent = math.max(0, math.min(tonumber(ahead), math.floor(level - cost)))
    level = level - cost - lent
end
redis.call('HSET', KEYS[1], 'level', string.format('%.6f', level), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - level) / rate * 1000) + 1000)
return {string.format('%.6f', wait), lent}
"""


class _Lease:
    """What this process took of a bucket ahead: a round trip for each request costs more than the rest of it."""

    def __init__(self, spent: int, left: int, until: float) -> None:
        self.spent, self.left, self.until = spent, left, until

    def spend(self, cost: int, now: float) -> bool:
        if now >= self.until or self.left < cost:
            return False
        self.spent += cost
        self.left -= cost
        return True


class RedisTokenBuckets:
    """Made by `open_buckets`. `counts_together`: whether Redis answered last."""

    def __init__(self, client: Redis) -> None:
        self._client, self._script = client, client.register_script(_TAKE)
        self._alone = TokenBuckets(time.monotonic)
        self._leases: dict[str, _Lease] = {}
        self._renewing: dict[str, asyncio.Event] = {}
        self.counts_together = False
        self._outage = Outage("shared rate")
        self._quiet_until = 0.0  # of the event loop's clock

    async def take(self, key_id: str, cost: int, rate: int, burst: int) -> float:
        if self._leased(key_id, cost):
            return 0.0
        if (others := self._renewing.get(key_id)) is not None:
            await others.wait()
            if self._leased(key_id, cost):
                return 0.0
        loop = asyncio.get_running_loop()
        if loop.time() >= self._quiet_until:
            renewing = self._renewing[key_id] = asyncio.Event()
            try:
                return await self._renewed(key_id, cost, rate, burst)
            except AWAY as error:
                self.counts_together = False
                self._quiet_until = loop.time() + QUIET_S
                self._outage.waits(away(error, "this process counts rates alone"))
            finally:
                renewing.set()
                if self._renewing.get(key_id) is renewing:
                    del self._renewing[key_id]
        return await self._alone.take(key_id, cost, rate, burst)

    def _leased(self, key_id: str, cost: int) -> bool:
        lease = self._leases.get(key_id)
        return lease is not None and lease.spend(cost, asyncio.get_running_loop().time())

    async def _renewed(self, key_id: str, cost: int, rate: int, burst: int) -> float:
        """Gives back what is left of the lease before, and takes the cost and the next lease."""
        now = asyncio.get_running_loop().time()
        before = self._leases.pop(key_id, None)
        unspent, ahead = (before.left, before.spent) if before is not None else (0, 0)
        if before is not None and now >= before.until + LEASE_S:
            ahead = 0  # it was quiet since
        wait, lent = await self._script(keys=[f"{PREFIX}rate:{key_id}"], args=[cost, rate, burst, unspent, ahead])
        self.counts_together = True
        self._outage.goes_on()
        if (seconds := float(wait)) > 0:
            return seconds
        lease = self._leases.setdefault(key_id, _Lease(0, 0, now + LEASE_S))
        lease.spent += cost  # others may have renewed it meanwhile
        lease.left += int(lent)
        return 0.0

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
