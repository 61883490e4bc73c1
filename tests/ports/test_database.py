"""The contract of a database, held by SQLite and PostgreSQL alike."""

import asyncio
import os
import signal
import socket
import sqlite3
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from services.deployment import open_tables
from services.failures import Interrupted, Unavailable
from services.settings import read_settings
from services.sql.database import Database, open_database
from services.sql.engines import Timeouts
from services.sql.errors import is_retryable, is_unavailable, why_unavailable
from tests.conftest import RunningServers

REFUSED = "it refuses this role, or a connection without TLS, from here"
NAMED = "a file that is named by PGSSLROOTCERT, PGSSLCERT or PGSSLKEY"
POOLED = "a pooler hands each transaction another connection: set it to session mode"
IMPATIENT = Timeouts(lock=200, statement=2_000, idle_in_transaction=400)


@pytest_asyncio.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = open_database(url, timeouts=IMPATIENT)
    async with opened.transaction() as connection:
        await connection.execute(text("DROP TABLE IF EXISTS item"))
        await connection.execute(text("CREATE TABLE item (id integer PRIMARY KEY, n integer NOT NULL)"))
    yield opened
    await opened.close()


async def items(database: Database) -> list[tuple[int, int]]:
    async with database.reading() as connection:
        return [(row.id, row.n) for row in await connection.execute(text("SELECT id, n FROM item ORDER BY id"))]


async def insert_raw(database: Database, fail: bool) -> None:
    async with database.driver_transaction() as raw:
        await raw.execute("INSERT INTO item VALUES (1, 1)")
        if fail:
            raise RuntimeError("after the raw write")


async def test_what_the_raw_driver_wrote_is_rolled_back_with_the_rest(database: Database) -> None:
    with pytest.raises(RuntimeError):
        await insert_raw(database, fail=True)
    assert await items(database) == []


async def test_what_the_raw_driver_wrote_is_committed_with_the_rest(database: Database) -> None:
    await insert_raw(database, fail=False)
    assert await items(database) == [(1, 1)]


async def test_a_failed_statement_that_nobody_tells_of_is_not_taken_for_a_commit(postgres_url: str) -> None:
    """PostgreSQL answers such a COMMIT with ROLLBACK, and no error."""
    database = open_database(postgres_url)
    with pytest.raises(RuntimeError, match="nothing was committed"):
        async with database.driver_transaction() as raw:
            with suppress(asyncpg.UndefinedTableError):
                await raw.execute("INSERT INTO nowhere VALUES (1)")
    async with database.driver_transaction() as raw:
        assert await raw.fetchval("SELECT 1") == 1
    await database.close()


@pytest.mark.parametrize("inside", [True, False], ids=["in a statement", "between statements"])
async def test_a_transaction_given_up_leaves_nothing_and_the_connection_serves_the_next_one(
    postgres_url: str, inside: bool
) -> None:
    database = open_database(postgres_url, pool_size=1)
    async with database.driver_transaction() as raw:
        await raw.execute("DROP TABLE IF EXISTS given_up; CREATE TABLE given_up (n integer)")
    written = asyncio.Event()

    async def write() -> None:
        async with database.driver_transaction() as raw:
            await raw.execute("INSERT INTO given_up VALUES (1)")
            written.set()
            await (raw.execute("SELECT pg_sleep(60)") if inside else asyncio.sleep(60))

    writing = asyncio.create_task(write())
    await written.wait()
    await asyncio.sleep(0.05)
    writing.cancel()
    await asyncio.wait([writing])
    for _ in range(2):
        async with database.driver_transaction() as raw:
            await raw.execute("INSERT INTO given_up VALUES (2)")
    async with database.driver_transaction() as raw:
        assert [row[0] for row in await raw.fetch("SELECT n FROM given_up")] == [2, 2]
    await database.close()


async def test_nothing_of_a_failed_transaction_remains(database: Database) -> None:
    with pytest.raises(DBAPIError):
        async with database.transaction() as connection:
            await connection.execute(text("INSERT INTO item VALUES (1, 1)"))
            await connection.execute(text("INSERT INTO item VALUES (1, 2)"))
    assert await items(database) == []


