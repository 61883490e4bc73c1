"""outbox → log, for as long as a service runs."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from services import metrics as measure
from services.clock import Clock
from services.failures import Contended, Unavailable
from services.log import EventLog
from services.metrics import Metrics
from services.outage import Outage
from services.outbox import Outbox, publish_lanes
from services.pace import woken

IDLE_S = 0.2


class Publisher(NamedTuple):
    """`written`: set by whoever has written a message."""

    store: Outbox
    log: EventLog
    metrics: Metrics
    clock: Clock
    written: asyncio.Event


async def publish(publisher: Publisher, mine: Callable[[str], bool]) -> None:
    """Works until cancelled, on the lanes that are `mine` at the time. If two publishers claim a lane, messages may go
    out twice."""
    waited: list[str] = []
    outage = Outage("publishing")
    while True:
        publisher.written.clear()
        try:
            since = await publisher.store.lanes_waiting()
            waiting = [lane for lane in since if mine(lane)]
            now = publisher.clock.now_ms()
            for lane in {*waited, *waiting}:
                publisher.metrics.set(measure.OUTBOX_AGE, max(0, now - since.get(lane, now)) / 1000, lane)
            waited = waiting
            for topic, many in (await publish_lanes(publisher.store, publisher.log, waiting)).items():
                publisher.metrics.add(measure.OUTBOX_PUBLISHED, many, topic)
        except Contended:
            continue
        except Unavailable as error:
            outage.waits(error)
            await asyncio.sleep(error.retry_after)
            continue
        outage.goes_on()
        if not waiting:
            await woken(publisher.written, IDLE_S)
