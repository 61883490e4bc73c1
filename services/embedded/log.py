"""The log on one machine: append-only files of SQLite in a directory. Nothing to install, no replica.

Appends are durable (`synchronous=FULL`) and joined into one transaction by a single writer; consumers in the same
process are told of new records at once. Beside a running platform the directory may be opened read-only.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from schemas.topics import Topic
from services.assignment import Assignment
from services.clock import Clock, SystemClock
from services.embedded.files import DirectoryInUse, DirectoryLock, TopicTable
from services.embedded.groups import Group, Member
from services.embedded.reader import EmbeddedPartition, Reading
from services.embedded.retention import Retention
from services.embedded.segments import Stream
from services.embedded.writer import Append, Pairs, Writer
from services.failures import Unavailable
from services.log import Handler, Message, Placed, PositionStore, Record, TopicPartition, UnknownTopic
from services.partition import PartitionWork
from services.partitioning import place_of

__all__ = ["DirectoryInUse", "EmbeddedLog", "Limits"]


class Limits(NamedTuple):
    message_bytes: int = 1_000_000  # of key and value
    batch_records: int = 5_000
    batch_bytes: int = 8 << 20


DEFAULT_LIMITS = Limits()


class EmbeddedLog:
    """Raises `DirectoryInUse` where another process writes to the directory. Belongs to one event loop."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Clock | None = None,
        read_only: bool = False,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._limits, self._writer = limits, None
        with ExitStack() as opened:  # where a file is refused, what is open by then is let go
            if not read_only:
                directory.mkdir(parents=True, exist_ok=True)
                opened.callback(DirectoryLock(directory).release)
            self._topics = TopicTable(directory, read_only=read_only)
            opened.callback(self._topics.close)
            self._retention = Retention(directory, self._topics)
            if not read_only:
                self._writer = Writer(directory, self._topics.streams(), clock or SystemClock(), self._retention.drop)
                opened.callback(self._writer.close)
            ends = self._writer.ends if self._writer else None
            self._reading = Reading(directory, ends, limits.batch_records, limits.batch_bytes)
            opened.callback(self._reading.close)
            self._opened = opened.pop_all()
        if self._writer:
            self._writer.start(self._reading.on_written, self._reading.on_rotated)
        self._groups: dict[str, Group] = defaultdict(Group)

    async def ensure_topics(self, topics: Sequence[Topic]) -> None:
        self._writing()
        await asyncio.to_thread(self._topics.create, topics)

    async def delete_topic(self, name: str) -> None:
        """Its records stay in the files until retention drops them, but nothing finds them any more."""
        self._writing()
        row = self._topics.get(name)
        await asyncio.to_thread(self._topics.delete, name)
        self._reading.on_deleted((row.number, partition) for partition in range(row.partitions))

    async def append(self, topic: str, messages: Sequence[Message]) -> Sequence[Placed]:
        writer = self._writing()
        try:
            row = self._topics.get(topic)
        except UnknownTopic as unknown:
            raise Unavailable(unknown.message) from None
        pairs: dict[Stream, Pairs] = defaultdict(list)
        places = []
        for message in messages:
            index = place_of(message, topic, row.partitions, self._limits.message_bytes)
            placed = pairs[row.number, index]
            places.append((index, len(placed)))
            placed.append((message.key, message.value))
        if not messages:
            return []
        done: asyncio.Future[dict[Stream, int]] = asyncio.get_running_loop().create_future()
        writer.submit(Append(pairs, sum(len(m.key) + len(m.value) for m in messages), done))
        firsts = await done
        return [Placed(index, firsts[row.number, index] + at) for index, at in places]

    async def ends(self, topic: str) -> Mapping[int, tuple[int, int]]:
        row = self._topics.get(topic)
        return {p: await self._reading.bounds((row.number, p)) for p in range(row.partitions)}

    async def topic_id(self, topic: str) -> str:
        return self._topics.get(topic).id

    async def offsets_at(self, topic: str, at_ms: int) -> Mapping[int, int]:
        row = self._topics.get(topic)
        return {p: await self._reading.offset_at((row.number, p), at_ms) for p in range(row.partitions)}

    async def record(self, topic: str, partition: int, offset: int) -> Record | None:
        return await self._reading.record((self._topics.get(topic).number, partition), offset)

    async def consume(self, topics: Sequence[str], group: str, positions: PositionStore, handler: Handler) -> None:
        places = [TopicPartition(topic, p) for topic in topics for p in range(self._topics.get(topic).partitions)]

        def start(place: TopicPartition) -> PartitionWork:
            reached = partial(self._retention.reached.__setitem__, (group, place))
            return PartitionWork(EmbeddedPartition(self._topics, self._reading, place, reached), positions, handler)

        for place in places:
            self._retention.reached.setdefault((group, place), 0)
        shared = self._groups[group]
        member = Member(places, Assignment(start, shared.locks))
        async with self._reading.following():
            await shared.work(member)

    def stopped(self) -> Mapping[TopicPartition, str]:
        return {place: why for group in self._groups.values() for place, why in group.stopped().items()}

    def waiting(self) -> Mapping[TopicPartition, str]:
        return {place: why for group in self._groups.values() for place, why in group.waiting().items()}

    async def close(self) -> None:
        """What was appended is written first. A second time does nothing."""
        await asyncio.to_thread(self._opened.close)

    def _writing(self) -> Writer:
        if self._writer is None:
            raise Unavailable("this process opened the embedded log read-only")
        return self._writer
