"""TOPOLOGY: what delivers alerts beside the inbox, from left to right.

alerts (topic), notices → accept → a queue for each destination → serve → webhook, mail, group bot
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import structlog

from schemas.instants import DAY_MS
from schemas.topics import ALERTS
from services import metrics as measure
from services.alerts.adapters.destination_files import Destinations, Loaded
from services.alerts.delivery.deliver import Deliver, Served
from services.alerts.delivery.ports import DeliveryStore
from services.alerts.domain.destinations import DESTINATIONS, Destination
from services.alerts.domain.notices import Notice
from services.attempts import Attempts
from services.clock import Clock
from services.failures import Contended, Unavailable
from services.log import Batch, EventLog
from services.metrics import Metrics
from services.pace import every, woken
from services.progress import Progress

GROUP = "counterpoint-delivery"
IDLE_S, AWAY_PAUSE_S, RELOAD_S, NOTICE_S, COUNT_S, UPKEEP_S = 1.0, 15.0, 2.0, 5.0, 15.0, 3_600.0
GRACE_S = 2.0
KEEP_MS = 40 * DAY_MS
"""Longer than the topic keeps its records."""
log = structlog.get_logger(__name__)


class Worker(NamedTuple):
    """`queued` is set when there may be something to send. `notices`: on rules, since a time (ms).
    `record`: writes down how the file of destinations stands, and who made it so."""

    log: EventLog
    store: DeliveryStore
    deliver: Deliver
    destinations: Destinations
    metrics: Metrics
    clock: Clock
    progress: Progress
    queued: asyncio.Event
    notices: Callable[[int], Awaitable[Sequence[Notice]]]
    record: Callable[[Loaded], Awaitable[None]]


async def run(worker: Worker) -> None:
    async with asyncio.TaskGroup() as group:
        for step in (accepting, progressing, noticing, serving, recording, counting, forgetting):
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


async def recording(worker: Worker) -> None:
    """the file of destinations → the history of editions."""

    async def record() -> None:
        if (new := worker.destinations.unwritten) is not None:
            await worker.record(new)
            worker.destinations.written_down(new)

    await every(RELOAD_S, record)


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
    told: dict[tuple[str, str], int] = {}

    async def count() -> None:
        told.update(dict.fromkeys(told, 0))  # of what is empty by now the store counts nothing
        told.update(await worker.store.count())
        for (destination, state), deliveries in told.items():
            worker.metrics.set(measure.DELIVERIES_KEPT, deliveries, destination, state)

    await every(COUNT_S, count)


async def forgetting(worker: Worker) -> None:
    await every(UPKEEP_S, lambda: worker.store.drop(worker.clock.now_ms() - KEEP_MS))
