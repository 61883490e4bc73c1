"""`db`: brings the database to the shape that this release works on."""

import asyncio

import typer

from services.cli.beside import Data, Json, require_database, settings_of
from services.cli.output import tell
from services.deployment import open_tables
from services.sql.migrations import check, upgrade

app = typer.Typer(no_args_is_help=True, help="The shape of the database.")


@app.command("upgrade")
def upgrade_database(data: Data = None, as_json: Json = False) -> None:
    """Bring the database to this release, in one transaction. A platform does so by itself when it starts."""
    settings = settings_of(data)

    async def work() -> str:
        database = open_tables(settings)
        try:
            return await upgrade(database)
        finally:
            await database.close()

    revision = asyncio.run(work())
    tell(_row(revision), f"the database is at revision {revision}", as_json=as_json)


@app.command()
def status(data: Data = None, as_json: Json = False) -> None:
    """Say whether this release can work on the database; exit code 1 if it cannot."""
    settings = settings_of(data)
    require_database(settings)

    async def work() -> str:
        database = open_tables(settings)
        try:
            return await check(database)
        finally:
            await database.close()

    revision = asyncio.run(work())
    tell(_row(revision), f"the database is at revision {revision}, as this release needs it", as_json=as_json)


def _row(revision: str) -> dict[str, object]:
    return {"revision": revision, "current": True}
