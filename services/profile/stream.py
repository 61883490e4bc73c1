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
from services.attempts import Attempts, again_when_contended
from services.failures import Contended, Fenced, Unavailable, trace_of
from services.group_commit import GroupCommit
from services.log import Batch, UnknownTopic
from services.pace import every, woken
from services.profile.domain.shards import together
from services.profile.domain.states.months import OtherShape
from services.profile.outbox import kept_letter, shard_of_lane
from services.profile.ports.records import Shard
from services.profile.refresh import Refreshed
from services.profile.settings import Step
from services.profile.timers import fire
from services.profile.worker import Worker
from services.publishing import Publisher, publish

GROUP = "counterpoint-profile"
LEASE_MS = 10_000
RENEW_S, BEGIN_WITHIN_S = LEASE_MS / 3_000, LEASE_MS / 2_000
"""Leases are renewed after a third of their time; a transaction begins within half of it, or waits for new leases:
behind a busy writer it can take seconds."""
IDLE_S = 0.05
EVENTS_TOGETHER, LINGER_S = 4_000, 0.025
"""A transaction costs milliseconds, whatever is in it: what comes one by one costs a third less in company."""
UPKEEP_S, UPKEEP_SHARD = 300.0, 0
log = structlog.get_logger(__name__)


async def run(worker: Worker, steps: Sequence[Step]) -> None:
    """Works until cancelled: then the batch in hand is finished and the leases are given back."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in (watching, *(part for step in steps for part in PARTS[step])):
                group.create_task(part(worker), name=part.__name__)
    finally:
        with contextlib.suppress(Unavailable, Contended):  # the leases lapse by themselves
            await asyncio.shield(worker.store.release(worker.name))


async def consuming(worker: Worker) -> None:
    """channel-events → update, those of several partitions together; dead-letters → table."""
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
    """marks → views. Every shard that this worker leases is worked on in turn; nothing to do: wait to be woken."""
    shards, renewed = worker.leases, 0.0
    loop = asyncio.get_running_loop()
    while True:
        try:
            if loop.time() - renewed > RENEW_S:
                await renew_leases(worker)
                renewed = loop.time()
            worker.marked.clear()
            waiting = await worker.store.marks_waiting(worker.refresh.resting.roots(shards))
            worker.metrics.set(measure.MARKS_WAITING, sum(waiting.values()))
            taken = 0
            leased = {number: waiting[number] for number in waiting.keys() & shards.keys()}
            for numbers in together(leased, worker.giving_way.marks_at_once):
                if loop.time() - renewed > BEGIN_WITHIN_S:
                    break
                began = loop.time()
                done = await refresh_shards(worker, [shards[number] for number in numbers])
                shards.update({shard.shard: shard for shard in done.shards})
                taken += done.marks
                await give_way(worker, loop.time() - began)
        except (Fenced, Contended) as error:
            log.info("shard given up", reason=type(error).__name__)
            renewed, taken = 0.0, 0
        except Unavailable as error:
            await asyncio.sleep(error.retry_after)
            continue
        if not taken:
            await woken(worker.marked, IDLE_S)


async def give_way(worker: Worker, took_s: float) -> None:
    worker.giving_way.look(await worker.reader.sources_seen(), worker.clock.now_ms())
    await asyncio.sleep(worker.giving_way.pause_s(took_s))


async def renew_leases(worker: Worker) -> None:
    held = await worker.store.lease(worker.name, worker.clock.now_ms(), LEASE_MS)
    worker.leases.clear()
    worker.leases.update({shard.shard: shard for shard in held})


async def refresh_shards(worker: Worker, shards: Sequence[Shard]) -> Refreshed:
    started, at_once = asyncio.get_running_loop().time(), worker.giving_way.marks_at_once
    done = await again_when_contended(lambda: worker.refresh.apply(shards, at_once, worker.clock.now_ms()))
    worker.metrics.observe(measure.REFRESH_DURATION, asyncio.get_running_loop().time() - started)
    worker.metrics.add(measure.CUSTOMERS_REFRESHED, len(done.changed))
    for root, bug in done.failed.items():
        worker.metrics.add(measure.CUSTOMERS_FAILED, 1)
        tell = log.warning if isinstance(bug, OtherShape) else log.error  # only the latter wants another release
        tell("customer set aside", customer=worker.refresh.alias_of(root), error=trace_of(bug))
    now = worker.clock.now_ms()
    for accepted_at in done.accepted:
        worker.metrics.observe(measure.ACCEPTED_TO_CHANGED, max(0, now - accepted_at) / 1000)
    if done.changed:
        worker.written.set()
        await worker.notifications.publish([(f"customer/{customer_id}", b"changed") for customer_id in done.changed])
    return done


async def publishing(worker: Worker) -> None:
    """outbox → profile-changes, dead-letters. A lane is published by the worker that leases its shard."""
    publisher = Publisher(worker.store, worker.log, worker.metrics, worker.clock, worker.written)
    await publish(publisher, lambda lane: shard_of_lane(lane) in worker.leases)


async def timing(worker: Worker) -> None:
    """due times → marks."""
    await every(1.0, lambda: _fire(worker))


async def _fire(worker: Worker) -> None:
    fired = await fire(worker.store, worker.freshness.now, worker.clock.now_ms())
    worker.metrics.add(measure.TIMERS_FIRED, fired.hours, "hour")
    worker.metrics.add(measure.TIMERS_FIRED, fired.days, "day")
    if fired.hours or fired.days:
        worker.marked.set()


async def upkeeping(worker: Worker) -> None:
    """What is old is put away, by the one worker that holds a certain shard."""
    await every(UPKEEP_S, lambda: _keep_up(worker))


async def _keep_up(worker: Worker) -> None:
    if UPKEEP_SHARD not in worker.leases:
        return
    with contextlib.suppress(UnknownTopic, Fenced):  # said elsewhere: a topic that is gone, a newer release
        kept = await worker.upkeep.apply(worker.clock.now_ms())
        for what, many in kept._asdict().items():
            worker.metrics.add(measure.UPKEEP, many, what)


async def watching(worker: Worker) -> None:
    """How far the sources have come."""
    await every(2.0, lambda: worker.freshness.renew(worker.reader, worker.clock.now_ms(), worker.metrics))


async def progressing(worker: Worker) -> None:
    """How far the partitions have come."""
    await every(2.0, lambda: _measure(worker))


async def _measure(worker: Worker) -> None:
    worker.progress.stopped()
    with contextlib.suppress(UnknownTopic):  # its partitions have stopped and say why; the views stay readable
        await worker.progress.measure()


Part = Callable[[Worker], Coroutine[Any, Any, None]]
PARTS: Mapping[Step, Sequence[Part]] = {
    "update": (consuming, progressing),
    "refresh": (refreshing, publishing, timing, upkeeping),
    "read": (),  # HTTP alone
}
