"""How one partition is worked, the same over every log: one batch at a time, and what follows each kind of failure.

After *any* failure the buffered batches are dropped and the partition is sought to the stored position again. No
exception leaves this module: the reader's supervisor would go on with the next batch and lose this one.
"""

import asyncio
import contextlib
from typing import NamedTuple, Protocol

import structlog

from services.failures import Fenced, Unavailable, trace_of
from services.log import Batch, Handler, Position, PositionStore, Stop, TopicPartition, UnknownTopic
from services.outage import Outage

log = structlog.get_logger()

FENCED_PAUSE_S = 0.2
IDLE_LOOK_S = 10.0
"""Where nothing comes, nothing is fenced: whether somebody has moved the position is looked up."""
LONGEST_PAUSE_S = 30.0


class Bounds(NamedTuple):
    """What a partition holds now: `first` is the first offset kept, `end` the next one to be written."""

    topic_id: str
    first: int
    end: int


class PartitionReader(Protocol):
    """Where the batches of one partition come from."""

    topic: str
    partition: int

    async def bounds(self) -> Bounds:
        """Raises `Unavailable` and `UnknownTopic`."""

    async def seek(self, topic_id: str, offset: int) -> None:
        """Drops what is buffered; the next batch read starts at `offset`."""

    async def read(self) -> Batch:
        """Waits for the next batch. Raises `Unavailable`."""


def starting_point(topic: str, partition: int, stored: Position | None, bounds: Bounds) -> int:
    """The offset to seek to. Raises `Stop` where the stored position does not lie inside this log."""
    if stored is None:
        return bounds.first
    place = f"{topic}/{partition}"
    if stored.topic_id != bounds.topic_id:
        raise Stop(
            f"{place}: the stored position {stored.next} belongs to topic {stored.topic_id}, but the log now holds "
            f"{bounds.topic_id}: the topic was deleted and made anew. Restore the topic, or move the position with "
            f"`counterpoint positions rewind`."
        )
    if not bounds.first <= stored.next <= bounds.end:
        what = "is no longer kept" if stored.next < bounds.first else "was never written"
        raise Stop(
            f"{place}: the stored position {stored.next} {what}: the log holds {bounds.first} to {bounds.end}. "
            f"Restore the log, or move the position with `counterpoint positions rewind`."
        )
    return stored.next


class PartitionWork:
    """Hands the batches of one partition to the handler until stopped."""

    def __init__(self, reader: PartitionReader, positions: PositionStore, handler: Handler) -> None:
        self._reader, self._positions, self._handler = reader, positions, handler
        self._stopping = self._in_hand = False
        self.stopped_by: Stop | None = None
        self.failed_by: str | None = None
        self._failures = 0
        self._outage = Outage("partition", topic=reader.topic, partition=reader.partition)
        self._task = asyncio.create_task(self._run(), name=f"partition {reader.topic}/{reader.partition}")

    @property
    def topic_partition(self) -> TopicPartition:
        return TopicPartition(self._reader.topic, self._reader.partition)

    @property
    def task(self) -> asyncio.Task[None]:
        """Done when stopped, or when the partition met `Stop`. Never raises but for a cancellation."""
        return self._task

    def stop(self) -> None:
        """Lets the batch in hand finish, takes no other."""
        self._stopping = True
        if not self._in_hand:
            self._task.cancel()

    async def _run(self) -> None:
        place = {"topic": self._reader.topic, "partition": self._reader.partition}
        while not self._stopping:
            try:
                await self._work_from_stored_position()
            except Stop as order:
                self.stopped_by = order
                log.error("partition stopped", **place, why=str(order))
                return
            except Fenced:
                log.info("partition fenced", **place)
                await asyncio.sleep(FENCED_PAUSE_S)
            except Unavailable as away:
                self._outage.waits(away)
                self.failed_by = str(away)
                await asyncio.sleep(away.retry_after)
            except Exception as bug:
                self._failures += 1
                self.failed_by = f"a batch fails with {type(bug).__qualname__}"
                log.error("batch failed", **place, failures=self._failures, error=trace_of(bug))
                await asyncio.sleep(min(LONGEST_PAUSE_S, 0.05 * 2 ** min(self._failures, 10)))

    async def _work_from_stored_position(self) -> None:
        reader = self._reader
        stored = await self._stored()
        try:
            bounds = await reader.bounds()
        except UnknownTopic:
            place = f"{reader.topic}/{reader.partition}"
            raise Stop(f"{place}: the log holds no such topic any more: restore it") from None
        await reader.seek(bounds.topic_id, starting_point(reader.topic, reader.partition, stored, bounds))
        while not self._stopping:
            batch = await self._following(stored)
            if batch is None:
                return
            self._in_hand = True
            try:
                await self._handler(batch)
            finally:
                self._in_hand = False
            self._outage.goes_on()
            self._failures, self.failed_by = 0, None
            stored = Position(batch.topic_id, batch.until)

    async def _stored(self) -> Position | None:
        place = self._reader
        return (await self._positions.positions(place.topic, [place.partition])).get(place.partition)

    async def _following(self, stored: Position | None) -> Batch | None:
        """The next batch; None where the position was moved while none came."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_LOOK_S):
                    return await self._reader.read()
            with contextlib.suppress(Unavailable):  # nothing comes, so nothing has to be told of it
                if await self._stored() != stored:
                    log.info("partition moved", topic=self._reader.topic, partition=self._reader.partition)
                    return None
