"""One partition batch in memory."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from copy import copy
from typing import Any

import msgspec

from services.failures import Fenced
from services.log import Move
from services.outbox import OutboxMessage
from services.profile.adapters import memory_personal, rows
from services.profile.adapters.every_store.joining import join_links
from services.profile.adapters.every_store.old_events import is_aged, predates_ledger
from services.profile.adapters.memory_queues import leave_marks
from services.profile.adapters.memory_tables import (
    LedgerRow,
    PartRow,
    StaffRow,
    SubjectRow,
    Tables,
)
from services.profile.domain.customers.customer import ANY_CHANNEL
from services.profile.domain.customers.freshness import SourceSeen
from services.profile.domain.identity.links import Link, Membership
from services.profile.domain.ledger import DAYS_KEPT
from services.profile.domain.states.packing import NO_HEADS
from services.profile.ports.records import (
    BaseRow,
    Decision,
    LedgerEntry,
    Mark,
    StoredDeadLetter,
    StoredSubject,
    TimelineRow,
)


class MemoryUpdate:
    """See `UpdateTransaction`."""

    def __init__(self, tables: Tables, alias_of: Callable[[str], str]) -> None:
        self._tables, self._alias_of = tables, alias_of

    async def advance(self, moves: Sequence[Move]) -> None:
        self._tables.stream.advance(moves)

    async def enter_ledger(self, entries: Sequence[LedgerEntry]) -> Mapping[bytes, bytes]:
        oldest = min((entry.day for entry in entries), default=0)
        standing: dict[bytes, bytes] = {}
        for entry in entries:
            known = self._standing(entry, oldest - DAYS_KEPT + 1)
            if known is not None:
                standing[entry.key] = known
                continue
            for day in {entry.day, entry.day if entry.also_day is None else entry.also_day}:
                self._tables.ledger.put(LedgerRow(day, entry.key, entry.content, False))
        return standing

    def _standing(self, entry: LedgerEntry, since: int) -> bytes | None:
        """The content that stands; parked rows are taken over."""
        found = sorted(row for row in self._tables.ledger.by("key", [entry.key]) if row.day >= since)
        for row in found:
            if not row.parked:
                return row.content
        place = (entry.subject, entry.occurred_at, entry.key)
        if predates_ledger(entry) and self._tables.timeline.get(place) is not None:
            return entry.content
        for row in found:
            self._tables.ledger.put(row._replace(content=entry.content, parked=False))
        return None

    async def park(self, keys: Sequence[tuple[bytes, int]]) -> None:
        for key, day in keys:
            for row in self._tables.ledger.by("key", [key]):
                if row.day > day - DAYS_KEPT:
                    self._tables.ledger.put(row._replace(parked=True))

    async def lock_subjects(self, wanted: Mapping[str, frozenset[int]]) -> dict[str, StoredSubject]:
        locked: dict[str, StoredSubject] = {}
        for subject, months in sorted(wanted.items()):
            row = self._tables.subjects.get(subject)
            if row is None:
                row = SubjectRow(subject, self._alias_of(subject), 0, 0, "[]", rows.to_json([subject]), NO_HEADS)
                self._tables.subjects.put(row)
            locked[subject] = stored_subject(self._tables, row, months)
        return locked

    async def save_subjects(self, changed: Sequence[StoredSubject]) -> None:
        for one in changed:
            stored = self._tables.subjects.get(one.subject)
            if stored is None or stored.version != one.version or stored.fold_version > one.fold_version:
                raise Fenced("a subject has moved under its lock, or a newer release has written it")
            cuts, roots = rows.to_json(one.cuts), rows.to_json(one.roots)
            self._tables.subjects.put(stored._replace(
                version=one.version + 1, fold_version=one.fold_version, cuts=cuts, roots=roots, heads=one.heads
            ))  # fmt: skip
            for month, body in one.months.items():
                self._tables.parts.put(PartRow(one.subject, month, body))

    async def append_timeline(self, events: Sequence[TimelineRow]) -> None:
        for row in events:
            if self._tables.timeline.get((row.subject, row.occurred_at, row.key)) is not None:
                raise ValueError("an event stands in the timeline already")
            self._tables.timeline.put(row)

    async def timeline_of(self, subject: str) -> AsyncIterator[TimelineRow]:
        for row in sorted(self._tables.timeline.by("subject", [subject])):
            yield row

    async def aged_of(self, subject: str, before: int, limit: int) -> list[TimelineRow]:
        return [row async for row in self.timeline_of(subject) if is_aged(row, before)][:limit]

    async def drop_timeline(self, events: Sequence[TimelineRow]) -> None:
        self._tables.timeline.drop(events)

    async def base_of(self, subject: str) -> BaseRow | None:
        return self._tables.bases.get(subject)

    async def save_base(self, base: BaseRow) -> None:
        stored = self._tables.bases.get(base.subject)
        if stored is not None and stored.fold_version > base.fold_version:
            raise Fenced("a newer release has written this base")
        self._tables.bases.put(base)

    async def months_of(self, subject: str) -> list[int]:
        return sorted(part.month for part in self._tables.parts.by("subject", [subject]))

    async def keep_parts(self, subject: str, months: Collection[int]) -> None:
        stored = self._tables.parts.by("subject", [subject])
        self._tables.parts.drop(part for part in stored if part.month not in months)

    async def save_personal(self, values: Mapping[str, str], told: Collection[tuple[str, str]]) -> None:
        memory_personal.save_personal(self._tables, values, told)

    async def erase_personal(self, subjects: Sequence[str], at: int) -> None:
        memory_personal.erase_personal(self._tables, subjects, at)

    async def add_links(self, links: Sequence[Link]) -> list[Link]:
        known = self._tables.links.by("subject", [link.subject for link in links])
        joined = join_links({link.key: link for link in known}, links)
        for link in joined.written:
            self._tables.links.put(link)
        return joined.changed

    async def links_around(self, subjects: Sequence[str]) -> list[Link]:
        links = self._tables.links
        around, open_ends = set(subjects), list(subjects)
        while open_ends:
            below = {link.subject for link in links.by("target", open_ends)} - around
            around |= below
            open_ends = list(below)
        open_ends = list(around)
        while open_ends:
            above = {link.target for link in links.by("subject", open_ends)} - around
            around |= above
            open_ends = list(above)
        return links.by("subject", sorted(around))

    async def memberships_of(self, subjects: Sequence[str]) -> list[Membership]:
        return self._tables.memberships.by("subject", subjects)

    async def replace_memberships(self, subjects: Sequence[str], memberships: Sequence[Membership]) -> None:
        self._tables.memberships.drop(self._tables.memberships.by("subject", subjects))
        for membership in memberships:
            self._tables.memberships.put(membership)

    async def record(self, decisions: Sequence[Decision]) -> None:
        for decision in decisions:
            if self._tables.decisions.get(decision.decision_id) is None:
                self._tables.decisions.put(decision)

    async def mark(self, marks: Sequence[Mark]) -> None:
        leave_marks(self._tables, marks)

    async def mark_customers_of(self, manager_id: str) -> None:
        stand_ins = {
            one.manager_id: msgspec.json.decode(one.record).get("delegate_id") for one in self._tables.staff.rows()
        }
        cared_for, before = {manager_id}, 0
        while len(cared_for) > before:
            before = len(cared_for)
            cared_for |= {manager for manager, stand_in in stand_ins.items() if stand_in in cared_for}
        owned = self._tables.views.by("owner", sorted(cared_for))
        leave_marks(self._tables, [Mark(view.lead, 0) for view in owned if view.is_live])

    async def put_staff(self, manager_id: str, record: Mapping[str, Any]) -> None:
        self._tables.staff.put(StaffRow(manager_id, rows.to_json(record)))

    async def note_sources(self, seen: Sequence[SourceSeen]) -> None:
        for one in seen:
            known = self._tables.sources_seen.get((one.source, one.partition)) or one
            heartbeat_at = max(known.heartbeat_at, one.heartbeat_at)
            accepted_at = max(known.accepted_at, one.accepted_at)
            channel = one.channel if one.channel == known.channel else ANY_CHANNEL
            terms = one if one.rhythm_ms else known
            self._tables.sources_seen.put(
                terms._replace(channel=channel, heartbeat_at=heartbeat_at, accepted_at=accepted_at)
            )

    async def keep_dead_letters(self, letters: Sequence[StoredDeadLetter]) -> None:
        for letter in letters:
            if self._tables.dead_letters.get(letter.letter_id) is None:
                self._tables.dead_letters.put(copy(letter))

    async def send(self, lanes: Mapping[str, Sequence[OutboxMessage]], now: int) -> None:
        self._tables.stream.send(lanes, now)


def stored_subject(tables: Tables, row: SubjectRow, months: frozenset[int]) -> StoredSubject:
    kept = [(part.month, part.body) for part in tables.parts.by("subject", [row.subject])]
    plain = (row.subject, row.version, row.fold_version, row.cuts, row.roots, row.heads, row.erased_at)
    return rows.subject_of(plain, [part for part in kept if part[0] in months])
