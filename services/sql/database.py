"""One SQL database, SQLite or PostgreSQL: transactions that hold what they promise, and what its errors mean.

Knows no table. Statements belong to the adapters of the services.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

from services.failures import Interrupted, Unavailable
from services.sql.engines import Timeouts, postgresql_engine, sqlite_engine, timeouts_within
from services.sql.errors import is_unavailable, why_unavailable
from services.sql.history import History

Dialect = Literal["sqlite", "postgresql"]
DEFAULT_TIMEOUTS = timeouts_within(10_000)
_FOR_EVER = Timeouts(0, 0, 0)
_AT_HAND = 4


class Database:
    """Made by `open_database`. Errors of a lost or refusing server leave it as `Unavailable`. `history`: of the server;
    a file has only its own."""

    def __init__(self, engine: AsyncEngine, dialect: Dialect) -> None:
        self.engine, self.dialect, self.history = engine, dialect, History()
        self._at_hand: list[tuple[AsyncConnection, Any]] = []
        self._losses = 0
        event.listen(engine.sync_engine, "connect", self._remember_losses)
        event.listen(engine.sync_engine, "checkin", self._end_older)
        if dialect == "postgresql":
            event.listen(engine.sync_engine, "connect", self.history.note)
        # SQLite has one writer: waiting in line here is fair, waiting in its busy handler is not
        self._writer_turn = asyncio.Lock() if dialect == "sqlite" else nullcontext()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Commits at the end of the block, rolls back when it raises. READ COMMITTED; on SQLite BEGIN IMMEDIATE."""
        async with self._writer_turn, self._translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def driver_transaction(self) -> AsyncIterator[Any]:
        """The same for the driver's own connection (asyncpg's or aiosqlite's). On PostgreSQL the driver begins and
        ends it: SQLAlchemy's way there costs as much as a handful of statements."""
        async with self._writer_turn, self._translated(), self.engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            begun = connection.begin() if self.dialect == "sqlite" else _begun(driver)
            async with begun, self._translated(Interrupted):
                yield driver

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """For single statements: no transaction around them, one round trip each."""
        options = {"begin": "BEGIN"} if self.dialect == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        async with self._translated(), self.engine.connect() as connection:
            await connection.execution_options(**options)
            yield connection

    @asynccontextmanager
    async def driver(self) -> AsyncIterator[Any]:
        """The driver's own connection, for single statements. Some are kept at hand: to take one from the pool and to
        give it back costs several times what an indexed read does."""
        async with self._translated():
            connection, driver = self._at_hand.pop() if self._at_hand else await self._for_single_statements()
            try:
                yield driver
            except BaseException as error:
                if not isinstance(error, Exception):  # cancelled, it may be in the middle of a statement
                    await connection.invalidate()
                await connection.close()
                raise
            if len(self._at_hand) < _AT_HAND:
                self._at_hand.append((connection, driver))
            else:
                await connection.close()

    async def _for_single_statements(self) -> tuple[AsyncConnection, Any]:
        connection = await self.engine.connect()
        return connection, (await connection.get_raw_connection()).driver_connection

    @asynccontextmanager
    async def unhurried(self) -> AsyncIterator["Database"]:
        """The same, for statements that take as long as they take. On SQLite all do."""
        if self.dialect == "sqlite":
            yield self
            return
        other = Database(postgresql_engine(self.engine.url, _FOR_EVER, 1), self.dialect)
        try:
            yield other
        finally:
            await other.close()

    async def ping(self) -> None:
        """Raises `Unavailable`."""
        async with self.reading() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self._let_go()
        await self.engine.dispose()

    async def _let_go(self) -> None:
        while self._at_hand:
            connection, _ = self._at_hand.pop()
            await connection.close()

    def _remember_losses(self, _: Any, record: ConnectionPoolEntry) -> None:
        record.info["losses"] = self._losses

    def _end_older(self, connection: Any, record: ConnectionPoolEntry) -> None:
        """What was in use while the pool was disposed of comes back to one that nobody asks any more: left there, it
        stays open on the server until the process ends."""
        if connection is not None and record.info["losses"] != self._losses:
            record.invalidate()

    @asynccontextmanager
    async def _translated(self, into: type[Unavailable] = Unavailable) -> AsyncIterator[None]:
        try:
            yield
        except Exception as error:
            if isinstance(error, Unavailable) or not is_unavailable(error):
                raise
            # after a restart of the server every pooled connection is dead, not only this one
            self._losses += 1
            await self._let_go()
            await self.engine.dispose()
            message = f"the database is not available: {why_unavailable(error)}"
            raise into(message, setting="COUNTERPOINT_DATABASE") from error


@asynccontextmanager
async def _begun(driver: Any) -> AsyncIterator[None]:
    """A transaction of asyncpg, whose own block would make a savepoint of it where the last one was not ended. One that
    cannot be ended takes its connection with it."""
    await driver.execute("BEGIN")
    try:
        yield
        if await driver.execute("COMMIT") != "COMMIT":
            raise RuntimeError("nothing was committed: a statement had failed, and whoever asked for it went on")
    except BaseException:
        if not driver.is_closed():
            await driver.execute("ROLLBACK")
        raise
    finally:
        if not driver.is_closed() and driver.is_in_transaction():  # a closed one cannot be asked
            driver.terminate()


def open_database(url: str, *, timeouts: Timeouts = DEFAULT_TIMEOUTS, pool_size: int = 8) -> Database:
    """`sqlite:PATH` or `postgresql://user:password@host:port/name`. Connects when first used.

    Raises `ValueError` for another URL; the message never repeats it, for it may hold a password.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite" and rest.removeprefix("//"):
        return Database(sqlite_engine(Path(rest.removeprefix("//")), timeouts, pool_size), "sqlite")
    parts = urlsplit(url)
    if scheme in ("postgresql", "postgres") and (parts.hostname or "host=" in parts.query):
        return Database(postgresql_engine("postgresql+asyncpg:" + rest, timeouts, pool_size), "postgresql")
    raise ValueError("a database URL is sqlite:PATH or postgresql://user@host:port/name")
