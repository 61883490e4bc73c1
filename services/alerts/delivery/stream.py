"""TOPOLOGY: what delivers alerts beside the inbox, from left to right.

alerts (topic), notices → accept → a queue for each destination → serve → webhook, mail, group bot
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

import structlog

from schemas.topics import ALERTS
from services import metrics as measure
from services.alerts.adapters.destination_files import DESTINATIONS, load_destinations
from services.alerts.adapters.rule_files import PRODUCT
from services.alerts.adapters.senders import Channels
from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.adapters.sql_deliveries import SqlDeliveryStore
from services.alerts.delivery.deliver import Deliver, Served
from services.alerts.delivery.ports import DeliveryStore
from services.alerts.domain.destinations import Declared, Destination
from services.alerts.domain.notices import Notice
from services.attempts import Attempts
from services.clock import Clock
from services.declared_files import Place, PolicyError, place, stamp
from services.failures import Contended, Unavailable
from services.log import Batch, EventLog
from services.metrics import Metrics
from services.pace import every, woken
from services.plumbing import Plumbing
from services.posting import HttpSender
from services.progress import Progress

GROUP = "counterpoint-delivery"
IDLE_S, AWAY_PAUSE_S, RELOAD_S, NOTICE_S, COUNT_S, UPKEEP_S = 1.0, 15.0, 2.0, 5.0, 15.0, 3_600.0
NOTICES_AT_ONCE = 1_000
GRACE_S = 2.0
KEEP_MS = 40 * 86_400_000
"""Longer than the topic keeps its records."""
log = structlog.get_logger(__name__)


class Destinations:
    """Those declared now; a bad file never replaces a good one."""

    def __init__(self, files: Place, environment: Mapping[str, str]) -> None:
        self._files, self._environment = files, environment
        self._seen: tuple[object, ...] = ()
        self.declared = Declared()

    def read(self) -> Sequence[str]:
        """Reads the file again if it has changed; returns its mistakes, with which the former file stays in force."""
        seen = stamp(self._files.path(DESTINATIONS))
        if seen == self._seen:
            return ()
        self._seen = seen
        loaded = load_destinations(self._files, self._environment)
        if not loaded.mistakes:
            self.declared = loaded.declared
        return loaded.mistakes

    def find(self, destination_id: str) -> Destination | None:
        return next((one for one in self.declared.destinations if one.id == destination_id and one.enabled), None)


class Delivery(NamedTuple):
    """`work` runs until cancelled; then the message in hand is finished. `close` comes after it."""

    work: Callable[[], Awaitable[None]]
    close: Callable[[], Awaitable[None]]


class Worker(NamedTuple):
    """`queued` is set when there may be something to send. `notices`: on rules, since a time (ms)."""

    log: EventLog
    store: DeliveryStore
    deliver: Deliver
    destinations: Destinations
    metrics: Metrics
    clock: Clock
    progress: Progress
    queued: asyncio.Event
    notices: Callable[[int], Awaitable[Sequence[Notice]]]


def open_delivery(plumbing: Plumbing, catalogue: str, environment: Mapping[str, str], name: str) -> Delivery:
    """`catalogue`: the bank's own directory, as for rules. `name`: of this worker, unique among all. Raises
    `PolicyError` where the file of destinations has a mistake."""
    events, database, _, clock, metrics = plumbing
    destinations = Destinations(place(PRODUCT, catalogue), environment)
    mistakes = destinations.read()
    if mistakes:
        raise PolicyError("; ".join(mistakes))
    http, store = HttpSender(), SqlDeliveryStore(database)
    channels = Channels(http, environment, lambda: destinations.declared.link)
    deliver = Deliver(store, channels, lambda: destinations.declared.destinations, clock, name)
    alerts = SqlAlertStore(database)
    worker = Worker(events, store, deliver, destinations, metrics, clock,
                    Progress(events, store, ALERTS.name, metrics, clock.now_ms), asyncio.Event(),
                    lambda since: alerts.recent_notices(since, NOTICES_AT_ONCE))  # fmt: skip
    return Delivery(lambda: run(worker), http.close)


async def run(worker: Worker) -> None:
    async with asyncio.TaskGroup() as group:
        for step in (accepting, progressing, noticing, serving, counting, forgetting):
            group.create_task(step(worker), name=step.__name__)


async def accepting(worker: Worker) -> None:
    """alerts → queues."""

    async def apply(batch: Batch) -> None:
        if await worker.deliver.accept(batch):
            worker.queued.set()

    async def park(batch: Batch, error: BaseException) -> None:
        # an alert is told whole: its next step says all that this one said
        async with worker.store.accepting() as tx:
            await tx.advance([batch.move])

    await worker.log.consume([ALERTS.name], GROUP, worker.store, Attempts(apply, park, worker.metrics))


async def progressing(worker: Worker) -> None:
    """Lag of the partitions, and which of them have stopped."""
    await worker.progress.keep_looking()


async def noticing(worker: Worker) -> None:
    """notices on rules → queues."""
    await every(NOTICE_S, lambda: worker.deliver.accept_notices(worker.notices))


async def serving(worker: Worker) -> None:
    """queues → receivers: a loop for each destination, begun and ended as the bank's file says."""
    async with asyncio.TaskGroup() as group:
        running: dict[str, asyncio.Task[None]] = {}
        while True:
            for mistake in worker.destinations.read():
                log.error("file of destinations has a mistake: the one before it stays", mistake=mistake)
            for one in worker.destinations.declared.destinations:
                if one.enabled and (one.id not in running or running[one.id].done()):
                    running[one.id] = group.create_task(queue_of(worker, one.id), name=f"{DESTINATIONS} {one.id}")
            await asyncio.sleep(RELOAD_S)


async def queue_of(worker: Worker, destination_id: str) -> None:
    """Serves one queue until its destination is declared no longer."""
    while (destination := worker.destinations.find(destination_id)) is not None:
        try:
            served = await finished(served_by(worker, destination))
        except Contended:
            continue
        except Unavailable as error:
            await asyncio.sleep(error.retry_after)
            continue
        if served.away:
            await asyncio.sleep(AWAY_PAUSE_S)
        elif not served.delivered:
            worker.queued.clear()
            await woken(worker.queued, IDLE_S)


async def finished(work: Awaitable[Served]) -> Served:
    """When cancelled, a message on its way gets a moment to arrive and to be noted; one that was not noted is sent
    again, with the same id."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=GRACE_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


async def served_by(worker: Worker, destination: Destination) -> Served:
    served = await worker.deliver.serve(destination)
    for outcome in ("delivered", "missed", "dead", "held"):
        worker.metrics.add(measure.DELIVERIES, getattr(served, outcome), destination.id, outcome)
    if served.dead:
        log.error("deliveries are dead: `counterpoint deliveries list` tells why", destination=destination.id)
    return served


async def counting(worker: Worker) -> None:
    async def count() -> None:
        found = await worker.store.count()
        for (destination, state), deliveries in found.items():
            if state in ("waiting", "dead"):
                worker.metrics.set(measure.DELIVERIES_KEPT, deliveries, destination, state)

    await every(COUNT_S, count)


async def forgetting(worker: Worker) -> None:
    await every(UPKEEP_S, lambda: worker.store.drop(worker.clock.now_ms() - KEEP_MS))
