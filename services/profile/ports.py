"""What the profile needs of a database, in its own words. Adapters: memory, SQLite, PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, Protocol

import msgspec

from services.log import Move, Position
from services.outbox import Outbox, OutboxMessage
from services.profile.domain.customers.freshness import SourceSeen
from services.profile.domain.identity.links import Cluster, Link, Membership
from services.profile.domain.states.months import MonthPart
from services.profile.domain.states.state import Head


class LedgerEntry(NamedTuple):
    """`key` is the 16-byte hash of (source, id); `content` 8 bytes over what may not change; `day` the UTC day
    (days since 1970) in which it was accepted. `also_day` names a second table around midnight. With `subject` and
    `occurred_at`, an event from before the ledger's days is looked up in the timeline too: that one forgets nothing."""

    key: bytes
    content: bytes
    day: int
    also_day: int | None = None
    subject: str = ""
    occurred_at: int | None = None


class StoredSubject(msgspec.Struct):
    """A subject's row under lock. `cuts` are the segment borders (ms, ascending). `roots` are the roots it counts for;
    itself where it has none. `heads` and `months` hold the states of its segments, packed (`domain/packing.py`);
    `months` only those that were asked for. version 0: not stored yet."""

    subject: str
    version: int
    fold_version: int
    cuts: list[int]
    roots: list[str]
    heads: bytes
    months: dict[int, bytes]


class TimelineRow(NamedTuple):
    subject: str
    occurred_at: int
    sequence: int  # -1 where the source tells none
    key: bytes  # the ledger key: unique
    type: str
    channel: str
    accepted_at: int
    event: bytes  # codec-encoded, personal values replaced by references


Cursor = tuple[int, int, bytes]
"""How far a timeline was read: (occurred_at, sequence, key) of the row read last."""


class BaseRow(NamedTuple):
    """What has aged out of a subject's timeline (see `domain/base.py`), and the fold version that wrote it."""

    subject: str
    fold_version: int
    body: bytes


class Mark(NamedTuple):
    """`root` must be refreshed; `accepted_at` is that of the oldest event behind it (ms), 0 where none is."""

    root: str
    accepted_at: int


class DueTime(NamedTuple):
    """`at` in ms; `grain` is "day" or "hour"; `sources` must be complete past `at` before it fires."""

    at: int
    kind: str
    grain: str
    sources: tuple[str, ...]


class KeptSubject(msgspec.Struct, frozen=True, gc=False):
    """A subject as refresh reads it; see `StoredSubject`. `collectives`: the households and groups in which it stands
    now, told of parties that were asked for as roots."""

    subject: str
    version: int
    cuts: Sequence[int]
    heads: Sequence[Head]
    months: Mapping[int, Sequence[MonthPart]]
    collectives: Sequence[str] = ()


class Member(msgspec.Struct, frozen=True, gc=False):
    """A subject of a customer as refresh sees it, all of it from one snapshot."""

    membership: Membership
    stored: KeptSubject


class StoredView(msgspec.Struct):
    """A customer's row. `lead` is the root that names the customer; `body` and `facts` are JSON without personal values
    (references instead); `decided` is what hysteresis needs to know of the last decision. `state` "live" or "gone"
    (merged into others: `version` goes on)."""

    customer_id: str
    lead: str
    version: int
    kind: str
    state: str
    changed_at: int
    body: bytes
    facts: bytes
    decided: bytes = b"{}"
    owner: str | None = None
    tier: str | None = None
    name_ref: str | None = None


class Standing(NamedTuple):
    """For whom a subject counts: the customer that `lead` names. `view` is as it was last written, if ever; `waits`: a
    mark says that more was committed since. Both are of one snapshot."""

    subject: str
    lead: str
    view: StoredView | None
    waits: bool

    @property
    def is_live(self) -> bool:
        return self.view is not None and self.view.state == "live"


class Shard(NamedTuple):
    """A lease: `fence` must match inside every transaction."""

    shard: int
    owner: str
    fence: int


