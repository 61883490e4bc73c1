"""Puts delivery together from values handed in."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import msgspec

from schemas.topics import ALERTS
from services.alerts.adapters.destination_files import Destinations, Loaded
from services.alerts.adapters.rule_files import PRODUCT
from services.alerts.adapters.senders import DestinationSender
from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.adapters.sql_deliveries import SqlDeliveryStore
from services.alerts.delivery.deliver import Deliver
from services.alerts.delivery.stream import Worker, run
from services.alerts.domain.destinations import DESTINATIONS, without_addresses
from services.alerts.record import record_file
from services.clock import SystemClock
from services.declared_files import PolicyError, directories
from services.outbound.posting import HttpSender
from services.plumbing import Plumbing
from services.progress import Progress

NOTICES_AT_ONCE = 1_000


class DeliveryService(NamedTuple):
    """`work` runs until cancelled; then the message in hand is finished. `close` comes after it."""

    work: Callable[[], Awaitable[None]]
    close: Callable[[], Awaitable[None]]


def open_delivery(
    plumbing: Plumbing, catalogue: str, environment: Mapping[str, str], name: str, *, delivers: bool
) -> DeliveryService:
    """`catalogue`: the bank's own directory, as for rules. `name`: of this worker, unique among all. Without `delivers`
    steps of alerts are taken note of, and nobody is told. Raises `PolicyError` where the file of destinations has a
    mistake."""
    events, database, _, clock, metrics = plumbing
    destinations = Destinations(directories(PRODUCT, catalogue), environment)
    mistakes = destinations.read()
    if mistakes:
        raise PolicyError("; ".join(mistakes))
    http, store = HttpSender(), SqlDeliveryStore(database)
    sender = DestinationSender(http, environment, lambda: destinations.declared.link)
    deliver = Deliver(store, sender, lambda: destinations.declared.destinations if delivers else (), clock, name)
    alerts = SqlAlertStore(database)

    async def record(loaded: Loaded) -> None:
        said = msgspec.to_builtins(without_addresses(loaded.declared))
        await record_file(alerts, DESTINATIONS, said, loaded.author, clock.now_ms())

    worker = Worker(events, store, deliver, destinations, metrics, clock,
                    Progress(events, store, ALERTS.name, metrics, SystemClock().now_ms), asyncio.Event(),
                    lambda since: alerts.recent_notices(since, NOTICES_AT_ONCE), record)  # fmt: skip
    return DeliveryService(lambda: run(worker), http.close)
