"""The database's shape: made once, refused when it is not this release's."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from services.sql.database import Database, open_database
from services.sql.engines import Timeouts
from services.sql.migrations import SCRIPTS, UPGRADE_LOCK, WrongSchema, check, upgrade
from tests.conftest import fresh_database


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("postgres_server_url")) if request.param == "postgresql" else ""


@pytest_asyncio.fixture
async def database(server: str, tmp_path: Path) -> AsyncIterator[Database]:
    if not server:
        opened = open_database(f"sqlite:{tmp_path}/empty.db")
        yield opened
        await opened.close()
        return
    async with fresh_database(server) as url:
        opened = open_database(url)
        yield opened
        await opened.close()


async def test_an_empty_database_is_brought_up_and_then_left_alone(database: Database) -> None:
    reached = await upgrade(database)
    assert reached == await upgrade(database) == await check(database)


async def test_an_empty_database_is_not_worked_on(database: Database) -> None:
    with pytest.raises(WrongSchema, match="counterpoint db upgrade"):
        await check(database)


async def test_two_platforms_that_start_at_once_upgrade_once(database: Database) -> None:
    reached = await asyncio.gather(upgrade(database), upgrade(database))
    assert reached[0] == reached[1] == await check(database)


@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
async def test_an_upgrade_may_take_longer_than_any_statement_of_a_worker(database: Database) -> None:
    hurried = open_database(url_of(database), timeouts=Timeouts(lock=1, statement=1, idle_in_transaction=1))
    async with database.transaction() as connection:
        await connection.execute(text(f"select pg_advisory_xact_lock({UPGRADE_LOCK})"))
        upgrading = asyncio.create_task(upgrade(hurried))
        done, _ = await asyncio.wait([upgrading], timeout=2.5)  # the driver ends a statement of such a worker after 2.0
        assert not done
    assert await upgrading == await check(database)
    await hurried.close()


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False).replace("+asyncpg", "")


async def test_a_database_of_a_newer_release_is_refused(database: Database) -> None:
    await upgrade(database)
    async with database.transaction() as connection:
        await connection.execute(text("update alembic_version set version_num = '9999'"))
    for refused in (check, upgrade):
        with pytest.raises(WrongSchema, match="newer release"):
            await refused(database)


async def test_a_database_of_a_build_before_the_release_is_refused_though_its_revision_is_this_one(
    database: Database,
) -> None:
    await upgrade(database)
    async with database.transaction() as connection:
        await connection.execute(text("create table ledger_20260101 (key text)"))
        await connection.execute(text("alter table marks rename column aside to set_aside"))
        await connection.execute(text("drop table staff"))
    for refused in (check, upgrade):
        with pytest.raises(WrongSchema, match="not its columns in marks, staff: a build before the release"):
            await refused(database)


@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
async def test_what_grows_is_compressed_by_lz4_and_queues_are_cleaned_early(database: Database) -> None:
    await upgrade(database)
    async with database.transaction() as connection:
        compressed = await connection.execute(
            text("select attrelid::regclass::text, attname from pg_attribute where attcompression = 'l'")
        )
        cleaned = await connection.execute(
            text("select relname from pg_class where 'autovacuum_vacuum_threshold=5000' = any(reloptions)")
        )
    assert {("subjects", "heads"), ("views", "body"), ("alerts", "body")} <= {(one[0], one[1]) for one in compressed}
    assert {"marks", "outbox"} <= {one[0] for one in cleaned}


async def test_alerts_of_an_older_release_are_found_by_the_rules_that_speak_in_them(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.run_sync(_brought_up_to, "0007")
        await connection.execute(
            text("""
            insert into alerts values
            ('al_1', 'c', 'leaving', 'retention', 'new', 3, 'M', '', 1.5, 0, -1, 0, '', '', true, '{}'),
            ('al_2', 'c', 'threshold', 'upsell', 'new', 1, 'M', '', 1.5, 0, -1, 0, '', '', true, '{}')
        """)
        )
        await connection.execute(
            text("""
            insert into alert_rules values ('al_1', 'R7', 1, 0, '', '', 'M', 0), ('al_1', 'R12', 1, 0, '', '', 'M', 0)
        """)
        )
    await upgrade(database)
    async with database.transaction() as connection:
        found = await connection.execute(text("select alert_id, rules from alerts order by alert_id"))
        rules = {alert_id: sorted(spoken.split(" ")) for alert_id, spoken in found}
    assert rules == {"al_1": ["", "", "R12", "R7"], "al_2": [""]}


def _brought_up_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