class Decision(msgspec.Struct, frozen=True):
    """What is chosen and recorded rather than computed. `kind`: merge, split, owner, tier, review…"""

    decision_id: str
    kind: str
    subjects: tuple[str, ...]
    actor: str
    reason: str
    at: int
    undoes: str | None = None
    body: dict[str, Any] = {}


class UpdateTransaction(Protocol):
    """Everything the batches of some partitions do. Leaving the context commits; an exception rolls back all of it."""

    async def advance(self, moves: Sequence[Move]) -> None:
        """Moves each partition's position `until where next = start` (inserts it where none is stored). Raises
        `Fenced` where one of them does not stand there."""

    async def enter_ledger(self, entries: Sequence[LedgerEntry]) -> Mapping[bytes, bytes]:
        """Enters what is new, in one order; returns key → content of those that stood there already and are not
        parked (a parked one is taken over). All live days are looked up."""

    async def park(self, keys: Sequence[tuple[bytes, int]]) -> None:
        """Marks ledger rows (key, day) parked, so that a replay may take them over."""

    async def lock_subjects(self, wanted: Mapping[str, frozenset[int]], now: int) -> dict[str, StoredSubject]:
        """subject → the months to load with it. Missing rows are made first, then all are locked in sorted order."""

    async def save_subjects(self, changed: Sequence[StoredSubject]) -> None:
        """Writes heads, roots, cuts and the months present, `where version = …`, and raises the version by one.
        Raises `Fenced` when a version has moved or a newer fold version has written."""

    async def append_timeline(self, rows: Sequence[TimelineRow]) -> None: ...

    async def timeline_of(self, subject: str) -> Sequence[TimelineRow]:
        """Every event of one subject, oldest first."""

    async def aged_of(self, subject: str, before: int, limit: int) -> Sequence[TimelineRow]:
        """Events of one subject that both occurred and were accepted before (ms), oldest first."""

    async def drop_timeline(self, events: Sequence[TimelineRow]) -> None: ...

    async def base_of(self, subject: str) -> BaseRow | None: ...

    async def save_base(self, base: BaseRow) -> None:
        """Raises `Fenced` where a newer fold version has written one."""

    async def months_of(self, subject: str) -> list[int]:
        """The months stored with a subject."""

    async def keep_parts(self, subject: str, months: Collection[int]) -> None:
        """Drops the other months stored with a subject."""

    async def save_personal(self, values: Mapping[str, str], told: Collection[tuple[str, str]]) -> None:
        """ref → clear value, and of whom each was told: (ref, subject). Known refs are left alone."""

    async def add_links(self, links: Sequence[Link]) -> list[Link]:
        """Joins them into what is stored (see `links.join`); returns those that hold at other times than before."""

    async def links_around(self, subjects: Sequence[str]) -> list[Link]:
        """Every link of these subjects, of all below them, and of all above any of those (transitively). Complete only
        for subjects whose rows the caller has locked: look again after locking what it names."""

    async def record(self, decisions: Sequence[Decision]) -> None:
        """One that was recorded before (same id) is left as it is."""

    async def memberships_of(self, subjects: Sequence[str]) -> list[Membership]: ...

    async def replace_memberships(self, subjects: Sequence[str], memberships: Sequence[Membership]) -> None:
        """What these subjects belong to, whole."""

    async def mark(self, marks: Sequence[Mark]) -> None: ...

    async def mark_customers_of(self, manager_ids: Sequence[str]) -> None:
        """Marks every customer whose owner is one of them."""

    async def put_staff(self, manager_id: str, record: Mapping[str, Any]) -> None:
        """What is known of a customer manager (JSON): left, successor, absences."""

    async def note_sources(self, seen: Sequence[SourceSeen]) -> None:
        """Joins by maximum into what is stored for (source, partition)."""

    async def keep_dead_letters(self, letters: "Sequence[StoredDeadLetter]") -> None:
        """A letter that came before (same id) is left as it is."""

    async def send(self, lanes: Mapping[str, Sequence[OutboxMessage]], now: int) -> None:
        """Appends to outbox lanes; one writer at a time (the row of a lane is locked)."""


