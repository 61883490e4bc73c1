"""Answers remembered for less than a second: shared while they are asked for, and fetched before they are too old."""

import asyncio

import pytest

from services.credentials import AHEAD_S, TTL_S, CredentialCache
from services.failures import Unavailable


class Store:
    """Answers with how often it was asked, when it is let."""

    def __init__(self) -> None:
        self.asked, self.now, self.away = 0, 0.0, False
        self.open = asyncio.Event()
        self.open.set()

    async def look_up(self, key: str) -> int:
        self.asked += 1
        await self.open.wait()
        if self.away:
            raise Unavailable("the database is away")
        return self.asked


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def cache(store: Store) -> CredentialCache[int]:
    return CredentialCache(store.look_up, lambda: store.now)


async def test_those_who_ask_while_a_look_up_is_under_way_share_it(store: Store, cache: CredentialCache[int]) -> None:
    store.open.clear()
    waiting = [asyncio.ensure_future(cache.get("key")) for _ in range(5)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    store.open.set()
    assert await asyncio.gather(*waiting[1:]) == [1, 1, 1, 1]


async def test_nobody_waits_for_the_next_answer_while_the_last_one_may_still_be_used(
    store: Store, cache: CredentialCache[int]
) -> None:
    assert await cache.get("key") == 1
    store.open.clear()
    store.now = AHEAD_S
    assert [await cache.get("key") for _ in range(3)] == [1, 1, 1]
    await asyncio.sleep(0)
    assert store.asked == 2
    store.open.set()
    store.now = TTL_S
    assert await cache.get("key") == 2


async def test_a_look_up_that_fails_ahead_of_time_is_nobodys_and_one_that_fails_in_time_is_told(
    store: Store, cache: CredentialCache[int]
) -> None:
    assert await cache.get("key") == 1
    store.now, store.away = AHEAD_S, True
    assert await cache.get("key") == 1
    await asyncio.sleep(0.01)
    store.now = TTL_S
    with pytest.raises(Unavailable):
        await cache.get("key")
    last = cache.last("key")
    assert last is not None
    assert last.value == 1
