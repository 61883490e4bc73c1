"""Whether a database came back from a backup is seen by what the log tells and the database does not know."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from schemas.changes import GONE, ProfileChange
from schemas.codec import encode_change
from schemas.topics import ALERTS, PROFILE_CHANGES
from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.adapters.sql_deliveries import SqlDeliveryStore
from services.alerts.domain.alert import Alert
from services.cli.refusals import Refusal
from services.cli.set_back import refuse_if_set_back, set_back, while_it_stays
from services.embedded.log import EmbeddedLog
from services.failures import Unavailable
from services.log import Message, Position
from services.sql.database import Database, open_database
from services.sql.migrations import upgrade
from services.sql.session import writing
from tests.cli.conftest import Command, in_log
from tests.cli.test_examining import finding
from tests.cli.test_restoring import step
from tests.conftest import RunningServers

CHANGES = PROFILE_CHANGES.name
_VIEW = """insert into views (lead, customer_id, version, kind, state, changed_at, body, facts, decided)
values ($1, $1, $2, 'person', 'live', 1, $3, $3, $3)"""


def change(customer_id: str, version: int, kind: str = "person") -> Message:
    told = ProfileChange(customer_id=customer_id, version=version, kind=kind, changed_at=7)
    return Message(customer_id.encode(), encode_change(told), 0)


_RECOVERS = """
do $$ begin
    execute format('copy (select 1) to %L', current_setting('data_directory') || '/recovery.signal');
end $$"""
"""At its next start the server takes itself for one that came from a backup: it begins a timeline of its own."""


class Place:
    """A log of which the first two changes were worked, and a database that knows customer `a` in version 5."""

    def __init__(self, log: EmbeddedLog, database: Database) -> None:
        self.log, self.database = log, database

    async def begin(self) -> None:
        async with writing(self.database) as session:
            await session.run(_VIEW, "a", 5, b"")
        await self.log.append(CHANGES, [change("lost", 1), change("a", 2)])
        await self.worked_to(2)

    async def worked_to(self, following: int) -> None:
        position = Position(await self.log.topic_id(CHANGES), following)
        await SqlAlertStore(self.database).set_position(CHANGES, 0, position)

    async def told_after(self, *messages: Message) -> str | None:
        await self.log.append(CHANGES, messages)
        return await set_back(self.log, self.database)


@pytest_asyncio.fixture
async def place(deployment: Path) -> AsyncIterator[Place]:
    log, database = EmbeddedLog(deployment / "log"), open_database(f"sqlite:{deployment}/counterpoint.db")
    place = Place(log, database)
    await place.begin()
    yield place
    await log.close()
    await database.close()


async def test_what_was_worked_says_nothing_nor_does_what_waits_and_is_known(place: Place) -> None:
    assert await place.told_after() is None
    assert await place.told_after(change("a", 5)) is None


@pytest.mark.parametrize("lost", [change("a", 6), change("b", 1)])
async def test_a_later_version_and_an_unknown_customer_are_of_lost_hours(place: Place, lost: Message) -> None:
    told = await place.told_after(change("a", 5), lost)
    assert told is not None
    assert told.startswith("the log tells of customers what the database does not know")
    with pytest.raises(Refusal, match="run `counterpoint db restored`"):
        await refuse_if_set_back(place.log, place.database)


async def test_a_last_word_on_a_customer_whom_the_database_never_knew_says_nothing(place: Place) -> None:
    assert await place.told_after(change("b", 2, GONE)) is None


async def test_what_is_no_change_says_nothing(place: Place) -> None:
    assert await place.told_after(Message(b"x", b"no change", 0)) is None


async def test_a_partition_that_nobody_has_worked_on_is_no_sign_of_a_restored_database(place: Place) -> None:
    assert await place.told_after(change("b", 1)._replace(partition=3)) is None


async def test_where_all_was_skipped_after_the_restore_work_begins(place: Place) -> None:
    assert await place.told_after(change("b", 1)) is not None
    await place.worked_to(3)
    assert await place.told_after() is None


@pytest.mark.parametrize(
    ("revision", "state", "is_lost"), [(4, "routed", False), (5, "routed", True), (5, "superseded", False)]
)
async def test_an_alert_that_is_open_in_a_later_revision_is_of_lost_hours(
    place: Place, revision: int, state: str, is_lost: bool
) -> None:
    topic_id = await place.log.topic_id(ALERTS.name)
    await SqlDeliveryStore(place.database).set_position(ALERTS.name, 3, Position(topic_id, 0))
    async with SqlAlertStore(place.database).working() as tx:
        known = Alert(alert_id="al_1", customer_id="c", situation="leaving", kind="retention", revision=4)
        await tx.save_alerts([known], {})
    await place.log.append(ALERTS.name, [step("al_1", revision, state)])
    told = await set_back(place.log, place.database)
    assert (told is not None) == is_lost
    assert told is None or told.startswith("the log tells of alerts what the database does not know")


def test_the_doctor_says_that_the_database_was_set_back(counterpoint: Command, deployment: Path) -> None:
    async def lost(log: EmbeddedLog) -> None:
        database = open_database(f"sqlite:{deployment}/counterpoint.db")
        await log.append(CHANGES, [change("b", 1)])
        await SqlAlertStore(database).set_position(CHANGES, 0, Position(await log.topic_id(CHANGES), 0))
        await database.close()

    in_log(deployment, lost)
    code, state, told = finding(counterpoint, "restored")
    assert (code, state) == (1, "wrong")
    assert "counterpoint db restored" in told


async def test_work_goes_on_over_a_restart_of_the_database_and_ends_at_a_fail_over(
    breakable_servers: RunningServers, tmp_path: Path
) -> None:
    database = open_database(breakable_servers.up("postgres")["postgres"])
    other, log = open_database(breakable_servers.url("postgres")), EmbeddedLog(tmp_path)
    await upgrade(database)
    await refuse_if_set_back(log, database)
    working = asyncio.create_task(while_it_stays(until_cancelled, database))
    await other.ping()
    await restarted(breakable_servers, database, other)
    assert not working.done()

    async with other.transaction() as connection:
        await connection.execute(text(_RECOVERS))
    async with other.engine.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(
            text("alter system set restore_command = 'false'")
        )
    await restarted(breakable_servers, other)
    with pytest.raises(ExceptionGroup) as ended:
        while True:  # until it has recovered, and nothing is left in the pool
            with contextlib.suppress(Unavailable):
                await database.ping()
            await asyncio.wait([working], timeout=0.05)
            if working.done():
                await working
    with pytest.raises(Unavailable, match="another one than at the start"):
        await database.ping()
    assert str(ended.value.exceptions[0]).startswith("the database is another one than at the start, after a fail-over")
    for one in (database, other, log):
        await one.close()


async def restarted(servers: RunningServers, *databases: Database) -> None:
    """What was in the pools is lost, and they have connected anew."""
    for act in (servers.stop, servers.start):
        await asyncio.to_thread(act, "postgres")
    for database in databases:
        with contextlib.suppress(Unavailable):
            await database.ping()
        await database.ping()


async def until_cancelled() -> None:
    await asyncio.Event().wait()