async def test_concurrent_increments_are_all_counted(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("INSERT INTO item VALUES (1, 0)"))

    async def increment() -> None:
        async with database.transaction() as connection:
            lock = " FOR UPDATE" if database.dialect == "postgresql" else ""
            n = (await connection.execute(text(f"SELECT n FROM item WHERE id = 1{lock}"))).scalar_one()  # noqa: S608 - fixed text
            await connection.execute(text("UPDATE item SET n = :n"), {"n": n + 1})

    await asyncio.gather(*(increment() for _ in range(20)))
    assert await items(database) == [(1, 20)]


async def test_transactions_of_one_process_are_side_by_side_where_the_server_can_and_else_wait_in_line(
    database: Database,
) -> None:
    """In line however long the one before takes: a lock of another process would be given up by then."""
    entered = asyncio.Event()

    async def another() -> None:
        async with database.transaction():
            entered.set()

    async with database.transaction():
        waiting = asyncio.create_task(another())
        await asyncio.wait([waiting], timeout=3 * IMPATIENT.lock / 1000)
        assert entered.is_set() is (database.dialect == "postgresql")
    await waiting


async def test_what_is_read_waits_for_no_transaction_and_begins_none(database: Database) -> None:
    async with database.transaction() as writer:
        await writer.execute(text("INSERT INTO item VALUES (1, 1)"))
        assert await items(database) == []
        async with database.driver() as driver:
            await driver.execute("SELECT n FROM item")
            assert not (driver.in_transaction if database.dialect == "sqlite" else driver.is_in_transaction())
    async with database.reading() as connection:
        await connection.execute(text("SELECT n FROM item"))
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        assert database.dialect == "sqlite" or not raw.is_in_transaction()


async def test_so_many_connections_are_kept_at_hand_and_no_more(database: Database) -> None:
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)

    async def read() -> None:
        async with database.driver():
            await asyncio.sleep(0.01)

    for _ in range(2):
        await asyncio.gather(*(read() for _ in range(6)))
        assert pool.checkedout() == 4


async def test_a_lock_held_elsewhere_is_retryable(database: Database, url: str) -> None:
    await insert_raw(database, fail=False)
    other = open_database(url, timeouts=IMPATIENT)
    async with database.transaction() as holder:
        await holder.execute(text("UPDATE item SET n = 2"))
        with pytest.raises(DBAPIError) as caught:
            async with other.transaction() as connection:
                await connection.execute(text("UPDATE item SET n = 3"))
    await other.close()
    assert is_retryable(caught.value)
    assert await items(database) == [(1, 2)]


