"""The log on one machine: append-only files of SQLite in a directory. Nothing to install, no replica.

Appends are durable (`synchronous=FULL`) and joined into one transaction by a single writer; consumers in the same
process are told of new records at once. Beside a running platform the directory may be opened read-only.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from services.clock import Clock, SystemClock
from services.embedded_files import DirectoryInUse, DirectoryLock, SegmentReader, TopicTable
from services.embedded_groups import Group, Member, Place
from services.embedded_segments import Stream
from services.embedded_writer import Append, Pairs, Writer
from services.failures import Rejected, Unavailable
from services.log import Batch, Handler, Message, Placed, PositionStore, Record, Stop, UnknownTopic
from services.murmur2 import partition_of
from services.partition import Bounds, PartitionWork

__all__ = ["DirectoryInUse", "EmbeddedLog"]

_POLL_S = 0.05
T = TypeVar("T")


class EmbeddedLog:
    """Raises `DirectoryInUse` where another process writes to the directory. Belongs to one event loop."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Clock | None = None,
        read_only: bool = False,
        retention_days: int = 14,
        max_message_bytes: int = 1_000_000,
        batch_records: int = 5_000,
        batch_bytes: int = 8 << 20,
    ) -> None:
        self._max_message_bytes, self._batch_records, self._batch_bytes = max_message_bytes, batch_records, batch_bytes
        if not read_only:
            directory.mkdir(parents=True, exist_ok=True)
        self._lock = None if read_only else DirectoryLock(directory)
        self._topics = TopicTable(directory, read_only=read_only)
        self._stale = self._closed = False
        self._writer = None
        if not read_only:
            streams = self._topics.streams()
            self._writer = Writer(
                directory, streams, clock or SystemClock(), retention_days, self._on_written, self._on_rotated
            )
        self._reader = SegmentReader(directory)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embedded log reader")
        self._waiting: dict[Stream, list[asyncio.Future[None]]] = defaultdict(list)
        self._groups: dict[str, Group] = defaultdict(Group)

    async def ensure_topics(self, topics: Mapping[str, int]) -> None:
        self._writing()
        await asyncio.to_thread(self._topics.create, topics)

    async def delete_topic(self, name: str) -> None:
        """Its records stay in the files until retention drops them, but nothing finds them any more."""
        self._writing()
        await asyncio.to_thread(self._topics.delete, name)

    async def append(self, topic: str, messages: Sequence[Message]) -> Sequence[Placed]:
        writer = self._writing()
        row = self._topics.get(topic)
        pairs: dict[Stream, Pairs] = defaultdict(list)
        size, places = 0, []
        for key, value, partition in messages:
            if len(value) + len(key) > self._max_message_bytes:
                limit = f"a message is limited to {self._max_message_bytes} bytes"
                raise Rejected("message_too_large", f"{limit}, this one has {len(value) + len(key)}")
            index = partition_of(key, row.partitions) if partition is None else partition
            if not 0 <= index < row.partitions:
                raise ValueError(f"{topic} has {row.partitions} partitions, not one numbered {index}")
            size += len(key) + len(value)
            stream_pairs = pairs[row.number, index]
            places.append((index, len(stream_pairs)))
            stream_pairs.append((key, value))
        if not messages:
            return []
        done: asyncio.Future[dict[Stream, int]] = asyncio.get_running_loop().create_future()
        writer.submit(Append(pairs, size, done))
        firsts = await done
        return [Placed(index, firsts[row.number, index] + at) for index, at in places]

    async def ends(self, topic: str) -> Mapping[int, tuple[int, int]]:
        row = self._topics.get(topic)
        bounds = await self._read(lambda: [self._bounds((row.number, p)) for p in range(row.partitions)])
        return dict(enumerate(bounds))

    async def topic_id(self, topic: str) -> str:
        return self._topics.get(topic).id

    async def consume(self, topics: Sequence[str], group: str, positions: PositionStore, handler: Handler) -> None:
        places = [Place(topic, p) for topic in topics for p in range(self._topics.get(topic).partitions)]

        def start(place: Place) -> PartitionWork:
            return PartitionWork(_Reader(self, place), positions, handler)

        async with self._polling():
            await Member(self._groups[group], places, start).run()

    async def close(self) -> None:
        """What was appended is written first. A second time does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._writer:
            await asyncio.to_thread(self._writer.close)
        self._thread.shutdown()
        self._reader.close()
        self._topics.close()
        if self._lock:
            self._lock.release()

    def _writing(self) -> Writer:
        if self._writer is None:
            raise Unavailable("this process opened the embedded log read-only")
        return self._writer

    async def _read(self, read: Callable[[], T]) -> T:
        def fresh() -> T:
            if self._stale:
                self._stale = False
                self._reader.rescan()
            return read()

        return await asyncio.get_running_loop().run_in_executor(self._thread, fresh)

    def _bounds(self, stream: Stream) -> tuple[int, int]:
        end = self._writer.ends.get(stream, 0) if self._writer else self._reader.next(stream)
        return self._reader.first(stream), end

    async def _records(self, stream: Stream, start: int) -> list[Record]:
        """Waits until there are some."""
        while True:
            if self._writer is None or self._writer.ends.get(stream, 0) > start:
                read = self._reader.read
                if records := await self._read(lambda: read(stream, start, self._batch_records, self._batch_bytes)):
                    return records
            arrival = asyncio.get_running_loop().create_future()
            self._waiting[stream].append(arrival)
            await arrival

    def _on_written(self, ends: Mapping[Stream, int]) -> None:
        for stream in ends:
            for arrival in self._waiting.pop(stream, ()):
                if not arrival.done():
                    arrival.set_result(None)

    def _on_rotated(self) -> None:
        self._stale = True

    @contextlib.asynccontextmanager
    async def _polling(self) -> AsyncIterator[None]:
        """Another process writes: look at its files now and then."""
        if self._writer:
            yield
            return
        polls = asyncio.create_task(self._poll(), name="embedded log poll")
        try:
            yield
        finally:
            polls.cancel()
            await asyncio.wait([polls])

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(_POLL_S)
            if await self._read(self._reader.rescan):
                self._on_written(dict.fromkeys(self._waiting, 0))


class _Reader:
    """The batches of one partition of the embedded log. Nothing is read ahead: the files are at hand."""

    def __init__(self, log: EmbeddedLog, place: Place) -> None:
        self._log, (self.topic, self.partition) = log, place
        self._topic_id, self._next, self._stream = "", 0, (0, 0)

    async def bounds(self) -> Bounds:
        try:
            row = self._log._topics.get(self.topic)
        except UnknownTopic:
            raise Stop(f"{self.topic}/{self.partition}: the log holds no such topic any more") from None
        self._stream = (row.number, self.partition)
        return Bounds(row.id, *await self._log._read(lambda: self._log._bounds(self._stream)))

    async def seek(self, topic_id: str, offset: int) -> None:
        self._topic_id, self._next = topic_id, offset

    async def read(self) -> Batch:
        start = self._next
        records = await self._log._records(self._stream, start)
        self._next = records[-1].offset + 1
        return Batch(self.topic, self._topic_id, self.partition, start, self._next, records)
