"""The database of a store under test: brought up to this release, with nothing in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from sqlalchemy import event, text

from services.sql.database import Database, open_database
from services.sql.engines import Timeouts
from services.sql.migrations import SCRIPTS, upgrade

RIGHTS = SCRIPTS.parent / "rights" / "postgresql.sql"
IMPATIENT = Timeouts(lock=1_500, statement=5_000, idle_in_transaction=3_000)


@asynccontextmanager
async def opened(url: str, role: str = "") -> AsyncIterator[Database]:
    """As it is. `role`: of the service that asks, with the rights that a bank gives it."""
    database = open_database(url, timeouts=IMPATIENT)
    if role and database.dialect == "postgresql":
        event.listen(database.engine.sync_engine, "connect", partial(_take_role, role))
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def emptied(url: str, role: str = "") -> AsyncIterator[Database]:
    """An SQLite file is each test's own, a database of PostgreSQL that of a whole module. `role`: as of `opened`."""
    async with opened(url) as database:
        if database.dialect == "postgresql":
            await upgrade(database)
            await _empty(database)
            await _give_rights(database)
    async with opened(url, role) as database:
        yield database


async def _give_rights(database: Database) -> None:
    async with database.reading() as connection:
        given = await connection.scalar(text("select has_table_privilege('counterpoint_alerts', 'alerts', 'select') "
                                             "from pg_roles where rolname = 'counterpoint_alerts'"))  # fmt: skip
    if not given:
        async with database.driver() as driver:
            await driver.execute(RIGHTS.read_text())


def _take_role(role: str, connection: Any, record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"set role {role}")
    cursor.close()
    connection.commit()


async def _empty(database: Database) -> None:
    """To truncate a table costs more than to look whether there is anything in it."""
    async with database.transaction() as connection:
        tables = set(await connection.scalars(text("select tablename from pg_tables where schemaname = 'public'")))
        days = {table for table in tables if table.startswith("ledger_")}
        kept = tables - days - {"alembic_version", "shards"}
        looks = " union all ".join(f"(select '{table}' from {table} limit 1)" for table in kept)  # noqa: S608 - names of ours
        if filled := sorted(await connection.scalars(text(looks))):
            await connection.execute(text(f"truncate {', '.join(filled)} cascade"))
        await connection.execute(text("select setval(sequencename::regclass, 1, false) from pg_sequences"))
        await connection.execute(text("update shards set owner = null, fence = 0, leased_until = 0"))
        for day in days:
            await connection.execute(text(f"drop table {day}"))