class CustomerRows(Protocol):
    """What a customer is gathered from."""

    async def clusters(self, roots: Sequence[str]) -> dict[str, Cluster]:
        """root → the merged cluster it stands in, where it stands in one."""

    async def members(self, roots: Sequence[str]) -> dict[str, list[Member]]:
        """root → its members with every part; one snapshot for all. The root itself is a member (self, for all time)
        unless it belongs to others: rows of its own in memberships other than to a household or group. Raises
        `OtherShape`, or what else is met in states that cannot be read."""

    async def views(self, leads: Sequence[str]) -> dict[str, StoredView]: ...

    async def staff(self) -> dict[str, dict[str, Any]]:
        """manager id → what is told of every manager."""

    async def staff_of(self, leads: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Only of those who own these customers, and who is named, one after the other, to act for them: a bank has
        thousands of managers."""

    async def owned_counts(self) -> dict[str, int]:
        """manager id → how many customers he or she owns."""


class RefreshTransaction(CustomerRows, Protocol):
    async def fence(self, shards: Sequence[Shard]) -> list[Shard]:
        """Proves the leases inside the transaction and returns them moved on. Raises `Fenced` where one was lost."""

    async def take_marks(self, shards: Sequence[int], limit: int, resting: Sequence[str] = ()) -> list[Mark]:
        """Those of at most `limit` roots, those first that have waited longest, and none of a `resting` root. Deletes
        what it returns: one mark per root, the oldest accepted_at of it."""

    async def mark(self, marks: Sequence[Mark]) -> None: ...

    async def set_aside(self, marks: Sequence[Mark]) -> None:
        """As `mark`, of roots whose refresh has failed."""

    async def decisions(self, subjects: Sequence[str]) -> dict[str, list[Decision]]:
        """subject → decisions that name it, oldest first."""

    async def save_views(self, views: Sequence[StoredView], due: Mapping[str, Sequence[DueTime]]) -> None:
        """Writes rows by lead, and replaces the due times of each."""

    async def save_judged(self, decided: Mapping[str, bytes]) -> None:
        """By lead, of views that stay as they are otherwise: a close was judged, and nothing of it is told."""

    async def send(self, lanes: Mapping[str, Sequence[OutboxMessage]], now: int) -> None: ...


class ProfileStore(Outbox, Protocol):
    """Writers. `Unavailable` is raised when the database is away; deadlocks and serialization failures are retried by
    the caller on `Contended`."""

    async def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, Position]: ...

    async def set_position(self, topic: str, partition: int, position: Position) -> None:
        """An operator's word, against whatever stood there: a worker that is at it finds itself fenced."""

    def updating(self) -> AbstractAsyncContextManager[UpdateTransaction]: ...

    def refreshing(self) -> AbstractAsyncContextManager[RefreshTransaction]: ...

    async def lease(self, owner: str, now: int, ttl_ms: int) -> list[Shard]:
        """Says that this worker is alive, renews its shards, and takes free ones (lapsed leases) up to a fair share of
        all among the workers that said so within `ttl_ms`; what it holds beyond that share it gives back."""

    async def release(self, owner: str) -> None: ...

    async def leaseholders(self, now: int) -> list[str]:
        """Workers that hold a shard now."""

    async def marks_waiting(self, resting: Sequence[str] = ()) -> dict[int, int]:
        """shard → how many marks wait, those of `resting` roots left out."""

    async def count_aside(self) -> int:
        """How many roots are set aside: their refresh has failed, and was not made good since."""

    async def fire_due(self, now: int, grain: str, complete: Mapping[str, int], limit: int) -> int:
        """Deletes due times of that grain with at <= now whose sources are complete past them; leaves marks.
        Returns how many fired."""

    async def next_due(self, grain: str, after: int = -1) -> int | None:
        """The first of that grain later than `after`, whether its sources are complete past it or not."""

    async def decide(self, decision: Decision, clusters: Sequence[Cluster], dissolved: Sequence[str]) -> None:
        """Records a decision, writes the clusters that follow from it, drops those of `dissolved`, marks all. Raises
        `Contended` when it would tear a cluster apart that has come up since the caller looked."""

    async def ledger_days(self) -> list[int]:
        """The days (since 1970) whose ledger is kept: no rewind may reach further back."""

    async def drop_ledgers(self, before_day: int) -> list[int]:
        """Drops the ledgers of the days before; returns them."""

    async def drop_letters(self, before: int) -> int:
        """Drops the replayed dead letters of before (ms); returns how many."""

    async def mark_letter_replayed(self, letter_id: str) -> bool:
        """False: there is no such letter, or it was replayed before."""


class StoredDeadLetter(msgspec.Struct):
    """`length` (bytes) and `sha256` are those of what was sent: `body` may be an excerpt of it, or nothing."""

    letter_id: str
    at: int
    stage: str
    source: str
    reason: str
    field: str
    message: str
    event_id: str | None
    body: bytes
    length: int
    sha256: str
    state: str = "open"  # open, replayed


class TimelineFilter(NamedTuple):
    types: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None


COUNTED = ("customers", "subjects", "events", "marks", "dead_letters")
"""Customers that live, subjects, events of the timeline, marks that wait, open dead letters."""


class ProfileReader(Protocol):
    """Readers: one indexed read each, never a lock."""

    def customers(self) -> AbstractAsyncContextManager[CustomerRows]:
        """For a customer whose mark waits; each read sees whatever was committed before it."""

    async def view(self, customer_id: str) -> StoredView | None: ...

    async def standing(self, subjects: Sequence[str]) -> list[Standing]:
        """For whom each of these subjects counts now; for nobody else: for itself."""

    async def standing_behind(self, alias: str) -> list[Standing]:
        """For whom the subject counts now that would name a customer so: of a current id, or of a former one (none,
        one or several)."""

    async def customers_of(self, subject: str) -> list[str]:
        """Customer ids of those for whom a subject counts now."""

    async def parties_told(self, ref: str, limit: int) -> list[str]:
        """Parties of which a personal value was told."""

    async def personal(self, refs: Sequence[str]) -> Mapping[str, str]: ...

    async def timeline(
        self, spans: Sequence[tuple[str, int, int]], before: Cursor | None, where: TimelineFilter, limit: int
    ) -> list[TimelineRow]:
        """Newest first, those of one instant by their sequence. `spans`: (subject, from, until) in ms."""

    async def timeline_page(self, after: tuple[str, int, int, bytes], limit: int) -> list[TimelineRow]:
        """The next ones of all events there are, in the order of (subject, occurred_at, sequence, key)."""

    async def memberships(self, roots: Sequence[str]) -> list[Membership]: ...

    async def links(self, subjects: Sequence[str]) -> list[Link]:
        """Those that lead away from these subjects, to what they belong to."""

    async def links_to(self, targets: Sequence[str]) -> list[Link]:
        """Those that lead to these subjects."""

    async def decisions_on(self, subjects: Sequence[str]) -> list[Decision]: ...

    async def decisions_taken(self, until: int) -> list[Decision]:
        """By people before then (ms), in the order in which they took effect. Review cases are nobody's decisions."""

    async def cluster(self, root: str) -> Cluster | None: ...

    async def reviews(self, limit: int) -> list[Decision]: ...

    async def dead_letters(self, limit: int, state: str) -> list[StoredDeadLetter]: ...

    async def dead_letter(self, letter_id: str) -> StoredDeadLetter | None: ...

    async def sources_seen(self) -> list[SourceSeen]: ...

    async def subjects_behind(self, fold_version: int, limit: int) -> list[str]:
        """Subjects with events, aged ones included, whose state was folded by an older version."""

    async def page_to_age(self, after: str, before: int, month: int, limit: int) -> tuple[list[str], str | None]:
        """Looks at the next `limit` subjects after one: those with events to age (`aged_of`) or with a month stored
        that is older than `month`, and the last one looked at; None when there was none left."""

    async def count_behind(self, fold_version: int) -> int: ...

    async def counts(self, of: Sequence[str] = COUNTED) -> dict[str, int]:
        """For the board and for `doctor`. Each is counted row by row: ask for no more than is needed, and seldom."""
