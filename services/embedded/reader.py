"""Reading the embedded log: from files, in a thread of its own; waiting until there is more to read."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from services.embedded.files import SegmentReader, TopicTable
from services.embedded.segments import Stream
from services.failures import Unavailable
from services.log import Batch, Record, TopicPartition, UnknownTopic
from services.partition import Bounds

_POLL_S = 0.05
_SOON = 0.1
T = TypeVar("T")


class Reading:
    """`ends` are the writer's next offsets, where the writer is in this process; None where the files must be asked."""

    def __init__(self, directory: Path, ends: Mapping[Stream, int] | None, most: int, most_bytes: int) -> None:
        self._ends, self._most, self._most_bytes = ends, most, most_bytes
        self._files = SegmentReader(directory)
        self._stale = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embedded log reader")
        self._waiting: dict[Stream, list[asyncio.Future[bool]]] = defaultdict(list)

    async def bounds(self, stream: Stream) -> tuple[int, int]:
        """The first offset kept and the next one to be written."""
        first, end = await self._ask(lambda: (self._files.first(stream), self._files.next(stream)))
        return first, end if self._ends is None else self._ends.get(stream, 0)

    async def offset_at(self, stream: Stream, at_ms: int) -> int:
        """The first offset taken at or after that time, or the end."""
        return await self._ask(lambda: self._files.offset_at(stream, at_ms))

    async def record(self, stream: Stream, offset: int) -> Record | None:
        found = await self._ask(lambda: self._files.read(stream, offset, 1, 1))
        return next((record for record in found if record.offset == offset), None)

    async def records(self, stream: Stream, start: int) -> list[Record]:
        """Waits until there are some; none when the topic is deleted meanwhile."""
        read = partial(self._files.read, stream, start, self._most, self._most_bytes)
        while True:
            written = self._ends is None or self._ends.get(stream, 0) > start
            if written and (records := await self._ask(read)):
                return records
            arrival = asyncio.get_running_loop().create_future()
            self._waiting[stream].append(arrival)
            if not await arrival:
                return []

    def on_written(self, streams: Iterable[Stream]) -> None:
        """Something has come to these partitions. On the loop."""
        self._tell(streams, has_come=True)

    def on_deleted(self, streams: Iterable[Stream]) -> None:
        """Nothing will ever come to them. On the loop."""
        self._tell(streams, has_come=False)

    def _tell(self, streams: Iterable[Stream], *, has_come: bool) -> None:
        for stream in streams:
            for arrival in self._waiting.pop(stream, ()):
                if not arrival.done():
                    arrival.set_result(has_come)

    def on_rotated(self) -> None:
        """Files came or went. On any thread."""
        self._stale = True

    @contextlib.asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """While another process writes, its files are looked at now and then."""
        if self._ends is not None:
            yield
            return
        polls = asyncio.create_task(self._poll(), name="embedded log poll")
        try:
            yield
        finally:
            polls.cancel()
            await asyncio.wait([polls])

    def close(self) -> None:
        self._thread.shutdown()
        self._files.close()

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(_POLL_S)
            if await self._ask(self._files.rescan):
                self.on_written(list(self._waiting))

    async def _ask(self, question: Callable[[], T]) -> T:
        def fresh() -> T:
            if self._stale:
                self._stale = False
                self._files.rescan()
            return question()

        return await asyncio.get_running_loop().run_in_executor(self._thread, fresh)


class EmbeddedPartition:
    """The batches of one partition. A `PartitionReader`; nothing is read ahead, the files are at hand. `reached` is
    told the offset before which all has been handled."""

    def __init__(
        self, topics: TopicTable, reading: Reading, place: TopicPartition, reached: Callable[[int], None]
    ) -> None:
        self.topic, self.partition = place
        self._topics, self._reading, self._reached = topics, reading, reached
        self._topic_id, self._next, self._stream = "", 0, (0, 0)

    def _identity(self) -> str:
        try:
            return self._topics.get(self.topic).id
        except UnknownTopic:
            return ""

    async def bounds(self) -> Bounds:
        row = self._topics.get(self.topic)
        self._stream = (row.number, self.partition)
        return Bounds(row.id, *await self._reading.bounds(self._stream))

    async def seek(self, topic_id: str, offset: int) -> None:
        self._topic_id, self._next = topic_id, offset

    async def read(self) -> Batch:
        start = self._next
        self._reached(start)
        records = await self._reading.records(self._stream, start)
        if not records or self._identity() != self._topic_id:
            raise Unavailable(f"{self.topic} is not the topic that it was", _SOON)
        if records[0].offset != start:  # this log has no gaps
            gone = f"what stood from {start} to {records[0].offset} is gone"
            raise Unavailable(f"the embedded log is damaged: {gone}", retry_after=5.0)
        self._next = records[-1].offset + 1
        return Batch(self.topic, self._topic_id, self.partition, start, self._next, records)
