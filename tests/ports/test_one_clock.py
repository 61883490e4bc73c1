"""A database lives by one kind of clock."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.deployment import take_up
from services.sql.database import Database
from services.sql.migrations import upgrade
from services.sql.one_clock import OtherClock, clock_of
from tests.ports.emptied import emptied

SECRET = b"a" * 32


@pytest_asyncio.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with emptied(url) as database:
        await upgrade(database)
        yield database


async def test_the_clock_of_the_first_process_is_that_of_all(database: Database) -> None:
    await take_up(database, SECRET, "event")
    await take_up(database, SECRET, "event")
    assert await clock_of(database) == "event"
    with pytest.raises(OtherClock, match="go on with that"):
        await take_up(database, SECRET)


async def test_a_database_of_the_present_lives_through_no_past(database: Database) -> None:
    await take_up(database, SECRET)
    with pytest.raises(OtherClock, match="go on without"):
        await take_up(database, SECRET, "event")
    assert await clock_of(database) == "system"


async def test_of_two_that_start_at_once_with_a_clock_each_one_is_refused(database: Database) -> None:
    said = await asyncio.gather(take_up(database, SECRET), take_up(database, SECRET, "event"), return_exceptions=True)
    assert sorted(map(type, said), key=str) == [type(None), OtherClock]


async def test_before_the_first_process_it_is_the_present(database: Database) -> None:
    assert await clock_of(database) == "system"
