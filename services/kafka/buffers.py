"""Between Faust and the work on partitions: a buffer per partition takes its batches and sees that none is skipped.

A batch is handed on only when it starts where the one before it ended, and only under the ticket of the last seek.
Beside the batch in hand at most one and a half wait in a buffer, worked as one: nothing waits for a later transaction
that could be in the next.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from aiokafka.errors import IllegalStateError
from faust.types import TP

from services.assignment import Assignment
from services.failures import Unavailable
from services.kafka.cluster import Cluster
from services.kafka.fetching import NOWHERE, BatchConsumer, Fetched
from services.log import Batch, Handler, PositionStore, Record, TopicPartition, UnknownTopic
from services.partition import Bounds, PartitionWork

_LET_GO_S = 1.0
_SOON = 0.1
_IDENTITY_S = 1.0
_PATIENCE_S = 2.0  # what was fetched arrives within milliseconds, or Faust has lost it on the way


class PartitionBuffer:
    """The batches of one partition. A `PartitionReader`."""

    def __init__(self, place: TP, cluster: Cluster, buffers: "PartitionBuffers") -> None:
        self.topic, self.partition = place.topic, place.partition
        self._place, self._cluster, self._buffers = place, cluster, buffers
        self._waiting: deque[Fetched | Exception] = deque()
        self._came = asyncio.Event()
        self._topic_id, self._next, self._ticket = "", 0, -1
        self._seen_until = 0.0

    async def bounds(self) -> Bounds:
        return await self._cluster.bounds(self.topic, self.partition)

    async def seek(self, topic_id: str, offset: int) -> None:
        self._buffers.admitted.discard(self._place)
        self._waiting.clear()
        self._topic_id, self._next = topic_id, offset
        self._ticket = await self._buffers.seek(self._place, offset)
        self._buffers.admit(self._place)

    async def read(self) -> Batch:
        while True:
            fetched = await self._arrival()
            if isinstance(fetched, Exception):
                raise Unavailable("a batch could not be fetched", _SOON) from fetched
            if not self.expects(fetched):
                continue  # fetched before the last seek
            if fetched.start != self._next:
                raise Unavailable(f"a batch between {self._next} and {fetched.start} was dropped", _SOON)
            await self._see_identity()
            together = [fetched, *self._following(fetched)]
            self._buffers.admit(self._place)
            self._next = together[-1].until
            records = [
                Record(r.offset, r.timestamp, r.key or b"", r.value or b"") for one in together for r in one.records
            ]
            return Batch(self.topic, self._topic_id, self.partition, fetched.start, self._next, records)

    def _following(self, last: Fetched) -> Iterator[Fetched]:
        """What has come since and goes on where it ends."""
        while self._waiting:
            following = self._waiting[0]
            if isinstance(following, Exception) or (following.ticket, following.start) != (last.ticket, last.until):
                return
            self._waiting.popleft()
            yield following
            last = following

    async def _see_identity(self) -> None:
        """A topic made anew and filled beyond our place would be read on as if nothing had happened: now and then, its
        identity is asked for after the fetch."""
        now = asyncio.get_running_loop().time()
        if now < self._seen_until:
            return
        try:
            if (await self._cluster.describe(self.topic)).id != self._topic_id:
                raise Unavailable(f"{self.topic} is not the topic that it was", _SOON)
        except UnknownTopic:
            raise Unavailable(f"{self.topic} is gone", _SOON) from None
        self._seen_until = now + _IDENTITY_S

    async def _arrival(self) -> Fetched | Exception:
        while not self._waiting:
            self._came.clear()
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await self._came.wait()
            except TimeoutError:
                if not self._waiting and self._buffers.fetched_to(self._place, self._ticket) > self._next:
                    raise Unavailable("a batch did not arrive", _SOON) from None
        return self._waiting.popleft()

    def expects(self, fetched: Fetched) -> bool:
        return fetched.ticket == self._ticket

    def drop(self, fetched: Fetched) -> None:
        if self.expects(fetched):
            self.take(InterruptedError())

    def take(self, fetched: Fetched | Exception) -> None:
        self._waiting.append(fetched)
        self._came.set()
        waiting = [one for one in self._waiting if not isinstance(one, Exception)]
        if len(waiting) == len(self._waiting) and sum(len(one.records) for one in waiting) < self._buffers.enough:
            self._buffers.admit(self._place)


class PartitionBuffers:
    """The buffers of one consumer. What Faust's side asks of it is `services.kafka.fetching.Buffers`. A fetch brings
    `most` records of a partition; while fewer than half as many wait in its buffer, more are fetched to join them."""

    def __init__(self, cluster: Cluster, positions: PositionStore, handler: Handler, most: int) -> None:
        self.admitted: set[TP] = {NOWHERE}
        self.enough = max(1, most // 2)
        self.consumer: Callable[[], BatchConsumer] | None = None
        self._cluster, self._positions, self._handler = cluster, positions, handler
        self._buffers: dict[TP, PartitionBuffer] = {}
        self._tickets = itertools.count()
        self.assignment = Assignment(self._start, {})

    def _start(self, place: TopicPartition) -> PartitionWork:
        self._buffers[TP(*place)] = buffer = PartitionBuffer(TP(*place), self._cluster, self)
        return PartitionWork(buffer, self._positions, self._handler)

    def assign(self, places: Iterable[TP]) -> None:
        self.assignment.assign(())  # what stays ours has lost its place in the log, too
        self.assignment.assign(TopicPartition(place.topic, place.partition) for place in places)

    def stop_fetching(self) -> None:
        self.admitted.intersection_update({NOWHERE})

    async def let_go(self) -> None:
        self.stop_fetching()
        self.assignment.assign(())
        await self.assignment.settle(_LET_GO_S)

    def expects(self, fetched: Fetched) -> bool:
        buffer = self._buffers.get(fetched.place)
        return buffer is not None and buffer.expects(fetched)

    def deliver(self, fetched: Fetched) -> None:
        if buffer := self._buffers.get(fetched.place):
            buffer.take(fetched)

    def drop(self, fetched: Fetched) -> None:
        if buffer := self._buffers.get(fetched.place):
            buffer.drop(fetched)

    def fail(self, error: BaseException) -> None:
        for place in self.admitted - {NOWHERE}:
            self.admitted.discard(place)
            self._buffers[place].take(error if isinstance(error, Exception) else RuntimeError(type(error).__name__))

    def admit(self, place: TP) -> None:
        self.admitted.add(place)
        if self.consumer:
            self.consumer().fetching.look_again()

    def fetched_to(self, place: TP, ticket: int) -> int:
        return self.consumer().fetching.followed_to(place, ticket) if self.consumer else -1

    async def seek(self, place: TP, offset: int) -> int:
        if self.consumer is None:
            raise Unavailable("the consumer is starting anew", _SOON)
        ticket = next(self._tickets)
        try:
            await self.consumer().fetching.seek_place(place, offset, ticket)
        except IllegalStateError:
            raise Unavailable("the partition is being dealt anew", _SOON) from None
        return ticket
