"""The profile's tables in memory."""

from typing import NamedTuple

from schemas.instants import HOUR_MS
from services.memory.stream import StreamTables
from services.memory.tables import Table
from services.profile.domain.customers.freshness import SourceSeen
from services.profile.domain.identity.links import Link, Membership
from services.profile.ports.records import BaseRow, Decision, Mark, Placement, StoredDeadLetter, StoredView, TimelineRow


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
    erased_at: int = 0


class PartRow(NamedTuple):
    subject: str
    month: int
    body: bytes


class MarkRow(NamedTuple):
    shard: int
    n: int
    mark: Mark
    aside: bool


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

    @property
    def hour(self) -> int:
        return self.at // HOUR_MS


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


class Tables(StreamTables):
    def __init__(self, shards: int) -> None:
        super().__init__()
        journal = self.journal
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
        self.views = Table[StoredView](journal, "lead", "customer_id", "owner")
        self.placements = Table[Placement](journal, "lead at")
        self.due = Table[DueRow](journal, "lead at kind", "lead", "hour")
        self.clusters = Table[ClusterRow](journal, "root", "lead")
        self.decisions = Table[Decision](journal, "decision_id")
        self.staff = Table[StaffRow](journal, "manager_id")
        self.personal = Table[PersonalRow](journal, "ref")
        self.personal_subjects = Table[ToldRow](journal, "ref subject", "ref", "subject")
        self.sources_seen = Table[SourceSeen](journal, "source partition")
        self.dead_letters = Table[StoredDeadLetter](journal, "letter_id")
        self.last_mark = 0
        for shard in range(shards):
            self.shards.put(ShardRow(shard, None, 0, 0))
