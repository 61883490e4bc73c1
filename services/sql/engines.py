"""How the two databases are connected to: what is the same for every connection of a pool."""

import contextlib
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


class Timeouts(NamedTuple):
    """Milliseconds, on the server; 0: for ever."""

    lock: int
    statement: int
    idle_in_transaction: int


def timeouts_within(session_timeout_ms: int) -> Timeouts:
    """All below the consumer group's session timeout: a worker that is frozen inside its transaction loses it before
    another one is given its partitions."""
    return Timeouts(session_timeout_ms * 3 // 10, session_timeout_ms * 8 // 10, session_timeout_ms * 5 // 10)


def sqlite_engine(path: Path, timeouts: Timeouts, pool_size: int) -> AsyncEngine:
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):  # whoever may not is told when it connects
        path.touch(0o600)  # it holds names and phone numbers; the journals beside it get the same mode
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}",
        connect_args={"isolation_level": None, "timeout": timeouts.lock / 1000},
        pool_size=pool_size,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", _set_pragmas)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _set_pragmas(connection: Any, record: object) -> None:
    cursor = connection.cursor()
    # NORMAL would lose the last commits with the power: a position could then stand behind an acknowledged effect
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # a writer that begins as a reader cannot wait for the lock when it first writes: it fails at once
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN IMMEDIATE"))


def postgresql_engine(url: str | URL, timeouts: Timeouts, pool_size: int) -> AsyncEngine:
    # the client's own patience ends after the server's, for a server that is frozen answers nothing
    patience = timeouts.statement / 1000 + 2 if timeouts.statement else None
    settings = {
        "default_transaction_isolation": "read committed",  # a bank's server may begin stricter ones by itself
        "lock_timeout": str(timeouts.lock),
        "statement_timeout": str(timeouts.statement),
        "idle_in_transaction_session_timeout": str(timeouts.idle_in_transaction),
        "jit": "off",  # compiling costs more than any of our statements
        # every statement is a few thousand index probes at most: a planner that believes too little of a young table
        # must not read a whole one, nor plan anew for each array of keys
        "plan_cache_mode": "force_generic_plan",
        "enable_seqscan": "off",
        "enable_hashjoin": "off",
        "enable_mergejoin": "off",
    }
    named = {"application_name": "counterpoint"}
    engine = create_async_engine(
        url,
        connect_args={"timeout": 5, "command_timeout": patience, "server_settings": named},
        isolation_level="READ COMMITTED",
        pool_size=pool_size,
        pool_timeout=10,
        hide_parameters=True,
    )
    # not while connecting: a pooler (PgBouncer, in session mode) refuses most parameters there
    statements = "; ".join(f"SET {name} = '{value}'" for name, value in settings.items())
    event.listen(
        engine.sync_engine,
        "connect",
        lambda connection, _: connection.run_async(lambda driver: driver.execute(statements)),
    )
    return engine
