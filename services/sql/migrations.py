"""The shape of the database: brings it up to this release, and refuses one that this release does not know."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from services.sql.database import Database

SCRIPTS = Path(__file__).resolve().parents[2] / "deploy" / "migrations"
_UPGRADE_LOCK = 0x636F756E  # any number, the same for every process that upgrades


class WrongSchema(Exception):  # noqa: N818 - a state of the database, told to an operator; not a programming error
    """The message says what to do."""


async def upgrade(database: Database) -> str:
    """Runs what is missing, in one transaction; returns the revision reached. Raises `WrongSchema`, `Unavailable`."""
    async with database.transaction() as connection:
        if database.dialect == "postgresql":
            await connection.execute(text("set local statement_timeout = 0"))
            await connection.execute(text("set local lock_timeout = 0"))
            await connection.execute(text(f"select pg_advisory_xact_lock({_UPGRADE_LOCK})"))
        return await connection.run_sync(_upgrade)


async def check(database: Database) -> str:
    """The database's revision, when this release can work on it. Raises `WrongSchema`, `Unavailable`."""
    async with database.reading() as connection:
        found = await connection.run_sync(_revision)
    scripts = ScriptDirectory(str(SCRIPTS))
    _refuse_unknown(scripts, found)
    if found != scripts.get_current_head():
        raise WrongSchema(f"the database is at revision {found or 'none'}: run `counterpoint db upgrade` first")
    return found or ""


def _upgrade(connection: Connection) -> str:
    scripts = ScriptDirectory(str(SCRIPTS))
    _refuse_unknown(scripts, _revision(connection))
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return _revision(connection) or ""


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
