"""What every composition root does first: servers by their URLs, and waiting to be told to stop."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar

import uvloop

from services.clock import Clock, ClockKind, SystemClock
from services.embedded.log import EmbeddedLog, Limits
from services.log import EventLog
from services.logging_setup import configure_logging
from services.metrics import Metrics
from services.notifications import LocalNotifications, Notifications
from services.outage import Outage
from services.plumbing import Plumbing
from services.redis import open_notifications
from services.settings import Settings, SettingsError, read_settings
from services.sql.database import Database, open_database
from services.sql.engines import timeouts_within
from services.sql.migrations import upgrade
from services.sql.one_clock import refuse_other_clock
from services.sql.one_secret import settle_on_secret
from services.web.asgi import App, RunningServer, serve

Opened = TypeVar("Opened")


def open_log(settings: Settings, clock: Clock, linger_ms: int = 0) -> EventLog:
    """`linger_ms`: how long an append to Kafka may wait for others. Raises `DirectoryInUse` where another platform
    writes to the embedded log's directory."""
    if settings.embedded:
        directory = Path(settings.log.removeprefix("embedded:"))
        return EmbeddedLog(directory, clock=clock, limits=Limits(batch_records=settings.batch_events))
    from services.kafka.log import (
        KafkaLog,  # brings Faust along: two thirds of a second that one machine need not spend
    )
    from services.kafka.security import security_of

    return KafkaLog(
        settings.log.removeprefix("kafka://"),
        security=security_of(settings),
        linger_ms=linger_ms,
        batch_records=settings.batch_events,
        session_timeout_s=settings.session_timeout_ms / 1000,
    )


def open_tables(settings: Settings) -> Database:
    """SQLite or PostgreSQL, with a patience that fits the consumer group's."""
    return open_database(settings.database, timeouts=timeouts_within(settings.session_timeout_ms))


def open_screens(settings: Settings) -> Notifications:
    """Redis where there is one, else this process tells only itself."""
    return open_notifications(settings.redis) if settings.redis else LocalNotifications()


def settings_of_one(environment: Mapping[str, str]) -> Settings:
    """Of one of several processes, which logs as they say from now on. Raises `SettingsError`."""
    settings = read_settings(environment)
    if settings.clock == "event":
        raise SettingsError(
            "COUNTERPOINT_CLOCK: event time has one process, whose parts wait for each other: `counterpoint run`"
        )
    configure_logging(settings.log_level, settings.log_format)
    return settings


def open_plumbing(closing: AsyncExitStack, settings: Settings, clock: Clock) -> Plumbing:
    """`closing` closes it, the log last, which goes by the system's clock. Raises `DirectoryInUse`. Servers may still
    be away."""
    metrics = Metrics()
    log = open_log(settings, SystemClock())
    closing.push_async_callback(log.close)
    database = open_tables(settings)
    closing.push_async_callback(database.close)
    screens = open_screens(settings)
    closing.push_async_callback(screens.close)
    return Plumbing(log, database, screens, clock, metrics)


async def open_door(closing: AsyncExitStack, settings: Settings, screens: Notifications, app: App) -> RunningServer:
    """Serves, once everything behind the door is made; `closing` shuts it first. Raises OSError (the port is taken)."""
    server = await serve(app, settings.host, settings.port)
    closing.push_async_callback(server.stop)
    closing.push_async_callback(screens.close)  # before it: a live stream ends when its notifications do
    calm_collector()
    return server


async def take_up(database: Database, secret: bytes, clock: ClockKind = "system") -> None:
    """Brings it up to this release, for processes of one secret and one kind of clock alone. Raises `WrongSchema`,
    `OtherSecret`, `OtherClock`, `Unavailable`."""
    await upgrade(database)
    await settle_on_secret(database, secret, clock)
    await refuse_other_clock(database, clock)


async def when_up(opening: Callable[[], Awaitable[Opened]]) -> Opened:
    """Again until the servers answer: services are started in any order, and anew while a server is away."""
    return await Outage("start").outlasted(opening)


def listen() -> asyncio.Event:
    """Is set at the first SIGINT or SIGTERM from now on. To be called before anybody is told that there is something
    to stop."""
    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    return stop


async def side_by_side(*parts: Callable[[], Awaitable[None]]) -> None:
    """All of them; when one dies, the others are stopped and what happened is raised."""
    async with asyncio.TaskGroup() as group:
        for part in parts:
            group.create_task(_awaited(part))


async def _awaited(part: Callable[[], Awaitable[None]]) -> None:
    await part()


async def until_stopped(stop: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
    """Until `stop` is set, or until the work has died; then what happened is raised."""
    working, stopping = asyncio.ensure_future(work()), asyncio.ensure_future(stop.wait())
    await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
    for task in (working, stopping):
        task.cancel()
    await asyncio.gather(stopping, return_exceptions=True)
    with contextlib.suppress(asyncio.CancelledError):
        await working


def forever(work: Callable[[], Awaitable[None]]) -> None:
    """Until told to stop: `work` listens before it serves. Until then SIGTERM is made a Ctrl-C here: process 1 of a
    container would not hear it at all."""

    async def main() -> None:
        working = asyncio.ensure_future(work())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
        await working

    try:
        uvloop.run(main())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def calm_collector() -> None:
    """Once everything is made: what stands is never looked at again, and what a batch decodes (large, without circles)
    does not start a collection every 700 objects: that cost more than the decoding itself."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1_000)
