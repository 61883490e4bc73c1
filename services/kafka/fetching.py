"""How Faust's consumer fetches here: whole partition batches, each with the place in the log where it starts.

Faust owns no position and commits nothing: its own acknowledgements lose events when an agent fails. What is fetched,
from where, and when a partition is sought is said by a `Buffers`; no exception of ours ever reaches Faust.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, cast

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message

NOWHERE = TP("", -1)
"""Always among the admitted: an empty set would mean every partition to aiokafka."""
_FETCH_WAIT_MS = 100
_LEFT_LYING_S = 0.01
"""How long a fetch waits for records of the last one that nobody has taken: those taken at once are asked for again
with the others, instead of when the others' fetch has ended."""


class Fetched(NamedTuple):
    """Records of one partition as fetched. `ticket` is the one given with the seek that they follow."""

    place: TP
    ticket: int
    start: int
    until: int
    records: Sequence[Any]


class Buffers(Protocol):
    """What fetching asks of those who work on the partitions. Nothing here may raise."""

    admitted: set[TP]
    """The partitions that have room for a batch; read by the fetching thread while it waits."""

    def assign(self, places: Iterable[TP]) -> None: ...

    async def let_go(self) -> None:
        """Called before the group is joined again: in bounded time."""

    def expects(self, fetched: Fetched) -> bool:
        """Not what was fetched before the last seek: that has admitted its partition anew, for what follows it."""

    def deliver(self, fetched: Fetched) -> None: ...

    def drop(self, fetched: Fetched) -> None:
        """It was fetched and will not be delivered: the partition is sought again."""

    def fail(self, error: BaseException) -> None:
        """Fetching met an error: every admitted partition is sought again."""


class Host(Protocol):
    """The app that the consumer belongs to."""

    buffers: Buffers
    new_consumer: Callable[[], AIOKafkaConsumer]


class FetchingThread(driver.AIOKafkaConsumerThread):
    """Runs aiokafka's consumer in a thread with a loop of its own, so that heartbeats do not wait for handlers."""

    _seeks: dict[TP, tuple[int, int]]

    def _create_consumer(self, loop: asyncio.AbstractEventLoop) -> AIOKafkaConsumer:
        self._seeks = {}
        return cast(Host, self.app).new_consumer()

    async def on_start(self) -> None:
        await super().on_start()
        # what a busy partition leaves lying would keep the fetches of all the others back for a tenth of a second
        self._ensure_consumer()._fetcher._prefetch_backoff = _LEFT_LYING_S

    async def on_thread_stop(self) -> None:
        try:
            await super().on_thread_stop()
        finally:  # whatever became of the calls still queued, the group is left and the sockets are closed
            if self._consumer is not None:
                await self._consumer.stop()

    async def has_joined(self) -> bool:
        """Whether it is a member of its group. Raises KafkaError once where the group has refused it; from then on it
        tries to join again."""
        return cast(bool, await self.call_thread(self._has_joined))

    async def _has_joined(self) -> bool:
        coordinator = None if self._consumer is None else self._consumer._coordinator
        if coordinator is None:  # not started yet
            return False
        coordinator.check_errors()
        return cast(int, coordinator.generation) > 0

    async def fetch(self, admitted: set[TP], most: int, wait_s: float) -> list[Fetched]:
        fetched: list[Fetched] = await self.call_thread(self._fetch, admitted, most, wait_s)
        return fetched

    async def _fetch(self, admitted: set[TP], most: int, wait_s: float) -> list[Fetched]:
        records = await self._fetch_records(self._ensure_consumer(), admitted, wait_s, most)
        # Nothing else of this loop runs between the fetch and these lines: seeks and starts cannot be mixed up.
        return [self._follow(TP(*place), batch) for place, batch in records.items() if batch]

    def _follow(self, place: TP, batch: Sequence[Any]) -> Fetched:
        ticket, start = self._seeks.get(place, (-1, -1))
        until = batch[-1].offset + 1
        self._seeks[place] = (ticket, until)
        return Fetched(place, ticket, start, until, batch)

    async def seek_place(self, place: TP, offset: int, ticket: int) -> None:
        """Raises aiokafka's IllegalStateError where the partition is not assigned any more."""
        await self.call_thread(self._seek_place, place, offset, ticket)

    async def _seek_place(self, place: TP, offset: int, ticket: int) -> None:
        self._ensure_consumer().seek(driver.ensure_aiokafka_TP(place), offset)
        self._seeks[place] = (ticket, offset)

    def followed_to(self, place: TP, ticket: int) -> int:
        """Up to where records have been fetched since the seek with this ticket; -1 where another came after it."""
        last_ticket, until = self._seeks.get(place, (-1, -1))
        return until if last_ticket == ticket else -1

    def look_again(self) -> None:
        """More partitions are admitted: what waits in the thread for records looks at what is already fetched."""
        if self._consumer is not None and not self.thread_loop.is_closed():
            self.thread_loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for waiter in list(self._ensure_consumer()._fetcher._fetch_waiters):
            if not waiter.done():
                waiter.set_result(None)


