"""Tables in memory with indexes, and transactions that can be undone: one writer at a time, readers wait for it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Iterable
from contextlib import asynccontextmanager
from typing import Generic, NamedTuple, TypeVar

from services.profile.domain.links import Link, Membership
from services.profile.ports import (
    Decision,
    DueTime,
    Mark,
    OutboxRow,
    SourceSeen,
    StoredDeadLetter,
    StoredView,
    TimelineRow,
)  # fmt: skip

Row = TypeVar("Row")


class Table(Generic[Row]):
    """Rows by key and by any number of indexes; what a transaction changes is noted in `journal`."""

    def __init__(
        self, journal: list[Callable[[], None]], key: Callable[[Row], Hashable], **indexes: Callable[[Row], Hashable]
    ) -> None:
        self._journal, self._key, self._indexes = journal, key, indexes
        self._rows: dict[Hashable, Row] = {}
        self._found: dict[tuple[str, Hashable], dict[Hashable, None]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: Hashable) -> Row | None:
        return self._rows.get(key)

    def rows(self) -> list[Row]:
        return list(self._rows.values())

    def by(self, index: str, values: Iterable[Hashable]) -> list[Row]:
        """The rows whose indexed value is one of these, each once."""
        return [self._rows[key] for value in dict.fromkeys(values) for key in self._found.get((index, value), ())]

    def put(self, row: Row) -> None:
        key = self._key(row)
        before = self._rows.get(key)
        self._set(key, row)
        self._journal.append(lambda: self._set(key, before))

    def drop(self, rows: Iterable[Row]) -> None:
        for row in list(rows):
            key = self._key(row)
            self._set(key, None)
            self._journal.append(lambda key=key, row=row: self._set(key, row))  # type: ignore[misc] # binds this row

    def _set(self, key: Hashable, row: Row | None) -> None:
        before = self._rows.pop(key, None)
        if before is not None:
            for index, value in self._indexes.items():
                del self._found[index, value(before)][key]
        if row is not None:
            self._rows[key] = row
            for index, value in self._indexes.items():
                self._found.setdefault((index, value(row)), {})[key] = None


class PositionRow(NamedTuple):
    topic: str
    partition: int
    topic_id: str
    next: int


class LedgerRow(NamedTuple):
    day: int
    key: bytes
    content: bytes
    parked: bool


class SubjectRow(NamedTuple):
    subject: str
    alias: str
    version: int
    fold_version: int
    cuts: str
    roots: str
    heads: bytes


class PartRow(NamedTuple):
    subject: str
    month: int
    body: bytes


class MarkRow(NamedTuple):
    shard: int
    n: int
    mark: Mark


class ShardRow(NamedTuple):
    shard: int
    owner: str | None
    fence: int
    leased_until: int


class DueRow(NamedTuple):
    lead: str
    due: DueTime


class LaneRow(NamedTuple):
    lane: str
    last_n: int
    published: int


class LaneMessage(NamedTuple):
    lane: str
    row: OutboxRow


class Tables:
    def __init__(self, shards: int) -> None:
        self._journal: list[Callable[[], None]] = []
        self._turn = asyncio.Lock()
        journal = self._journal
        self.positions = Table[PositionRow](journal, lambda row: row[:2])
        self.ledger = Table[LedgerRow](journal, lambda row: row[:2], event=lambda row: row.key, day=lambda row: row.day)
        self.subjects = Table[SubjectRow](journal, lambda row: row.subject, alias=lambda row: row.alias)
        self.parts = Table[PartRow](journal, lambda row: row[:2], subject=lambda row: row.subject)
        self.timeline = Table[TimelineRow](journal, lambda row: row[:3], subject=lambda row: row.subject)
        self.links = Table[Link](
            journal, lambda row: row.key, subject=lambda row: row.subject, target=lambda row: row.target
        )
        self.memberships = Table[Membership](
            journal, lambda row: row, root=lambda row: row.root, subject=lambda row: row.subject
        )
        self.marks = Table[MarkRow](journal, lambda row: row.n, shard=lambda row: row.shard)
        self.shards = Table[ShardRow](journal, lambda row: row.shard)
        self.workers = Table[tuple[str, int]](journal, lambda row: row[0])
        self.views = Table[StoredView](
            journal, lambda row: row.lead, customer_id=lambda row: row.customer_id,
            owner=lambda row: row.owner, name_ref=lambda row: row.name_ref,
        )  # fmt: skip
        self.due = Table[DueRow](
            journal, lambda row: (row.lead, row.due.at, row.due.kind),
            lead=lambda row: row.lead, grain=lambda row: row.due.grain,
        )  # fmt: skip
        self.clusters = Table[tuple[str, str]](journal, lambda row: row[0], lead=lambda row: row[1])
        self.decisions = Table[Decision](journal, lambda row: row.decision_id)
        self.staff = Table[tuple[str, str]](journal, lambda row: row[0])
        self.personal = Table[tuple[str, str]](journal, lambda row: row[0])
        self.personal_subjects = Table[tuple[str, str]](journal, lambda row: row, ref=lambda row: row[0])
        self.sources_seen = Table[SourceSeen](journal, lambda row: (row.source, row.partition))
        self.lanes = Table[LaneRow](journal, lambda row: row.lane)
        self.outbox = Table[LaneMessage](journal, lambda row: (row.lane, row.row.n), lane=lambda row: row.lane)
        self.dead_letters = Table[StoredDeadLetter](journal, lambda row: row.letter_id)
        self.last_mark = 0
        for shard in range(shards):
            self.shards.put(ShardRow(shard, None, 0, 0))

    @asynccontextmanager
    async def turn(self) -> AsyncIterator["Tables"]:
        """A transaction: nobody else reads or writes meanwhile, and an exception undoes all of it."""
        async with self._turn:
            self._journal.clear()
            try:
                yield self
            except BaseException:
                while self._journal:
                    self._journal.pop()()
                raise
