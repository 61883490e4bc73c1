"""The doctor looks at PostgreSQL: its clock, and who keeps a transaction open."""

from collections.abc import AsyncIterator
from typing import cast

import pytest
import pytest_asyncio
from sqlalchemy import make_url, text

from services.cli.beside import Beside
from services.cli.doctor import server
from services.cli.doctor.findings import Patient
from services.clock import SystemClock
from services.sql.database import Database, open_database


class Here:
    """What these checks ask of a deployment."""

    def __init__(self, database: Database) -> None:
        self.database = database


@pytest_asyncio.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    opened = open_database(postgres_url)
    yield opened
    await opened.close()


def patient(database: Database) -> Patient:
    return Patient(cast(Beside, Here(database)), None, None, 0)


@pytest.mark.parametrize(("ahead_s", "state"), [(0, "ok"), (60, "wrong"), (-60, "wrong")])
async def test_a_clock_that_differs_from_the_databases_is_wrong(
    database: Database, monkeypatch: pytest.MonkeyPatch, ahead_s: int, state: str
) -> None:
    now = SystemClock.now_ms
    monkeypatch.setattr(SystemClock, "now_ms", lambda self: now(self) + ahead_s * 1_000)
    [found] = await server.clock(patient(database))
    assert found.state == state
    assert ("60 s ahead of" in found.told, "60 s behind" in found.told) == (ahead_s > 0, ahead_s < 0)


async def test_a_transaction_that_keeps_queues_from_being_cleaned_is_named(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [one.state for one in await server.transactions(patient(database))] == ["ok"]
    monkeypatch.setattr(server, "LONG_S", 0)
    async with database.transaction() as report:
        await report.execute(text("set transaction isolation level repeatable read"))
        await report.execute(text("select 1"))
        [found] = await server.transactions(patient(database))
    assert (found.state, "counterpoint, pid" in found.told) == ("warning", True)


async def test_a_database_that_takes_no_writes_is_wrong_although_it_answers(
    database: Database, postgres_url: str
) -> None:
    assert await server.writing(patient(database)) == []
    name = make_url(postgres_url).database
    async with database.transaction() as connection:
        await connection.execute(text(f'alter database "{name}" set default_transaction_read_only = on'))
    again = open_database(postgres_url)
    [found] = await server.writing(patient(again))
    await again.close()
    assert (found.state, "takes no writes" in found.told) == ("wrong", True)
