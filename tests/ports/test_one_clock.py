"""A database lives by one kind of clock."""

import asyncio

import pytest

from services.deployment import take_up
from services.sql.database import Database
from services.sql.one_clock import OtherClock, clock_of

SECRET = b"a" * 32


async def test_the_clock_of_the_first_process_is_that_of_all(current: Database) -> None:
    await take_up(current, SECRET, "event")
    await take_up(current, SECRET, "event")
    assert await clock_of(current) == "event"
    with pytest.raises(OtherClock, match="go on with that"):
        await take_up(current, SECRET)


async def test_a_database_of_the_present_lives_through_no_past(current: Database) -> None:
    await take_up(current, SECRET)
    with pytest.raises(OtherClock, match="go on without"):
        await take_up(current, SECRET, "event")
    assert await clock_of(current) == "system"


async def test_of_two_that_start_at_once_with_a_clock_each_one_is_refused(current: Database) -> None:
    said = await asyncio.gather(take_up(current, SECRET), take_up(current, SECRET, "event"), return_exceptions=True)
    assert sorted(map(type, said), key=str) == [type(None), OtherClock]


async def test_before_the_first_process_it_is_the_present(current: Database) -> None:
    assert await clock_of(current) == "system"
