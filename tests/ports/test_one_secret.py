"""Processes of one database have one secret."""

import asyncio

import pytest

from services.deployment import take_up
from services.sql.database import Database
from services.sql.one_secret import OtherSecret, refuse_other_secret, settle_on_secret

OURS, ANOTHER = b"a" * 32, b"b" * 32


async def test_the_secret_of_the_first_process_is_that_of_all(current: Database) -> None:
    await settle_on_secret(current, OURS)
    await settle_on_secret(current, OURS)
    await refuse_other_secret(current, OURS)
    for refused in (settle_on_secret, refuse_other_secret):
        with pytest.raises(OtherSecret, match="by COUNTERPOINT_SECRET_FILE"):
            await refused(current, ANOTHER)


async def test_of_two_that_start_at_once_with_a_secret_each_one_is_refused(current: Database) -> None:
    said = await asyncio.gather(take_up(current, OURS), take_up(current, ANOTHER), return_exceptions=True)
    assert sorted(map(type, said), key=str) == [type(None), OtherSecret]


async def test_whoever_only_looks_settles_nothing(current: Database) -> None:
    await refuse_other_secret(current, ANOTHER)
    await settle_on_secret(current, OURS)
