"""What the contract suite of the log needs of an adapter beyond the port, and the double that plays the database."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Protocol

import structlog

from schemas.instants import DAY_MS
from services.embedded.log import EmbeddedLog, Limits
from services.failures import Fenced
from services.log import Batch, EventLog, Handler, Message, Position
from tests.clocks import ManualClock
from tests.patience import HANG_S


class Applied:
    """A database in memory: records and position move together, by compare-and-set, or not at all."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, int], Position] = {}
        self.values: dict[tuple[str, int], list[bytes]] = defaultdict(list)
        self.batches: list[Batch] = []
        self.fenced = 0
        self._moved = asyncio.Condition()

    async def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, Position]:
        return {p: self.stored[topic, p] for p in partitions if (topic, p) in self.stored}

    async def apply(self, batch: Batch) -> None:
        place = (batch.topic, batch.partition)
        if place in self.stored and self.stored[place].next != batch.start:
            self.fenced += 1
            raise Fenced
        self.stored[place] = Position(batch.topic_id, batch.until)
        self.values[place] += [record.value for record in batch.records]
        self.batches.append(batch)
        await self.tell()

    async def tell(self) -> None:
        async with self._moved:
            self._moved.notify_all()

    @property
    def count(self) -> int:
        return sum(len(values) for values in self.values.values())

    async def reaches(self, count: int) -> None:
        async with asyncio.timeout(HANG_S), self._moved:
            await self._moved.wait_for(lambda: self.count >= count)


class Orders:
    """The orders to stop that the log has written, in the order in which they came."""

    def __init__(self) -> None:
        self.lines: list[MutableMapping[str, object]] = []
        self._more = asyncio.Event()

    def __call__(self, _: object, __: str, line: MutableMapping[str, object]) -> MutableMapping[str, object]:
        if line["event"] == "partition stopped":
            self.lines.append(line)
            self._more.set()
        raise structlog.DropEvent

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(HANG_S):
            while len(self.lines) < count:
                self._more.clear()
                await self._more.wait()


@contextlib.contextmanager
def orders_to_stop() -> Iterator[Orders]:
    orders, before = Orders(), structlog.get_config()["processors"]
    structlog.configure(processors=[orders])
    try:
        yield orders
    finally:
        structlog.configure(processors=before)


class LogPlace(Protocol):
    """Somewhere a log stands: it can be opened again, and its operator can do things to it."""

    async def open(self) -> EventLog:
        """Opens what was closed before."""

    async def another(self, log: EventLog) -> EventLog:
        """What a second worker of a group consumes from."""

    async def delete(self, log: EventLog, topic: str) -> None: ...

    async def forget(self, log: EventLog, topic: str) -> None:
        """Drops every record of partition 0 written so far, as retention does."""

    async def close(self) -> None: ...


class EmbeddedPlace:
    def __init__(self, directory: Path) -> None:
        self.directory, self.clock = directory, ManualClock(1_790_000_000_000)
        self._open: list[EmbeddedLog] = []

    async def open(self) -> EventLog:
        log = EmbeddedLog(self.directory, clock=self.clock, limits=Limits(batch_records=100))
        self._open.append(log)
        return log

    async def another(self, log: EventLog) -> EventLog:
        return log

    async def delete(self, log: EventLog, topic: str) -> None:
        assert isinstance(log, EmbeddedLog)
        await log.delete_topic(topic)

    async def forget(self, log: EventLog, topic: str) -> None:
        """Once somebody has read it all: what nobody has reached is not dropped."""
        reader, ends = Applied(), await log.ends(topic)
        async with consuming(log, topic, reader):
            await reader.reaches(sum(end - first for first, end in ends.values()))
            await asyncio.sleep(0)  # a batch counts as handled when the next one is asked for
            self.clock.move_to(self.clock.now_ms() + 30 * DAY_MS)
            await log.append(topic, [Message(b"", b"of a new day", partition=0)])

    async def close(self) -> None:
        for log in self._open:
            await log.close()


@contextlib.asynccontextmanager
async def consuming(log: EventLog, topic: str, applied: Applied, handler: Handler | None = None) -> AsyncIterator[None]:
    """Consumes while the block runs, then cancels and waits for the end."""
    task = asyncio.create_task(log.consume([topic], f"group-{topic}", applied, handler or applied.apply))
    try:
        yield
    finally:
        task.cancel()
        async with asyncio.timeout(HANG_S):
            await asyncio.wait([task])
        if not task.cancelled():
            task.result()
