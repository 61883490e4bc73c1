"""TOPOLOGY: what runs in a profile worker, from left to right.

channel-events → update → marks → refresh → views, outbox → publish → profile-changes
                            ↑ timers                          dead-letters → kept in a table
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

import structlog

from schemas.topics import CHANNEL_EVENTS, DEAD_LETTERS
from services import metrics as measure
from services.attempts import Attempts
from services.failures import Contended, Fenced, Unavailable
from services.group_commit import GroupCommit
from services.log import Batch, UnknownTopic
from services.outage import Outage
from services.pace import every
from services.profile.outbox import kept_letter, shard_of_lane
from services.profile.reload import LOOK_S
from services.profile.settings import Step
from services.profile.shard_work import ShardWork
from services.profile.timers import fire
from services.profile.worker import Worker
from services.publishing import Publisher, publish

GROUP = "counterpoint-profile"
EVENTS_TOGETHER, LINGER_S = 4_000, 0.025
"""A transaction costs milliseconds whatever is in it, so events that arrive one by one wait a moment for company."""
UPKEEP_S, UPKEEP_SHARD = 300.0, 0
"""The worker that leases this shard does the upkeep for all."""
log = structlog.get_logger(__name__)


async def run(worker: Worker, steps: Sequence[Step]) -> None:
    """Works until cancelled; then the batch in hand is finished and the leases are given back."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in (watching, reloading, *(part for step in steps for part in PARTS[step])):
                group.create_task(part(worker), name=part.__name__)
    finally:
        with contextlib.suppress(Unavailable, Contended):  # the leases lapse by themselves
            await asyncio.shield(worker.store.release(worker.name))


async def consuming(worker: Worker) -> None:
    """channel-events → update, several partitions in one transaction; dead-letters → table."""
    updating = GroupCommit(partial(update, worker), EVENTS_TOGETHER, LINGER_S)

    async def apply(batch: Batch) -> None:
        await (keep_letters(worker, batch) if batch.topic == DEAD_LETTERS.name else updating(batch))

    async def park(batch: Batch, error: BaseException) -> None:
        await worker.update.park(batch, error, worker.clock.now_ms())

    topics = [CHANNEL_EVENTS.name, DEAD_LETTERS.name]
    await worker.log.consume(topics, GROUP, worker.store, Attempts(apply, park, worker.metrics))


async def update(worker: Worker, batches: Sequence[Batch]) -> None:
    started = asyncio.get_running_loop().time()
    updated = await worker.update.apply(batches, worker.clock.now_ms())
    worker.metrics.observe(measure.BATCH_DURATION, asyncio.get_running_loop().time() - started, CHANNEL_EVENTS.name)
    worker.marked.set()
    worker.metrics.add(measure.EVENTS_APPLIED, updated.applied)
    worker.metrics.add(measure.EVENTS_REPEATED, updated.repeats)
    worker.metrics.observe(measure.BATCH_SIZE, sum(len(batch.records) for batch in batches), CHANNEL_EVENTS.name)
    now = worker.clock.now_ms()
    for accepted_at in updated.accepted:
        worker.metrics.observe(measure.ACCEPTED_TO_VISIBLE, max(0, now - accepted_at) / 1000)


async def keep_letters(worker: Worker, batch: Batch) -> None:
    letters = [kept_letter(record.value) for record in batch.records]
    async with worker.store.updating() as tx:
        await tx.advance([batch.move])
        await tx.keep_dead_letters(letters)
    for letter in letters:
        if letter.stage != "accept":  # the door counts its own
            worker.metrics.add(measure.DEAD_LETTERS, 1, letter.stage, letter.reason)


async def refreshing(worker: Worker) -> None:
    """marks → views."""
    await ShardWork(worker).run()


async def publishing(worker: Worker) -> None:
    """outbox → profile-changes, dead-letters. A lane is published by the worker that leases its shard."""
    publisher = Publisher(worker.store, worker.log, worker.metrics, worker.clock, worker.written)
    await publish(publisher, lambda lane: shard_of_lane(lane) in worker.leases)


async def timing(worker: Worker) -> None:
    """due times → marks."""
    await every(1.0, lambda: fire_due(worker))


async def fire_due(worker: Worker) -> int:
    """How many fired."""
    fired = await fire(worker.store, worker.freshness.now, worker.clock.now_ms())
    worker.metrics.add(measure.TIMERS_FIRED, fired.hours, "hour")
    worker.metrics.add(measure.TIMERS_FIRED, fired.days, "day")
    if fired.hours or fired.days:
        worker.marked.set()
    return fired.hours + fired.days


async def upkeeping(worker: Worker) -> None:
    """Old events, ledgers and letters are aged or dropped, by one worker."""
    await every(UPKEEP_S, lambda: _keep_up(worker))


async def _keep_up(worker: Worker) -> None:
    if worker.upkeep is None or UPKEEP_SHARD not in worker.leases:
        return
    with contextlib.suppress(UnknownTopic, Fenced):  # said elsewhere: a topic that is gone, a newer release
        kept = await worker.upkeep.apply(worker.clock.now_ms())
        for what, many in kept._asdict().items():
            worker.metrics.add(measure.UPKEEP, many, what)


async def watching(worker: Worker) -> None:
    """How far the sources are complete."""
    # whoever only reads waits for nothing else that would tell
    await every(2.0, lambda: look_at_sources(worker), Outage("profile"))


async def look_at_sources(worker: Worker) -> None:
    await worker.freshness.renew(worker.store, worker.clock.now_ms(), worker.metrics)


async def reloading(worker: Worker) -> None:
    """files of reference tables → the tables that refresh and reading work with."""
    await every(LOOK_S, worker.reload.look)


async def progressing(worker: Worker) -> None:
    """Lag of the partitions, and which of them have stopped."""
    await worker.progress.keep_looking()


Part = Callable[[Worker], Coroutine[Any, Any, None]]
PARTS: Mapping[Step, Sequence[Part]] = {
    "update": (consuming, progressing),
    "refresh": (refreshing, publishing, timing, upkeeping),
    "read": (),  # HTTP alone
}
