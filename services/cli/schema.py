"""`db`: brings the database to the shape that this release works on."""

import asyncio
from collections.abc import Awaitable, Callable

import typer

from services.alerts.adapters.restoring import raise_revisions
from services.cli.beside import Beside, Data, Json, in_deployment, require_database, settings_of
from services.cli.output import counted, tell
from services.deployment import open_tables
from services.profile.adapters.restoring import FAR_AHEAD, raise_versions
from services.settings import Settings
from services.sql.database import Database
from services.sql.migrations import check, upgrade

app = typer.Typer(no_args_is_help=True, help="The shape of the database.")


@app.command("upgrade")
def upgrade_database(data: Data = None, as_json: Json = False) -> None:
    """Bring the database to this release, in one transaction. A platform does so by itself when it starts."""
    revision = asyncio.run(_revision(settings_of(data), upgrade))
    tell(_row(revision), f"the database is at revision {revision}", as_json=as_json)


@app.command()
def status(data: Data = None, as_json: Json = False) -> None:
    """Say whether this release can work on the database; exit code 1 if it cannot."""
    settings = settings_of(data)
    require_database(settings)
    revision = asyncio.run(_revision(settings, check))
    tell(_row(revision), f"the database is at revision {revision}, as this release needs it", as_json=as_json)


@app.command()
def restored(data: Data = None, as_json: Json = False) -> None:
    """After the database came back from a backup, or from a replica that had lagged: lift the versions of all views
    and alerts beyond those published before, which readers would skip. What the log holds is worked again by itself."""

    async def work(beside: Beside) -> dict[str, int]:
        database = beside.database
        return {"views": await raise_versions(database), "alerts": await raise_revisions(database, FAR_AHEAD)}

    raised = in_deployment(data, work)
    views, alerts = counted(raised["views"], "view", "views"), counted(raised["alerts"], "alert", "alerts")
    tell(raised, f"{views} and {alerts} go on {FAR_AHEAD:,} versions up", as_json=as_json)


async def _revision(settings: Settings, work: Callable[[Database], Awaitable[str]]) -> str:
    database = open_tables(settings)
    try:
        return await work(database)
    finally:
        await database.close()


def _row(revision: str) -> dict[str, object]:
    return {"revision": revision, "current": True}