async def test_errors_never_repeat_the_values_of_a_statement(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with database.transaction() as connection:
            await connection.execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": "Li Lei"})
    assert "Li Lei" not in str(caught.value)


@pytest.mark.parametrize(("role", "name", "told"), [
    ("nobody_here", None, "it refuses this role"), ("postgres", "no_such_one", "it has no database of this name"),
])  # fmt: skip
async def test_a_server_that_lets_nobody_in_is_away_for_whoever_waits(
    postgres_url: str, role: str, name: str | None, told: str
) -> None:
    given = make_url(postgres_url).set(username=role)
    refused = open_database((given.set(database=name) if name else given).render_as_string(hide_password=False))
    with pytest.raises(Unavailable, match=told):
        await refused.ping()
    await refused.close()


async def test_a_role_that_may_not_read_is_for_an_operator_and_no_fault_of_an_event(postgres_url: str) -> None:
    opened = open_database(postgres_url)
    with pytest.raises(Unavailable, match="this role lacks a right"):
        async with opened.transaction() as connection:
            await connection.execute(text("SET LOCAL ROLE pg_monitor"))
            await connection.execute(text("SELECT * FROM pg_authid"))
    await opened.close()


@pytest.mark.parametrize("url_given", ["", "sqlite:", "mysql://secret@host/x", "postgresql:"])
def test_an_unknown_url_is_refused_without_repeating_it(url_given: str) -> None:
    with pytest.raises(ValueError, match="a database URL is sqlite:PATH or postgresql:") as caught:
        open_database(url_given)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("error", "told"), [
    (asyncpg.TooManyConnectionsError(""), "it has too many connections"),
    (asyncpg.DiskFullError(""), "its disk is full"),
    (asyncpg.QueryCanceledError(""), "a statement took too long"),
    (asyncpg.IdleInTransactionSessionTimeoutError(""), "a transaction took too long"),
    (asyncpg.ReadOnlySQLTransactionError(""), "it is a read-only replica"),
    (asyncpg.DataCorruptedError(""), "its data are damaged: restore a backup"),
    (asyncpg.IndexCorruptedError(""), "an index is damaged: reindex it"),
    (asyncpg.AdminShutdownError(""), "it is shutting down"),
    (asyncpg.DuplicatePreparedStatementError(""), POOLED),
    (asyncpg.InvalidSQLStatementNameError(""), POOLED),
    (asyncpg.InvalidPasswordError(""), "it refuses the password"),
    (asyncpg.InvalidAuthorizationSpecificationError(""), REFUSED),
    (asyncpg.InvalidCatalogNameError(""), "it has no database of this name"),
    (
        asyncpg.InsufficientPrivilegeError(""),
        "this role lacks a right: deploy/rights/postgresql.sql gives each service its own",
    ),
    (asyncpg.exceptions.ClientConfigurationError(""), "what its URL and PGSSLROOTCERT say of TLS cannot be used"),
    (ConnectionError('PostgreSQL server at "db:5432" rejected SSL upgrade'), "it offers no TLS"),
    (socket.gaierror(), "nobody knows its host"),
    (FileNotFoundError(2, "No such file"), f"{NAMED}, or its socket, is not there"),
    (PermissionError(13, "Permission denied"), f"this process may not read {NAMED}, or not use its socket"),
    (ssl.SSLError(1, "PEM lib"), f"{NAMED} holds no such thing, or TLS is spoken another way there"),
    (ssl.SSLCertVerificationError(1, "x"), "its certificate is not one that PGSSLROOTCERT vouches for"),
    (asyncpg.ConnectionDoesNotExistError(""), "ConnectionDoesNotExistError"),
    (asyncpg.PostgresIOError(""), "PostgresIOError"),
    (asyncpg.InterfaceError("connection is closed"), "InterfaceError"),
    (ConnectionRefusedError(), "ConnectionRefusedError"),
    (PoolTimeout(), "TimeoutError"),
    (TimeoutError(), "it did not answer in time"),
])  # fmt: skip
def test_a_server_that_cannot_do_it_now_is_away_and_it_is_said_why_where_that_is_known(
    error: Exception, told: str
) -> None:
    assert (is_unavailable(error), is_retryable(error), why_unavailable(error)) == (True, False, told)


@pytest.mark.parametrize("error", [
    asyncpg.UniqueViolationError(""), asyncpg.UndefinedColumnError(""), asyncpg.InterfaceError("wrong arguments"),
    ValueError("the file is closed"), sqlite3.OperationalError("no such table"),
])  # fmt: skip
def test_a_mistake_of_ours_is_not_taken_for_a_server_that_is_away(error: Exception) -> None:
    assert (is_unavailable(error), is_retryable(error)) == (False, False)


async def test_a_full_disk_is_unavailable_and_leaves_nothing_behind(tmp_path: Path) -> None:
    full = open_database(f"sqlite:{tmp_path}/small.db", pool_size=1)
    async with full.transaction() as connection:
        await connection.execute(text("CREATE TABLE item (id integer PRIMARY KEY, n blob)"))
    async with full.reading() as connection:
        await connection.execute(text("PRAGMA max_page_count = 4"))
    with pytest.raises(Unavailable, match="its disk is full"):
        async with full.transaction() as connection:
            await connection.execute(text("INSERT INTO item VALUES (1, zeroblob(100000))"))
    await full.close()
    with sqlite3.connect(tmp_path / "small.db") as direct:
        assert direct.execute("SELECT count(*) FROM item").fetchone() == (0,)
    direct.close()


