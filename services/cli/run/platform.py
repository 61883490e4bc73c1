"""The whole platform in one process: ingest, a profile worker and its readers around one log and one database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from schemas.catalogue import load_catalogue
from services.access import SqlUserStore
from services.cli.run.alerting import from_profile, opened_alerts
from services.cli.run.event_time import EventTime
from services.cli.run.rules_asked import hearing_rules
from services.clock import Clock, EventClock, SystemClock
from services.deployment import open_door, open_plumbing, side_by_side, take_up
from services.ingest.adapters.redis import opened_rates
from services.ingest.adapters.sql import SqlKeyStore, SqlSourceStore
from services.ingest.app import Stores, open_ingest
from services.ingest.channels.taking import by_event_time
from services.ingest.settings import read_choices as read_ingest_choices
from services.ingest.settings import read_limits
from services.metrics import Metrics
from services.profile.app import open_profile
from services.profile.settings import read_choices as read_profile_choices
from services.secret import load_naming
from services.settings import Settings
from services.web.asgi import operations, routes
from services.web.openapi import openapi_route
from services.web.staff import mounted, openapi_document


class Platform(NamedTuple):
    """A running platform. `work` ends only when a part of it has died; awaiting it raises what happened."""

    base_url: str
    stores: Stores
    users: SqlUserStore
    metrics: Metrics
    clock: Clock
    work: "asyncio.Task[None]"


@asynccontextmanager
async def running_platform(
    settings: Settings, environment: Mapping[str, str], announcement: Path | None = None
) -> AsyncIterator[Platform]:
    """Serves while the block runs. Leaving it stops in order: the door, the worker after its batch, log and database.

    `announcement`: the file by which others learn that it serves; that of an earlier start is taken away as soon as the
    directory is this platform's own.

    Raises `DirectoryInUse`, `SettingsError`, `WrongSchema`, `OtherSecret`, `OtherClock`, `Unavailable`, OSError (the
    port is taken).
    """
    naming, catalogue = load_naming(settings), load_catalogue(settings.event_types)
    async with contextlib.AsyncExitStack() as closing:
        is_past = settings.clock == "event"
        clock = EventClock() if is_past else SystemClock()
        plumbing = open_plumbing(closing, settings, clock)
        log, database, screens, _, metrics = plumbing
        if announcement is not None:
            await asyncio.to_thread(announcement.unlink, missing_ok=True)
        await take_up(database, naming.secret, settings.clock)
        users, stores = SqlUserStore(database), Stores(SqlKeyStore(database), SqlSourceStore(database))
        choices_of_profile = read_profile_choices(environment)
        profile = await open_profile(plumbing, users, naming, catalogue, choices_of_profile, of_past=is_past)
        work_of_profile = await hearing_rules(profile, database, environment)
        rates = await closing.enter_async_context(opened_rates(settings.redis))
        limits, choices = read_limits(environment), read_ingest_choices(environment)
        known = from_profile(profile.declarations, profile.policy, profile.read)
        alerts = await opened_alerts(closing, plumbing, known, environment, delivers=not is_past)
        taking, pacing = None, []
        if isinstance(clock, EventClock):
            pace = EventTime(clock, profile.worker, alerts.worker)
            await pace.begin()
            taking, pacing = by_event_time(pace.at), [pace.work]
        ingest = await open_ingest(log, stores, rates, naming, catalogue, clock, metrics, limits, choices, taking)
        work = asyncio.create_task(side_by_side(work_of_profile, alerts.work, ingest.beat, *pacing), name="work")
        closing.push_async_callback(_end, work)
        health = operations({"ingest": ingest.check, **profile.checks, **alerts.checks}, metrics.exposed)
        documents = openapi_route(ingest.openapi, openapi_document(profile.app), openapi_document(alerts.app))
        app = routes({**ingest.routes, **documents, **health}, mounted(profile.app, alerts.app))
        server = await open_door(closing, settings, screens, app)
        yield Platform(f"http://{server.host}:{server.port}", stores, users, metrics, clock, work)


async def _end(work: "asyncio.Task[None]") -> None:
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work
