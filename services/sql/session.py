"""One transaction of either database under one face. Statements are written once, as PostgreSQL reads them.

SQLAlchemy's own layer costs more than our statements do, so this talks to the drivers themselves.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, Protocol

from services.failures import Contended, Unavailable
from services.sql.database import Database
from services.sql.errors import is_no_text, is_retryable, no_text, why_unavailable
from services.sql.sqlite_dialect import for_sqlite, plain, refuse_nul
from services.sql.together import Write, write_together

Row = Sequence[Any]
_NOW = {
    "postgresql": "select (extract(epoch from clock_timestamp()) * 1000)::bigint",
    "sqlite": "select cast((julianday('now') - 2440587.5) * 86400000 as integer)",
}


class Bulk(NamedTuple):
    """One statement for many rows: arrays on PostgreSQL, row by row on SQLite. `whole`: one array of rows of a
    composite type, which the driver writes twice as fast as an array for each column."""

    postgresql: str
    sqlite: str
    whole: bool = False

    def arguments(self, rows: Sequence[Row]) -> Sequence[Any]:
        """On PostgreSQL."""
        return (rows,) if self.whole else list(zip(*rows, strict=True))


def insert(table: str, columns: str, conflict: str = "") -> Bulk:
    """`columns`: "subject text, month int"; `conflict`: what follows the values, such as "on conflict do nothing"."""
    names = [column.split()[0] for column in columns.split(", ")]
    arrays = [f"${place}::{column.split()[1]}[]" for place, column in enumerate(columns.split(", "), 1)]
    into = f"insert into {table} ({', '.join(names)})"
    return Bulk(
        f"{into} select * from unnest({', '.join(arrays)}) {conflict}",  # noqa: S608 - constants
        f"{into} values ({', '.join('?' * len(names))}) {conflict}",
    )


def insert_whole(table: str, columns: str, conflict: str = "") -> Bulk:
    """`columns`: all that the table has, in its order."""
    into, places = f"insert into {table} ({columns})", ", ".join("?" * len(columns.split(", ")))
    return Bulk(
        f"{into} select {columns} from unnest($1::{table}[]) {conflict}",  # noqa: S608 - constants
        f"{into} values ({places}) {conflict}",
        whole=True,
    )


class Session(Protocol):
    """Statements count their arguments from $1; a list goes to `any($1::text[])`."""

    dialect: str

    async def rows(self, sql: str, *arguments: Any) -> Sequence[Row]: ...

    async def run(self, sql: str, *arguments: Any) -> int:
        """Returns how many rows were written."""

    async def bulk(self, statement: Bulk, rows: Iterable[Row]) -> int:
        """Returns how many rows were written; nothing happens for no rows."""

    async def append(self, table: str, columns: str, rows: Sequence[Row]) -> None:
        """The fastest way in, for rows that are new for certain."""

    async def later(self, statement: Bulk, rows: Sequence[Row], refused: Exception | None = None) -> None:
        """Writes the rows before the next statement or the commit, in one round trip with whatever else waits by then.
        Where fewer rows than these are written, `refused` is raised, here or at that later moment."""


class PostgresSession:
    dialect = "postgresql"

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._waiting: dict[str, Write] = {}

    async def rows(self, sql: str, *arguments: Any) -> Sequence[Row]:
        await self.flush()
        found: Sequence[Row] = await self._driver.fetch(sql, *arguments)
        return found

    async def run(self, sql: str, *arguments: Any) -> int:
        await self.flush()
        return _count(await self._driver.execute(sql, *arguments))

    async def bulk(self, statement: Bulk, rows: Iterable[Row]) -> int:
        listed = list(rows)
        return await self.run(statement.postgresql, *statement.arguments(listed)) if listed else 0

    async def append(self, table: str, columns: str, rows: Sequence[Row]) -> None:
        if rows:
            await self.flush()
            await self._driver.copy_records_to_table(table, records=rows, columns=columns.split(", "))

    async def later(self, statement: Bulk, rows: Sequence[Row], refused: Exception | None = None) -> None:
        if not rows:
            return
        if statement.postgresql in self._waiting:  # it may write the same rows
            await self.flush()
        waiting = Write(statement.postgresql, statement.arguments(rows), len(rows), refused)
        self._waiting[statement.postgresql] = waiting

    async def flush(self) -> None:
        """What waits is written now."""
        if self._waiting:
            writes, self._waiting = list(self._waiting.values()), {}
            await write_together(self._driver, writes)


def _count(status: str) -> int:
    """The driver answers with the command's tag: `INSERT 0 17`, `UPDATE 17`, or a bare word."""
    last = status.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0


class SqliteSession:
    dialect = "sqlite"

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    async def rows(self, sql: str, *arguments: Any) -> Sequence[Row]:
        found: Sequence[Row] = await self._driver.execute_fetchall(for_sqlite(sql), plain(arguments))
        return found

    async def run(self, sql: str, *arguments: Any) -> int:
        cursor = await self._driver.execute(for_sqlite(sql), plain(arguments))
        count: int = cursor.rowcount
        await cursor.close()
        return count

    async def bulk(self, statement: Bulk, rows: Iterable[Row]) -> int:
        listed = list(rows)
        if not listed:
            return 0
        for row in listed:
            refuse_nul(row)
        cursor = await self._driver.executemany(statement.sqlite, listed)
        count: int = cursor.rowcount
        await cursor.close()
        return count

    async def append(self, table: str, columns: str, rows: Sequence[Row]) -> None:
        places = ", ".join("?" * len(columns.split(", ")))
        await self.bulk(Bulk("", f"insert into {table} ({columns}) values ({places})"), rows)  # noqa: S608 - constants

    async def later(self, statement: Bulk, rows: Sequence[Row], refused: Exception | None = None) -> None:
        """At once: nothing travels."""
        if await self.bulk(statement, rows) != len(rows) and refused is not None:
            raise refused

    async def flush(self) -> None:
        """Nothing ever waits."""


async def now_ms(session: Session) -> int:
    """By the database's clock, which all workers have in common: one whose own is ahead would keep what it leases for
    as long after its end."""
    return int((await session.rows(_NOW[session.dialect]))[0][0])


@asynccontextmanager
async def writing(database: Database) -> AsyncIterator[Session]:
    """A transaction. Raises `Contended` for what may succeed at the next try, `Unavailable` when the server is away,
    `Rejected` for text that the database cannot hold."""
    try:
        async with database.driver_transaction() as driver:
            session = _session(database, driver)
            yield session
            await session.flush()
    except Exception as error:
        if is_retryable(error):
            raise Contended(f"another transaction was in the way ({type(error).__name__})") from error
        if is_no_text(error):
            raise no_text() from error
        raise


@asynccontextmanager
async def reading(database: Database) -> AsyncIterator[Session]:
    """For single statements; raises `Unavailable`, also while a table is locked as a whole, and `Rejected` for text
    that the database cannot hold."""
    try:
        async with database.driver() as driver:
            yield _session(database, driver)
    except Exception as error:
        if is_retryable(error):  # whoever only reads waits for no row
            message = f"the database is not available: {why_unavailable(error)}"
            raise Unavailable(message, setting="COUNTERPOINT_DATABASE") from error
        if is_no_text(error):
            raise no_text() from error
        raise


async def read(database: Database, sql: str, *arguments: Any) -> Sequence[Row]:
    """One statement by itself. Raises as `reading`."""
    async with reading(database) as session:
        return await session.rows(sql, *arguments)


def _session(database: Database, driver: Any) -> SqliteSession | PostgresSession:
    return SqliteSession(driver) if database.dialect == "sqlite" else PostgresSession(driver)