@pytest.mark.parametrize(("whole", "told"), [(0, "is no database"), (4096, "is damaged")])
async def test_a_damaged_file_is_unavailable_and_not_a_mistake_of_ours(tmp_path: Path, whole: int, told: str) -> None:
    path = tmp_path / "some.db"
    with sqlite3.connect(path) as direct:
        direct.execute("CREATE TABLE item (id integer PRIMARY KEY, n blob)")
        direct.execute("INSERT INTO item VALUES (1, zeroblob(20000))")
    direct.close()
    path.write_bytes(path.read_bytes()[:whole] + b"no page" * 3_000)
    damaged = open_database(f"sqlite:{path}")
    with pytest.raises(Unavailable, match=f"its file {told}: restore a backup"):
        async with damaged.reading() as connection:
            await connection.execute(text("SELECT n FROM item"))
    await damaged.close()


async def test_transactions_are_read_committed_whatever_the_server_would_begin(postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    strict = open_database(postgres_url)
    async with strict.transaction() as connection:
        await connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"))
    await strict.close()
    async with strict.driver_transaction() as raw:
        assert await raw.fetchval("SHOW transaction_isolation") == "read committed"
    async with strict.transaction() as connection:
        assert (await connection.execute(text("SHOW transaction_isolation"))).scalar_one() == "read committed"
        await connection.execute(text(f"ALTER DATABASE {name} RESET default_transaction_isolation"))
    await strict.close()


async def test_a_pooler_is_asked_for_nothing_when_a_session_begins_that_it_would_refuse(postgres_url: str) -> None:
    """Whatever is beside these names, PgBouncer has to be told to leave out, and then the time limits are gone."""
    told = {"application_name", "client_encoding", "DateStyle", "TimeZone", "standard_conforming_strings"}
    session = open_database(postgres_url)
    async with session.reading() as connection:
        found = await connection.execute(text("SELECT name FROM pg_settings WHERE source = 'client'"))
        assert set(found.scalars()) <= told
    await session.close()


async def test_a_worker_frozen_inside_its_transaction_loses_it(postgres_url: str) -> None:
    frozen, other = open_database(postgres_url, timeouts=IMPATIENT), open_database(postgres_url)
    async with frozen.transaction() as connection:
        await connection.execute(text("CREATE TABLE IF NOT EXISTS held (id integer PRIMARY KEY)"))
        await connection.execute(text("INSERT INTO held VALUES (1) ON CONFLICT DO NOTHING"))
    with pytest.raises(Unavailable):
        async with frozen.transaction() as connection:
            await connection.execute(text("DELETE FROM held"))
            async with other.transaction() as second:  # waits for the row until the server ends the frozen session
                await second.execute(text("DELETE FROM held"))
            await connection.execute(text("SELECT 1"))
    await frozen.close()
    await other.close()


@pytest.mark.parametrize("session_timeout_ms", [6_000, 45_000])
async def test_the_server_ends_a_statement_before_the_group_gives_its_partition_away(
    postgres_url: str, session_timeout_ms: int
) -> None:
    given = {"COUNTERPOINT_DATABASE": postgres_url, "COUNTERPOINT_SESSION_TIMEOUT_MS": str(session_timeout_ms)}
    database = open_tables(read_settings(given))
    async with database.reading() as connection:
        for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
            found = await connection.execute(text("select setting from pg_settings where name = :name"), {"name": name})
            assert 0 < int(found.scalar_one()) < session_timeout_ms
    await database.close()


async def test_a_connection_for_single_statements_serves_the_next_one_and_survives_one_given_up(
    database: Database,
) -> None:
    async with database.driver() as first:
        pass
    reading = asyncio.Event()

    async def read_for_ever() -> None:
        async with database.driver() as driver:
            assert driver is first, "it was at hand"
            reading.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(read_for_ever())
    await reading.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.driver() as driver:
        assert driver is not first, "it may have been in the middle of a statement"
    await database.ping()


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_a_server_that_went_away_is_unavailable_until_it_is_back(
    breakable_servers: RunningServers, how: str
) -> None:
    database = open_database(breakable_servers.up("postgres")["postgres"])
    await database.ping()
    getattr(breakable_servers, how)("postgres")
    with pytest.raises(Unavailable):
        for _ in range(200):  # a session outlives the killed postmaster by a moment
            await database.ping()
            await asyncio.sleep(0.05)
    with pytest.raises(Unavailable):
        async with database.driver_transaction():
            pass
    breakable_servers.start("postgres")
    await database.ping()
    await database.close()


async def test_a_server_that_freezes_within_a_transaction_is_unavailable_until_it_answers_again(
    breakable_servers: RunningServers,
) -> None:
    url = breakable_servers.up("postgres")["postgres"]
    database = open_database(url, timeouts=Timeouts(100, 100, 100))
    with pytest.raises(Unavailable):
        async with database.driver_transaction() as raw:
            session = await raw.fetchval("SELECT pg_backend_pid()")
            breakable_servers.freeze("postgres")
            os.kill(session, signal.SIGSTOP)
            await raw.execute("SELECT 1")
    os.kill(session, signal.SIGCONT)
    breakable_servers.thaw("postgres")
    await database.ping()
    await database.close()


async def test_a_session_ended_by_the_server_is_unavailable_through_the_raw_driver_too(postgres_url: str) -> None:
    database = open_database(postgres_url)
    with pytest.raises(Interrupted):
        async with database.driver_transaction() as raw:
            pid = await raw.fetchval("SELECT pg_backend_pid()")
            async with database.reading() as other:
                await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            await raw.execute("SELECT 1")
    await database.ping()
    await database.close()


@pytest.mark.parametrize("way", ["driver", "driver_transaction"])
async def test_one_lost_connection_tells_of_all_that_the_server_has_ended(postgres_url: str, way: str) -> None:
    database, other = open_database(postgres_url), open_database(postgres_url)
    pids = set[int]()

    async def use() -> None:
        async with getattr(database, way)() as raw:
            pids.add(await raw.fetchval("SELECT pg_backend_pid()"))
            await asyncio.sleep(0.05)

    await asyncio.gather(*(use() for _ in range(3)))
    assert len(pids) == 3
    async with other.driver() as raw:
        await raw.execute("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) pid", list(pids))
    with pytest.raises(Unavailable):
        await use()
    await asyncio.gather(*(use() for _ in range(3)))
    for one in (database, other):
        await one.close()


async def test_connections_that_were_in_use_while_another_one_was_lost_are_ended_and_not_left_open(url: str) -> None:
    opened, ended = list[object](), list[object]()
    database = open_database(url, timeouts=IMPATIENT)
    for name, noted in (("connect", opened), ("close", ended)):
        event.listen(database.engine.sync_engine, name, lambda one, _, noted=noted: noted.append(one))
    async with database.reading() as one, database.driver() as other:
        for _ in range(2):
            with pytest.raises(Unavailable):
                async with database.reading():
                    raise ConnectionResetError
        await one.execute(text("SELECT 1"))
        await other.execute("SELECT 1")
    await database.ping()
    await database.close()
    assert len(opened) > 3
    assert sorted(map(id, ended)) == sorted(map(id, opened))


async def test_what_fails_on_a_connection_for_single_statements_gives_it_back(url: str) -> None:
    database = open_database(url, pool_size=1)
    for _ in range(20):
        with pytest.raises((asyncpg.UndefinedTableError, sqlite3.OperationalError)):
            async with database.driver() as driver:
                await driver.execute("SELECT n FROM nowhere")
    await database.ping()
    await database.close()


@pytest.mark.parametrize("error_type", [asyncpg.InternalClientError, asyncpg.InterfaceError])
def test_a_connection_left_in_the_middle_of_an_operation_is_a_lost_one(error_type: type[Exception]) -> None:
    assert is_unavailable(error_type("cannot switch to state 12; another operation (2) is in progress"))
    assert not is_unavailable(error_type("the number of columns is wrong"))
