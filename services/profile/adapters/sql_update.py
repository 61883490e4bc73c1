"""One partition batch in SQL: position, ledger, subjects, links, timeline."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from services.failures import Contended, Fenced
from services.log import Move
from services.outbox import OutboxMessage
from services.profile.adapters import rows, sql_links, sql_personal
from services.profile.adapters.sql_decisions import record
from services.profile.adapters.sql_ledger import SqlLedger
from services.profile.adapters.sql_locking import lock
from services.profile.adapters.sql_queues import STREAM, leave_marks
from services.profile.domain.customers.freshness import SourceSeen
from services.profile.domain.identity.links import Link, Membership
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
from services.sql.session import Bulk, Row, Session, insert, insert_whole

_PRESENT = "select subject from subjects where subject = any($1::text[])"
_NEW_SUBJECTS = insert(
    "subjects",
    "subject text, alias text, version bigint, fold_version int, cuts text, roots text, heads bytea",
    "on conflict do nothing",
)
_SAVE = Bulk(
    """update subjects s set version = s.version + 1, fold_version = u.fold_version, cuts = u.cuts, roots = u.roots,
    heads = u.heads from unnest($1::folded_subject[]) u
    where s.subject = u.subject and s.version = u.version and s.fold_version <= u.fold_version""",
    """update subjects set version = version + 1, fold_version = ?3, cuts = ?4, roots = ?5, heads = ?6
    where subject = ?1 and version = ?2 and fold_version <= ?3""",
    whole=True,
)
_SAVE_PARTS = insert_whole(
    "parts", "subject, month, body", "on conflict (subject, month) do update set body = excluded.body"
)
_EVENTS_AT_ONCE = 1_000
_BEFORE_ALL = (-(1 << 63), 0, b"")
_APPEND_TIMELINE = insert_whole("timeline", rows.EVENT)
_TIMELINE = f"""
select {rows.EVENT} from timeline
where subject = $1 and (occurred_at, sequence, key) > ($2, $3, $4)
order by occurred_at, sequence, key limit $5"""  # noqa: S608 - constants
_AGED = f"""
select {rows.EVENT} from timeline
where subject = $1 and occurred_at < $2 and accepted_at < $2
order by occurred_at, sequence, key limit $3"""  # noqa: S608 - constants
_DROP_TIMELINE = Bulk(
    """delete from timeline t
    using unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[]) u(subject, occurred_at, sequence, key)
    where t.subject = u.subject and t.occurred_at = u.occurred_at and t.sequence = u.sequence and t.key = u.key""",
    "delete from timeline where subject = ?1 and occurred_at = ?2 and sequence = ?3 and key = ?4",
)
_SAVE_BASE = """
insert into bases as b (subject, fold_version, body) values ($1, $2, $3)
on conflict (subject) do update set fold_version = excluded.fold_version, body = excluded.body
where b.fold_version <= excluded.fold_version"""
_KEEP_PARTS = "delete from parts where subject = $1 and not month = any($2::int[])"
# `m`: the manager, and those for whom he or she stands in; UNION, not UNION ALL: two may stand in for each other
_CARED_FOR = """
with recursive m(manager) as (
    select $1::text collate "C"
    union select t.manager_id from m join staff t on ((t.record::jsonb ->> 'delegate_id') collate "C") = m.manager)
