"""Processes of one database have one secret."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.deployment import take_up
from services.sql.database import Database
from services.sql.migrations import upgrade
from services.sql.one_secret import OtherSecret, refuse_other_secret, settle_on_secret
from tests.ports.emptied import emptied

OURS, ANOTHER = b"a" * 32, b"b" * 32


@pytest_asyncio.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with emptied(url) as database:
        await upgrade(database)
        yield database


async def test_the_secret_of_the_first_process_is_that_of_all(database: Database) -> None:
    await settle_on_secret(database, OURS)
    await settle_on_secret(database, OURS)
    await refuse_other_secret(database, OURS)
    for refused in (settle_on_secret, refuse_other_secret):
        with pytest.raises(OtherSecret, match="by COUNTERPOINT_SECRET_FILE"):
            await refused(database, ANOTHER)


async def test_of_two_that_start_at_once_with_a_secret_each_one_is_refused(database: Database) -> None:
    said = await asyncio.gather(take_up(database, OURS), take_up(database, ANOTHER), return_exceptions=True)
    assert sorted(map(type, said), key=str) == [type(None), OtherSecret]


async def test_whoever_only_looks_settles_nothing(database: Database) -> None:
    await refuse_other_secret(database, ANOTHER)
    await settle_on_secret(database, OURS)
