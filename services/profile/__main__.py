"""Composition root: the profile, or some of its steps, as one of several processes on Kafka and PostgreSQL."""

import contextlib
import os
from collections.abc import Awaitable, Callable, Mapping

from schemas.catalogue import load_catalogue
from services.access import SqlUserStore
from services.clock import SystemClock
from services.deployment import (
    forever,
    listen,
    open_door,
    open_plumbing,
    settings_of_one,
    take_up,
    until_stopped,
    when_up,
)
from services.profile.app import Profile, open_profile
from services.profile.settings import read_choices
from services.secret import load_naming
from services.sql.database import Database
from services.web.asgi import operations, routes
from services.web.openapi import openapi_route
from services.web.staff import mounted, openapi_document

Work = Callable[[], Awaitable[None]]


async def nothing_beside(profile: Profile, database: Database) -> Work:
    return profile.work


async def run(
    environment: Mapping[str, str], beside: Callable[[Profile, Database], Awaitable[Work]] = nothing_beside
) -> None:
    """Works until SIGINT or SIGTERM. `beside` gives the profile's work with what else a root has it do. Raises
    `SettingsError`, `WrongSchema`, `OtherSecret`, `OtherClock`."""
    settings = settings_of_one(environment)
    naming = load_naming(settings)
    async with contextlib.AsyncExitStack() as closing:
        plumbing = open_plumbing(closing, settings, SystemClock())
        database, metrics = plumbing.database, plumbing.metrics
        await when_up(lambda: take_up(database, naming.secret))
        users, choices = SqlUserStore(database), read_choices(environment)
        catalogue = load_catalogue(settings.event_types)
        profile = await when_up(lambda: open_profile(plumbing, users, naming, catalogue, choices))
        health = operations(profile.checks, metrics.exposed)
        app = routes(health)
        if "read" in choices.steps:
            app = routes({**health, **openapi_route(openapi_document(profile.app))}, mounted(profile.app))

        async def work() -> None:  # readers are answered, whatever it has to wait for
            await (await when_up(lambda: beside(profile, database)))()

        stop = listen()
        await open_door(closing, settings, plumbing.screens, app)
        await until_stopped(stop, work)


if __name__ == "__main__":
    forever(lambda: run(os.environ))