select lead from views where owner in (select manager from m) and state = 'live'"""
_PUT_STAFF = """
insert into staff (manager_id, record) values ($1, $2)
on conflict (manager_id) do update set record = excluded.record"""
_NOTE_SOURCES = insert(
    "sources_seen as s",
    "source text, channel text, partition int, heartbeat_at bigint, accepted_at bigint, rhythm_ms bigint,"
    " lateness_ms bigint, enabled boolean",
    """on conflict (source, partition) do update set
    channel = case when excluded.channel = s.channel then s.channel else '*' end,
    heartbeat_at = case when excluded.heartbeat_at > s.heartbeat_at then excluded.heartbeat_at else s.heartbeat_at end,
    accepted_at = case when excluded.accepted_at > s.accepted_at then excluded.accepted_at else s.accepted_at end,
    enabled = case when excluded.rhythm_ms > 0 then excluded.enabled else s.enabled end,
    lateness_ms = case when excluded.rhythm_ms > 0 then excluded.lateness_ms else s.lateness_ms end,
    rhythm_ms = case when excluded.rhythm_ms > 0 then excluded.rhythm_ms else s.rhythm_ms end""",
)

_KEEP_DEAD_LETTERS = insert(
    "dead_letters",
    "letter_id text, at bigint, stage text, source text, reason text, field text, message text, event_id text,"
    " body bytea, length bigint, sha256 text, state text",
    "on conflict do nothing",
)


class SqlUpdate:
    """See `UpdateTransaction`. `alias_of` gives the customer id that a subject would name; `known` are subjects that
    committed transactions have found or made; `locked` become so when this one commits."""

    def __init__(self, session: Session, ledger: SqlLedger, alias_of: Callable[[str], str], known: set[str]) -> None:
        self._session, self._ledger, self._alias_of, self._known = session, ledger, alias_of, known
        self.locked: set[str] = set()

    async def advance(self, moves: Sequence[Move]) -> None:
        await STREAM.advance(self._session, moves)

    async def enter_ledger(self, entries: Sequence[LedgerEntry]) -> Mapping[bytes, bytes]:
        return await self._ledger.enter(self._session, entries)

    async def park(self, keys: Sequence[tuple[bytes, int]]) -> None:
        await self._ledger.park(self._session, keys)

    async def lock_subjects(self, wanted: Mapping[str, frozenset[int]]) -> dict[str, StoredSubject]:
        if not wanted:
            return {}
        subjects = sorted(wanted)
        unknown = [subject for subject in subjects if subject not in self._known]
        there = {row[0] for row in await self._session.rows(_PRESENT, unknown)} if unknown else set()
        # missing rows first: whoever inserts while it holds locks may wait for one who waits for it
        new = [subject for subject in unknown if subject not in there]
        await self._session.bulk(
            _NEW_SUBJECTS,
            [(one, self._alias_of(one), 0, 0, "[]", rows.to_json([one]), NO_HEADS) for one in new],
        )
        locked = await lock(self._session, wanted)
        if len(locked) != len(subjects):
            self._known.clear()
            raise Contended("a known subject is not there: the database is another one than before")
        self.locked.update(subjects)
        return locked

    async def save_subjects(self, changed: Sequence[StoredSubject]) -> None:
        ordered = sorted(changed, key=lambda one: one.subject)
        moved = Fenced("a subject has moved under its lock, or a newer release has written it")
        await self._session.later(_SAVE, [_subject_row(one) for one in ordered], moved)
        parts = [(one.subject, month, one.months[month]) for one in ordered for month in sorted(one.months)]
        await self._session.later(_SAVE_PARTS, parts)

    async def append_timeline(self, events: Sequence[TimelineRow]) -> None:
        await self._session.later(_APPEND_TIMELINE, events)

    async def timeline_of(self, subject: str) -> AsyncIterator[TimelineRow]:
        last: Row = _BEFORE_ALL
        while page := await self._session.rows(_TIMELINE, subject, *last, _EVENTS_AT_ONCE):
            for row in page:
                yield TimelineRow(*row)
            last = page[-1][1:4]

    async def aged_of(self, subject: str, before: int, limit: int) -> list[TimelineRow]:
        return [TimelineRow(*row) for row in await self._session.rows(_AGED, subject, before, limit)]

    async def drop_timeline(self, events: Sequence[TimelineRow]) -> None:
        await self._session.bulk(_DROP_TIMELINE, sorted(row[:4] for row in events))

    async def base_of(self, subject: str) -> BaseRow | None:
        found = await self._session.rows("select subject, fold_version, body from bases where subject = $1", subject)
        return BaseRow(*found[0]) if found else None

    async def save_base(self, base: BaseRow) -> None:
        if await self._session.run(_SAVE_BASE, *base) != 1:
            raise Fenced("a newer release has written this base")

    async def months_of(self, subject: str) -> list[int]:
        found = await self._session.rows("select month from parts where subject = $1 order by month", subject)
        return [row[0] for row in found]

    async def keep_parts(self, subject: str, months: Collection[int]) -> None:
        await self._session.run(_KEEP_PARTS, subject, sorted(months))

    async def save_personal(self, values: Mapping[str, str], told: Collection[tuple[str, str]]) -> None:
        await sql_personal.save_personal(self._session, values, told)

    async def erase_personal(self, subjects: Sequence[str], at: int) -> None:
        await sql_personal.erase_personal(self._session, subjects, at)

    async def add_links(self, links: Sequence[Link]) -> list[Link]:
        return await sql_links.add_links(self._session, links)

    async def links_around(self, subjects: Sequence[str]) -> list[Link]:
        return await sql_links.links_around(self._session, subjects)

    async def memberships_of(self, subjects: Sequence[str]) -> list[Membership]:
        return await sql_links.memberships_of(self._session, subjects)

    async def replace_memberships(self, subjects: Sequence[str], memberships: Sequence[Membership]) -> None:
        await sql_links.replace_memberships(self._session, subjects, memberships)

    async def record(self, decisions: Sequence[Decision]) -> None:
        await record(self._session, decisions)

    async def mark(self, marks: Sequence[Mark]) -> None:
        await leave_marks(self._session, marks)

    async def mark_customers_of(self, manager_id: str) -> None:
        owned = await self._session.rows(_CARED_FOR, manager_id)
        await leave_marks(self._session, [Mark(row[0], 0) for row in owned])

    async def put_staff(self, manager_id: str, record: Mapping[str, Any]) -> None:
        await self._session.run(_PUT_STAFF, manager_id, rows.to_json(record))

    async def note_sources(self, seen: Sequence[SourceSeen]) -> None:
        await self._session.later(_NOTE_SOURCES, sorted(map(tuple, seen)))

    async def keep_dead_letters(self, letters: Sequence[StoredDeadLetter]) -> None:
        await self._session.bulk(_KEEP_DEAD_LETTERS, [msgspec.structs.astuple(one) for one in letters])

    async def send(self, lanes: Mapping[str, Sequence[OutboxMessage]], now: int) -> None:
        await STREAM.send(self._session, lanes, now)


def _subject_row(one: StoredSubject) -> tuple[Any, ...]:
    cuts, roots = rows.to_json(one.cuts), rows.to_json(one.roots)
    return one.subject, one.version, one.fold_version, cuts, roots, one.heads
