"""One contract of keys and sources, held by memory, SQLite and PostgreSQL."""

from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from services.ingest.adapters.sql import SqlKeyStore, SqlSourceStore
from services.ingest.app import Stores
from services.ingest.domain.sources import Grant, Source
from services.ingest.ports import Conflict
from tests.ingest.memory import MemoryKeyStore, MemorySourceStore
from tests.ports.emptied import emptied

GRANT = Grant(key_id="key_1", source="atm", channels=("atm", "pos"), rate=50, burst=100, created_at=7)


@pytest_asyncio.fixture
async def stores(store_url: str) -> AsyncIterator[Stores]:
    if not store_url:
        yield Stores(MemoryKeyStore(), MemorySourceStore())
        return
    async with emptied(store_url) as database:
        yield Stores(SqlKeyStore(database), SqlSourceStore(database))


async def test_a_key_is_found_by_its_hash_with_all_it_allows(stores: Stores) -> None:
    await stores.keys.add("hash", GRANT)
    assert await stores.keys.find("hash") == GRANT


async def test_an_unknown_hash_finds_nothing(stores: Stores) -> None:
    await stores.keys.add("hash", GRANT)
    assert await stores.keys.find("HASH") is None


async def test_keys_are_listed_by_id(stores: Stores) -> None:
    second = msgspec.structs.replace(GRANT, key_id="key_0", channels=("*",))
    await stores.keys.add("a", GRANT)
    await stores.keys.add("b", second)
    assert await stores.keys.grants() == [second, GRANT]


async def test_a_revoked_key_is_still_found_and_says_so(stores: Stores) -> None:
    await stores.keys.add("hash", GRANT)
    assert await stores.keys.revoke("key_1", 1_795_320_000_000)
    assert await stores.keys.find("hash") == msgspec.structs.replace(GRANT, revoked_at=1_795_320_000_000)


async def test_a_key_is_revoked_once_and_no_other_with_it(stores: Stores) -> None:
    other = msgspec.structs.replace(GRANT, key_id="key_2")
    await stores.keys.add("hash", GRANT)
    await stores.keys.add("other", other)
    assert await stores.keys.revoke("key_1", 1)
    assert not await stores.keys.revoke("key_1", 2)
    assert not await stores.keys.revoke("key_3", 2)
    assert await stores.keys.grants() == [msgspec.structs.replace(GRANT, revoked_at=1), other]


@pytest.mark.parametrize(("key_hash", "key_id"), [("hash", "key_2"), ("other", "key_1")])
async def test_neither_hash_nor_id_is_given_twice(stores: Stores, key_hash: str, key_id: str) -> None:
    await stores.keys.add("hash", GRANT)
    with pytest.raises(Conflict):
        await stores.keys.add(key_hash, msgspec.structs.replace(GRANT, key_id=key_id))
    assert await stores.keys.grants() == [GRANT]


async def test_a_source_keeps_every_parameter(stores: Stores) -> None:
    source = Source(
        id="core",
        channel="corebank",
        time_zone="Europe/Prague",
        currency="CZK",
        of_record=("transaction.posted", "*"),
        rhythm_ms=5,
        lateness_ms=0,
        heartbeats=False,
        enabled=False,
    )
    await stores.sources.put(source)
    assert await stores.sources.find("core") == source


async def test_the_parameters_of_a_source_are_replaced(stores: Stores) -> None:
    await stores.sources.put(Source(id="core"))
    await stores.sources.put(Source(id="core", currency="EUR"))
    assert await stores.sources.sources() == [Source(id="core", currency="EUR")]


async def test_sources_are_listed_by_id_and_an_unknown_one_is_none(stores: Stores) -> None:
    await stores.sources.put(Source(id="pos"))
    await stores.sources.put(Source(id="atm"))
    assert [source.id for source in await stores.sources.sources()] == ["atm", "pos"]
    assert await stores.sources.find("nobody") is None
