"""The shape of the database: brings it up to this release, and refuses one that this release does not know."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, inspect, text

from services.sql.database import Database

SCRIPTS = Path(__file__).resolve().parents[2] / "deploy" / "migrations"
UPGRADE_LOCK = 0x636F756E  # any number, the same for every process that upgrades


class WrongSchema(Exception):  # noqa: N818 - a state of the database, told to an operator; not a programming error
    """The message says what to do."""


async def upgrade(database: Database) -> str:
    """Runs what is missing, in one transaction; returns the revision reached. Raises `WrongSchema`, `Unavailable`."""
    async with database.unhurried() as other, other.transaction() as connection:
        if other.dialect == "postgresql":
            await connection.execute(text(f"select pg_advisory_xact_lock({UPGRADE_LOCK})"))
        return await connection.run_sync(_upgrade)


async def check(database: Database) -> str:
    """The database's revision, when this release can work on it. Raises `WrongSchema`, `Unavailable`."""
    async with database.reading() as connection:
        return await connection.run_sync(_check)


def _check(connection: Connection) -> str:
    found = _revision(connection)
    scripts = ScriptDirectory(str(SCRIPTS))
    _refuse_unknown(scripts, found)
    if found != scripts.get_current_head():
        raise WrongSchema(f"the database is at revision {found or 'none'}: run `counterpoint db upgrade` first")
    _refuse_other_columns(connection)
    return found or ""


def _upgrade(connection: Connection) -> str:
    _migrate(connection)
    _refuse_other_columns(connection)
    return _revision(connection) or ""


def _migrate(connection: Connection) -> None:
    scripts = ScriptDirectory(str(SCRIPTS))
    _refuse_unknown(scripts, _revision(connection))
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_unknown(scripts: ScriptDirectory, found: str | None) -> None:
    if found is None:
        return
    try:
        scripts.get_revision(found)
    except CommandError:
        raise WrongSchema(
            f"the database is at revision {found}, made by a newer release: start that release, or restore a backup"
        ) from None


def _refuse_other_columns(connection: Connection) -> None:
    """A revision says what was run, not what it was like then."""
    found = _columns(connection)
    other = [table for table, columns in _declared_columns().items() if found.get(table) != columns]
    if other:
        raise WrongSchema(
            f"the database has this release's revision, but not its columns in {', '.join(sorted(other))}: a build "
            f"before the release made it; go on with that build, or drop the database and run `counterpoint db upgrade`"
        )


@cache
def _declared_columns() -> Mapping[str, frozenset[str]]:
    """Their names are the same on every database."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        _migrate(connection)
        columns = _columns(connection)
    engine.dispose()
    return columns


def _columns(connection: Connection) -> Mapping[str, frozenset[str]]:
    tables = inspect(connection).get_multi_columns()
    return {table: frozenset(one["name"] for one in columns) for (_, table), columns in tables.items()}
