"""What a consumer of the log keeps beside its own tables, in memory: positions and outbox lanes."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.failures import Fenced
from services.log import Move, Position
from services.memory.tables import Journal, Table, Turns
from services.outbox import OutboxMessage, OutboxRow


class PositionRow(NamedTuple):
    topic: str
    partition: int
    topic_id: str
    next: int


class LaneRow(NamedTuple):
    lane: str
    last_n: int
    published: int


class LaneMessage(NamedTuple):
    lane: str
    n: int
    row: OutboxRow


class MemoryStream:
    """Called inside a transaction of the tables that `journal` belongs to."""

    def __init__(self, journal: Journal) -> None:
        self._positions = Table[PositionRow](journal, "topic partition")
        self._lanes = Table[LaneRow](journal, "lane")
        self._outbox = Table[LaneMessage](journal, "lane n", "lane")

    def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, Position]:
        found = [self._positions.get((topic, partition)) for partition in partitions]
        return {row.partition: Position(row.topic_id, row.next) for row in found if row is not None}

    def set_position(self, topic: str, partition: int, position: Position) -> None:
        self._positions.put(PositionRow(topic, partition, position.topic_id, position.next))

    def advance(self, moves: Sequence[Move]) -> None:
        for topic, topic_id, partition, start, until in moves:
            stored = self._positions.get((topic, partition))
            if stored is not None and (stored.topic_id, stored.next) != (topic_id, start):
                raise Fenced(f"{topic}/{partition} does not stand at {start}: another worker has moved it")
            self._positions.put(PositionRow(topic, partition, topic_id, until))

    def send(self, lanes: Mapping[str, Sequence[OutboxMessage]], now: int) -> None:
        for lane, messages in lanes.items():
            known = self._lanes.get(lane) or LaneRow(lane, 0, 0)
            for n, message in enumerate(messages, known.last_n + 1):
                self._outbox.put(LaneMessage(lane, n, OutboxRow(n, now, message)))
            self._lanes.put(known._replace(last_n=known.last_n + len(messages)))

    def lanes_waiting(self) -> dict[str, int]:
        waiting: dict[str, int] = {}
        for one in sorted(self._outbox.rows(), key=lambda one: (one.lane, one.n)):
            waiting.setdefault(one.lane, one.row.created_at)
        return waiting

    def outbox(self, lane: str, limit: int) -> list[OutboxRow]:
        return sorted(waiting.row for waiting in self._outbox.by("lane", [lane]))[:limit]

    def published(self, marks: Mapping[str, tuple[int, int]]) -> list[str]:
        moved: list[str] = []
        for lane, (after, until) in sorted(marks.items()):
            known = self._lanes.get(lane)
            if known is not None and known.published == after:
                self._lanes.put(known._replace(published=until))
                self._outbox.drop([waiting for waiting in self._outbox.by("lane", [lane]) if waiting.n <= until])
                moved.append(lane)
        return moved


class StreamTables(Turns):
    """Beside which a store has tables of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.stream = MemoryStream(self.journal)


class MemoryStreamStore:
    """A `PositionStore` with an operator's word, and an `Outbox`, over the stream of `_tables`; for stores to take
    on."""

    _tables: StreamTables

    async def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, Position]:
        async with self._tables.turn() as tables:
            return tables.stream.positions(topic, partitions)

    async def set_position(self, topic: str, partition: int, position: Position) -> None:
        async with self._tables.turn() as tables:
            tables.stream.set_position(topic, partition, position)

    async def lanes_waiting(self) -> dict[str, int]:
        async with self._tables.turn() as tables:
            return tables.stream.lanes_waiting()

    async def outbox(self, lane: str, limit: int) -> list[OutboxRow]:
        async with self._tables.turn() as tables:
            return tables.stream.outbox(lane, limit)

    async def published(self, marks: Mapping[str, tuple[int, int]]) -> list[str]:
        async with self._tables.turn() as tables:
            return tables.stream.published(marks)
