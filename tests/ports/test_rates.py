"""The contract of rates, counted in process and in Redis; and what happens when Redis goes."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.ingest.adapters.memory import TokenBuckets
from services.ingest.adapters.redis import RedisTokenBuckets, open_buckets
from services.ingest.ports import RateLimiter
from services.settings import read_settings
from tests.conftest import RunningServers
from tests.ports.redis_rights import PASSWORD, user_of_redis


@pytest_asyncio.fixture(params=["local", "redis"])
async def limiter(request: pytest.FixtureRequest) -> AsyncIterator[RateLimiter]:
    if request.param == "local":
        yield TokenBuckets(asyncio.get_running_loop().time)
        return
    async with user_of_redis(request.getfixturevalue("redis_url"), "ingest") as url:
        given = {"COUNTERPOINT_REDIS": url, "COUNTERPOINT_REDIS_PASSWORD": PASSWORD}
        buckets = open_buckets(read_settings(given).redis)
        yield buckets
        assert buckets.counts_together, "what was tested was Redis"
        await buckets.close()


@pytest.fixture
def key() -> str:
    return f"key_{uuid.uuid4().hex}"


async def test_a_full_bucket_is_taken_and_an_empty_one_says_how_long(limiter: RateLimiter, key: str) -> None:
    assert await limiter.take(key, 3_600, 1, 3_600) == 0
    assert 590 < await limiter.take(key, 600, 1, 3_600) <= 600
    assert 590 < await limiter.take(key, 600, 1, 3_600) <= 600, "nothing was taken"


async def test_each_key_has_a_bucket_of_its_own(limiter: RateLimiter, key: str) -> None:
    assert await limiter.take(key, 3_600, 1, 3_600) == 0
    assert await limiter.take(key + "2", 3_600, 1, 3_600) == 0


async def test_a_full_bucket_lends_for_a_batch_larger_than_itself(limiter: RateLimiter, key: str) -> None:
    assert await limiter.take(key, 4_200, 1, 3_600) == 0
    assert 590 < await limiter.take(key, 1, 1, 3_600) <= 601


async def test_a_bucket_fills_with_time(limiter: RateLimiter, key: str) -> None:
    assert await limiter.take(key, 100, 1_000, 100) == 0
    wait = await limiter.take(key, 50, 1_000, 100)
    await asyncio.sleep(wait + 0.01)
    assert await limiter.take(key, 50, 1_000, 100) == 0


async def test_two_processes_share_a_bucket(redis_url: str, key: str) -> None:
    one, other = open_buckets(redis_url), open_buckets(redis_url)
    assert await one.take(key, 3_600, 1, 3_600) == 0
    assert await other.take(key, 600, 1, 3_600) > 590
    await one.close()
    await other.close()


async def test_what_processes_take_ahead_is_never_more_than_the_bucket_and_comes_back(redis_url: str, key: str) -> None:
    processes = [open_buckets(redis_url), open_buckets(redis_url)]
    granted, refused = 0, 0
    while refused < 2:
        refused = 0
        for process in processes:
            if await process.take(key, 3, 1, 3_600) == 0:
                granted += 3
            else:
                refused += 1
    assert 3_597 <= granted <= 3_603, "but for what came in by the second"
    for process in processes:
        await process.close()


async def test_a_busy_process_asks_redis_once_for_many_takes(
    redis_url: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.adapters.redis.LEASE_S", 60.0)
    buckets = open_buckets(redis_url)
    client = buckets._client
    for _ in range(100):
        assert await buckets.take(key, 1, 1, 3_600) == 0
    before = (await client.info("commandstats"))["cmdstat_evalsha"]["calls"]
    for _ in range(20):
        assert await buckets.take(key, 1, 1, 3_600) == 0
    after = (await client.info("commandstats"))["cmdstat_evalsha"]["calls"]
    assert after - before <= 1
    await buckets.close()


async def test_without_redis_each_process_counts_for_itself_until_it_is_back(
    breakable_servers: RunningServers, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.adapters.redis.QUIET_S", 0.01)
    buckets: RedisTokenBuckets = open_buckets(breakable_servers.up("redis")["redis"])
    assert await buckets.take(key, 3_600, 1, 3_600) == 0
    breakable_servers.stop("redis")
    assert await buckets.take(key, 3_600, 1, 3_600) == 0
    assert await buckets.take(key, 600, 1, 3_600) > 590
    assert not buckets.counts_together
    breakable_servers.start("redis")
    while not buckets.counts_together:
        await asyncio.sleep(0.02)
        await buckets.take(key, 1, 1, 3_600)
    await buckets.close()