class BatchConsumer(driver.Consumer):
    """Yields one message per fetched partition batch; its value is a `Fetched`."""

    _thread: FetchingThread

    def _new_consumer_thread(self) -> FetchingThread:
        return FetchingThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def fetching(self) -> FetchingThread:
        return self._thread

    @property
    def _buffers(self) -> Buffers:
        return cast(Host, self.app).buffers

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:  # noqa: ASYNC109 - Faust's signature
        if not self.flow_active:
            await self.wait(self.can_resume_flow.wait())
            return
        try:
            fetched = await self._thread.fetch(self._buffers.admitted, self.app.conf.broker_max_poll_records, timeout)
        except KafkaError as error:
            self._buffers.fail(error)
            return
        for batch in fetched:
            if not self._buffers.expects(batch):
                continue
            self._buffers.admitted.discard(batch.place)
            if self.should_stop or not self.flow_active:
                self._buffers.drop(batch)  # Faust would, silently, and the partition may have been sought already
                continue
            self._read_offset[batch.place] = None  # Faust would drop what it has read before
            yield batch.place, _message(batch, self.app.consumer_generation_id)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        await self._buffers.let_go()
        await super().on_partitions_revoked(revoked)

    async def perform_seek(self) -> None:
        """Faust calls this once after every rebalance. Each buffer seeks its partition itself."""
        self._buffers.assign(self.assignment())

    async def seek_to_committed(self) -> Mapping[TP, int]:
        return {}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        return True

    def ack(self, message: Message) -> bool:
        """Faust would collect acknowledged offsets until they are consecutive, which those of batches never are."""
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust would complain that nothing is committed."""


def _message(batch: Fetched, generation: int) -> Any:
    first = batch.records[0]
    return ConsumerMessage(
        batch.place.topic, batch.place.partition, batch.start, first.timestamp / 1000, first.timestamp_type,
        [], None, cast(bytes, batch), None, 0, 0, batch.place, generation_id=generation,
    )  # fmt: skip


def group_consumer(connection: Mapping[str, Any], session_timeout_s: float, group: str) -> AIOKafkaConsumer:
    """A member of a consumer group that never chooses an offset itself (`auto_offset_reset=none`)."""
    return AIOKafkaConsumer(
        **connection, group_id=group, enable_auto_commit=False, auto_offset_reset="none",
        partition_assignment_strategy=[RoundRobinPartitionAssignor], fetch_max_wait_ms=_FETCH_WAIT_MS,
        max_partition_fetch_bytes=4 << 20, session_timeout_ms=int(session_timeout_s * 1000),
        heartbeat_interval_ms=int(session_timeout_s * 1000 / 6), rebalance_timeout_ms=int(session_timeout_s * 1000),
        request_timeout_ms=max(40_000, int(session_timeout_s * 2000)), metadata_max_age_ms=10_000,
        max_poll_interval_ms=60_000,
    )  # fmt: skip
