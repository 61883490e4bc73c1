"""`db`: brings the database to the shape that this release works on."""

import asyncio
from collections.abc import Awaitable, Callable

import typer

from services.alerts.adapters.restoring import retell
from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.adapters.sql_deliveries import SqlDeliveryStore
from services.cli.beside import Beside, Data, Json, in_deployment, require_database, settings_of
from services.cli.output import counted, tell
from services.cli.restoring import alerts_since, changes_since
from services.deployment import open_tables
from services.profile.adapters.restoring import restate
from services.settings import Settings
from services.sql.database import Database
from services.sql.migrations import check, upgrade

app = typer.Typer(no_args_is_help=True, help="Migrate and check the database schema.")


@app.command("upgrade")
def upgrade_database(data: Data = None, as_json: Json = False) -> None:
    """Bring the database to this release, in one transaction. A platform does so by itself when it starts."""
    revision = asyncio.run(_revision(settings_of(data), upgrade))
    tell(_row(revision), f"the database is at revision {revision}", as_json=as_json)


@app.command()
def status(data: Data = None, as_json: Json = False) -> None:
    """Say whether this release can use the database. Exits with 1 if it cannot."""
    settings = settings_of(data)
    require_database(settings)
    revision = asyncio.run(_revision(settings, check))
    tell(_row(revision), f"the database is at revision {revision}, as this release needs it", as_json=as_json)


@app.command()
def restored(data: Data = None, as_json: Json = False) -> None:
    """Run this after the database came back from a backup or a lagging replica, before workers start.

    It publishes again, in their present state, the customers and alerts that readers have heard of since. The log is
    processed again automatically."""

    async def work(beside: Beside) -> dict[str, int]:
        database, now = beside.database, await beside.now_ms()
        alerts, deliveries = SqlAlertStore(database), SqlDeliveryStore(database)
        async with beside.log() as log:
            (changes, acted_on), (steps, delivered) = await asyncio.gather(
                changes_since(log, alerts), alerts_since(log, deliveries)
            )
        restated, retold = await restate(database, changes, now), await retell(database, steps, now)
        await acted_on.skip(alerts)
        await delivered.skip(deliveries)
        return {"customers": restated.again, "unknown_customers": restated.unknown,
                "alerts": retold.again, "unknown_alerts": retold.unknown}  # fmt: skip

    done = in_deployment(data, work)
    told = [
        f"{counted(done[one], one[:-1], one)} told anew, {done[f'unknown_{one}']:,} taken back"
        for one in ("customers", "alerts")
    ]
    tell(done, "; ".join(told), as_json=as_json)


async def _revision(settings: Settings, work: Callable[[Database], Awaitable[str]]) -> str:
    database = open_tables(settings)
    try:
        return await work(database)
    finally:
        await database.close()


def _row(revision: str) -> dict[str, object]:
    return {"revision": revision, "current": True}
