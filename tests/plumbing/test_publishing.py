"""Publishers share the lanes out, and go on after whatever they met."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from structlog.testing import capture_logs

from schemas.topics import Topic
from services.embedded.log import EmbeddedLog
from services.failures import Contended, Unavailable
from services.metrics import Metrics
from services.outbox import TOGETHER, OutboxMessage, OutboxRow
from services.profile.adapters.memory import MemoryProfileStore
from services.publishing import Publisher, publish
from tests.clocks import ManualClock

TOPIC = Topic("profile-changes", 1)


class Away(MemoryProfileStore):
    """Its messages cannot be read for now."""

    async def outbox(self, lane: str, limit: int) -> list[OutboxRow]:
        raise Unavailable("the database is away", 0.01)


class Contending(MemoryProfileStore):
    """Another publisher is in the way the first time."""

    is_contended = True

    async def outbox(self, lane: str, limit: int) -> list[OutboxRow]:
        if self.is_contended:
            self.is_contended = False
            raise Contended("another publisher was in the way")
        return await super().outbox(lane, limit)


async def published(
    directory: Path, store: MemoryProfileStore, metrics: Metrics, holds: Callable[[EmbeddedLog], Awaitable[bool]]
) -> None:
    """Of the lanes `mine` and `theirs`, a message each, until it holds."""
    log, clock = EmbeddedLog(directory), ManualClock(4_000)
    await log.ensure_topics([TOPIC])
    async with store.updating() as tx:
        await tx.send({lane: [OutboxMessage(TOPIC.name, b"c", lane.encode())] for lane in ("mine", "theirs")}, 9_000)
    publisher = Publisher(store, log, metrics, clock, asyncio.Event())
    publisher.written.set()
    work = asyncio.create_task(publish(publisher, lambda lane: lane == "mine"))
    while not work.done() and not await holds(log):  # noqa: ASYNC110 - the log sets no event
        await asyncio.sleep(0.01)
    work.cancel()
    await asyncio.wait([work])
    assert work.cancelled()
    assert not publisher.written.is_set(), "or it would not rest"
    await log.close()


async def is_one(log: EmbeddedLog) -> bool:
    return (await log.ends(TOPIC.name))[0][1] == 1


async def test_a_publisher_leaves_the_lanes_of_others_to_them(tmp_path: Path) -> None:
    store = MemoryProfileStore(str)

    async def only_theirs_wait(log: EmbeddedLog) -> bool:
        return set(await store.lanes_waiting()) == {"theirs"}

    metrics = Metrics()
    await published(tmp_path, store, metrics, only_theirs_wait)
    age = metrics.registry.get_sample_value
    assert age("counterpoint_outbox_age_seconds", {"lane": "mine"}) == 0.0
    assert age("counterpoint_outbox_age_seconds", {"lane": "theirs"}) is None


async def test_a_publisher_tells_once_that_it_waits_and_of_no_age_where_a_clock_was_ahead(tmp_path: Path) -> None:
    metrics = Metrics()

    async def is_told(log: EmbeddedLog) -> bool:
        return metrics.registry.get_sample_value("counterpoint_outbox_age_seconds", {"lane": "mine"}) is not None

    with capture_logs() as told:
        await published(tmp_path, Away(str), metrics, is_told)
    assert [(one["event"], one["what"]) for one in told] == [("publishing waits", "the database is away")]
    assert metrics.registry.get_sample_value("counterpoint_outbox_age_seconds", {"lane": "mine"}) == 0.0


async def test_a_lane_with_much_to_say_leaves_the_others_their_turn(tmp_path: Path) -> None:
    log, store = EmbeddedLog(tmp_path), MemoryProfileStore(str)
    await log.ensure_topics([TOPIC])
    async with store.updating() as tx:
        busy = [OutboxMessage(TOPIC.name, b"c", b"busy")] * (TOGETHER + 1)
        await tx.send({"a": busy, "b": [OutboxMessage(TOPIC.name, b"c", b"quiet")]}, 1)
    work = asyncio.create_task(
        publish(Publisher(store, log, Metrics(), ManualClock(2), asyncio.Event()), lambda lane: True)
    )
    while await store.lanes_waiting():  # noqa: ASYNC110 - the store sets no event
        await asyncio.sleep(0.01)
    work.cancel()
    await asyncio.wait([work])
    last = await log.record(TOPIC.name, 0, TOGETHER + 1)
    assert last is not None
    assert last.value == b"busy"
    await log.close()


async def test_a_publisher_goes_on_when_another_was_in_its_way(tmp_path: Path) -> None:
    await published(tmp_path, Contending(str), Metrics(), is_one)
