"""What `update` and upkeep do to subjects within one database transaction."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, Protocol

from services.log import Move
from services.outbox import OutboxMessage
from services.profile.domain.customers.freshness import SourceSeen
from services.profile.domain.identity.links import Link, Membership
from services.profile.ports.records import (
    BaseRow,
    Decision,
    LedgerEntry,
    Mark,
    StoredDeadLetter,
    StoredSubject,
    TimelineRow,
)


class UpdateTransaction(Protocol):
    """Everything the batches of some partitions do. Leaving the context commits; an exception rolls back all of it."""

    async def advance(self, moves: Sequence[Move]) -> None:
        """Moves each partition's position `until where next = start` (inserts it where none is stored). Raises
        `Fenced` where one of them does not stand there."""

    async def enter_ledger(self, entries: Sequence[LedgerEntry]) -> Mapping[bytes, bytes]:
        """Of each key one entry. Enters what is new, in one order; returns key → content of those that stood there
        already and are not parked (a parked one is taken over). All live days are looked up."""

    async def park(self, keys: Sequence[tuple[bytes, int]]) -> None:
        """Marks the ledger rows of these keys (accepted on a day) parked, so that a replay may take them over: on every
        live day, for one that was taken over and fails again stands on the day of its first try, too."""

    async def lock_subjects(self, wanted: Mapping[str, frozenset[int]]) -> dict[str, StoredSubject]:
        """`wanted`: subject → the months to load with it. Missing rows are inserted first, then all are locked in
        sorted order."""

    async def save_subjects(self, changed: Sequence[StoredSubject]) -> None:
        """Writes heads, roots, cuts and the months present, `where version = …`, and raises the version by one.
        Raises `Fenced` when a version has moved or a newer fold version has written."""

    async def append_timeline(self, rows: Sequence[TimelineRow]) -> None: ...

    def timeline_of(self, subject: str) -> AsyncIterator[TimelineRow]:
        """Every event of one subject, oldest first, read some at a time: a past of any length neither fills the memory
        nor leaves the transaction idle for as long as it takes to fold it."""

    async def aged_of(self, subject: str, before: int, limit: int) -> Sequence[TimelineRow]:
        """Events of one subject that both occurred and were accepted before (ms), oldest first."""

    async def drop_timeline(self, events: Sequence[TimelineRow]) -> None: ...

    async def base_of(self, subject: str) -> BaseRow | None: ...

    async def save_base(self, base: BaseRow) -> None:
        """Raises `Fenced` where a newer fold version has written one."""

    async def months_of(self, subject: str) -> list[int]:
        """The months stored with a subject."""

    async def keep_parts(self, subject: str, months: Collection[int]) -> None:
        """Drops all other months stored with the subject."""

    async def save_personal(self, values: Mapping[str, str], told: Collection[tuple[str, str]]) -> None:
        """`values`: reference → clear value; known ones are left alone. `told`: (reference, subject) that a value was
        told of."""

    async def erase_personal(self, subjects: Sequence[str], at: int) -> None:
        """Locked subjects told nothing personal until then (ms): what was told of them is forgotten, and so is each
        value that was told of nobody else."""

    async def add_links(self, links: Sequence[Link]) -> list[Link]:
        """Joins them into what is stored (see `links.join`). Returns those whose times have changed."""

    async def links_around(self, subjects: Sequence[str]) -> list[Link]:
        """Every link of these subjects, of all below them, and of all above any of those (transitively). Complete only
        for subjects that the caller has locked: lock what it names, then read again."""

    async def record(self, decisions: Sequence[Decision]) -> None:
        """A decision that was recorded before (same id) stays as it is."""

    async def memberships_of(self, subjects: Sequence[str]) -> list[Membership]: ...

    async def replace_memberships(self, subjects: Sequence[str], memberships: Sequence[Membership]) -> None:
        """Replaces everything that these subjects belong to."""

    async def mark(self, marks: Sequence[Mark]) -> None: ...

    async def mark_customers_of(self, manager_id: str) -> None:
        """Marks every customer whose owner that is, or has him or her for a stand-in, at whatever remove."""

    async def put_staff(self, manager_id: str, record: Mapping[str, Any]) -> None:
        """What is known of a manager (JSON): left, successor, absences."""

    async def note_sources(self, seen: Sequence[SourceSeen]) -> None:
        """Joins by maximum into what is stored for (source, partition)."""

    async def keep_dead_letters(self, letters: Sequence[StoredDeadLetter]) -> None:
        """A letter that was kept before (same id) stays as it is."""

    async def send(self, lanes: Mapping[str, Sequence[OutboxMessage]], now: int) -> None:
        """Appends to outbox lanes; one writer at a time (the row of a lane is locked)."""
