"""Tables in memory with indexes, and transactions that can be undone: one writer at a time, readers wait for it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Iterable
from contextlib import asynccontextmanager
from operator import attrgetter
from typing import Generic, NamedTuple, TypeVar

from services.profile.domain.freshness import SourceSeen
from services.profile.domain.links import Link, Membership
from services.profile.ports import (
    BaseRow,
    Decision,
    Mark,
    OutboxRow,
    StoredDeadLetter,
    StoredView,
    TimelineRow,
)  # fmt: skip

Row = TypeVar("Row")


class Table(Generic[Row]):
    """Rows by the fields of their key, and by any number of indexed fields; changes are noted in `journal`."""

    def __init__(self, journal: list[Callable[[], None]], key: str, *indexes: str) -> None:
        self._journal, self._key = journal, attrgetter(*key.split())
        self._indexes = {index: attrgetter(index) for index in indexes}
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
    at: int
    kind: str
    grain: str
    sources: tuple[str, ...]


class LaneRow(NamedTuple):
    lane: str
    last_n: int
    published: int


class LaneMessage(NamedTuple):
    lane: str
    n: int
    row: OutboxRow


class WorkerRow(NamedTuple):
    worker: str
    seen_at: int


class ClusterRow(NamedTuple):
    root: str
    lead: str


class StaffRow(NamedTuple):
    manager_id: str
    record: str


class PersonalRow(NamedTuple):
    ref: str
    value: str


class ToldRow(NamedTuple):
    ref: str
    subject: str


class Tables:
    def __init__(self, shards: int) -> None:
        self._turn = asyncio.Lock()
        self._journal: list[Callable[[], None]] = []
        journal = self._journal
        self.positions = Table[PositionRow](journal, "topic partition")
        self.ledger = Table[LedgerRow](journal, "day key", "key", "day")
        self.subjects = Table[SubjectRow](journal, "subject", "alias")
        self.parts = Table[PartRow](journal, "subject month", "subject")
        self.timeline = Table[TimelineRow](journal, "subject occurred_at key", "subject")
        self.bases = Table[BaseRow](journal, "subject")
        self.links = Table[Link](journal, "subject target role", "subject", "target")
        self.memberships = Table[Membership](journal, "root subject role from_at until_at", "root", "subject")
        self.marks = Table[MarkRow](journal, "n", "shard", "mark.root")
        self.shards = Table[ShardRow](journal, "shard")
        self.workers = Table[WorkerRow](journal, "worker")
        self.views = Table[StoredView](journal, "lead", "customer_id", "owner", "name_ref")
        self.due = Table[DueRow](journal, "lead at kind", "lead", "grain")
        self.clusters = Table[ClusterRow](journal, "root", "lead")
        self.decisions = Table[Decision](journal, "decision_id")
        self.staff = Table[StaffRow](journal, "manager_id")
        self.personal = Table[PersonalRow](journal, "ref")
        self.personal_subjects = Table[ToldRow](journal, "ref subject", "ref")
        self.sources_seen = Table[SourceSeen](journal, "source partition")
        self.lanes = Table[LaneRow](journal, "lane")
        self.outbox = Table[LaneMessage](journal, "lane n", "lane")
        self.dead_letters = Table[StoredDeadLetter](journal, "letter_id")
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
