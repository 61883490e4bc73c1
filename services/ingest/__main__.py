"""Composition root: ingest alone, as one of several processes on Kafka and PostgreSQL, or by itself on files."""

import contextlib
import os
from collections.abc import Mapping

from schemas.catalogue import load_catalogue
from services.clock import SystemClock
from services.deployment import (
    calm_collector,
    forever,
    listen,
    open_log,
    open_tables,
    settings_of_one,
    take_up,
    until_stopped,
    when_up,
)
from services.ingest.adapters.redis import opened_rates
from services.ingest.adapters.sql import SqlKeyStore, SqlSourceStore
from services.ingest.app import Stores, open_ingest
from services.ingest.settings import read_choices, read_limits
from services.metrics import Metrics
from services.secret import load_naming
from services.web.asgi import operations, routes, serve
from services.web.openapi import openapi_route

# Of many channels that send single events at once, each would be a request to the broker, which costs it a millisecond;
# a channel waits a round trip to it in any case.
LINGER_MS = 2


async def run(environment: Mapping[str, str]) -> None:
    """Serves until SIGINT or SIGTERM. Raises `SettingsError`, `WrongSchema`, `OtherSecret`, `OtherClock`."""
    settings = settings_of_one(environment)
    metrics, naming, catalogue = Metrics(), load_naming(settings), load_catalogue(settings.event_types)
    async with contextlib.AsyncExitStack() as closing:
        database = open_tables(settings)
        closing.push_async_callback(database.close)
        await when_up(lambda: take_up(database, naming.secret))
        log = open_log(settings, SystemClock(), LINGER_MS)
        closing.push_async_callback(log.close)
        stores = Stores(SqlKeyStore(database), SqlSourceStore(database))
        rates = await closing.enter_async_context(opened_rates(settings.redis))
        limits, choices = read_limits(environment), read_choices(environment)
        ingest = await when_up(
            lambda: open_ingest(log, stores, rates, naming, catalogue, SystemClock(), metrics, limits, choices)
        )

        health = operations({"log": ingest.check}, metrics.exposed)
        stop = listen()
        server = await serve(
            routes({**ingest.routes, **openapi_route(ingest.openapi), **health}), settings.host, settings.port
        )
        closing.push_async_callback(server.stop)
        calm_collector()
        await until_stopped(stop, ingest.beat)


if __name__ == "__main__":
    forever(lambda: run(os.environ))
