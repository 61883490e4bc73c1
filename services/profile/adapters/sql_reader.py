"""What readers ask of the SQL stores: indexed reads, never a lock."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from services.profile.adapters import rows
from services.profile.adapters.every_store.roots import with_roots
from services.profile.adapters.sql_counting import counted
from services.profile.adapters.sql_customers import clusters_of
from services.profile.adapters.sql_look import LEADS, WAITS, SqlLook
from services.profile.adapters.sql_personal import ERASED
from services.profile.adapters.sql_timeline import PAGE, timeline
from services.profile.domain.customers.freshness import SourceSeen
from services.profile.domain.identity.links import Cluster, Link, Membership
from services.profile.ports.reading import COUNTED, EVERY, Called, Cursor, TimelineFilter
from services.profile.ports.records import (
    LIVE,
    BaseRow,
    Decision,
    Placement,
    StoredDeadLetter,
    StoredView,
    TimelineRow,
)
from services.sql.database import Database
from services.sql.session import Row, read, reading

_VIEW = f"select {rows.VIEW} from views where customer_id = $1"  # noqa: S608 - constants
_CALLED = f"""
select customer_id, lead, name_ref, state = '{LIVE}' from views where customer_id = any($1::text[])"""  # noqa: S608 - constants
_CUSTOMERS_OF = f"""
with {LEADS.format(me="select $1")}
select coalesce(v.customer_id, s.alias) from leads l
left join views v on v.lead = l.lead left join subjects s on s.subject = l.lead
where v.state = 'live' or {WAITS} order by 1"""  # noqa: S608 - constants
_PERSONAL = "select ref, value from personal where ref = any($1::text[])"
_PERSONAL_OF = f"""
{_PERSONAL} and exists (
    select 1 from personal_subjects t where t.ref = personal.ref and t.subject = any($2::text[]))"""  # noqa: S608 - constants
_MEMBERSHIPS = """
select root, subject, role, from_at, until_at from memberships
where root = any($1::text[]) or subject = any($1::text[])"""
_LINKS = f"""
select {rows.LINK} from links where subject = any($1::text[]) order by subject, target, role"""  # noqa: S608 - constants
_DECISION = f"select {rows.DECISION} from decisions where decision_id = $1"  # noqa: S608 - constants
_DECISIONS = f"""
select {rows.DECISION} from decisions where decision_id in (
    select decision_id from decision_subjects where subject = any($1::text[])) order by at, decision_id"""  # noqa: S608 - constants
_TAKEN = f"""
select {rows.DECISION} from decisions where kind <> 'review' and at < $1
order by at, decision_id"""  # noqa: S608 - constants
_PLACEMENTS = """
select lead, at, decided from placements where (lead, at) > ($1, $2) order by lead, at limit $3"""
_BASES = "select subject, fold_version, body from bases where subject > $1 order by subject limit $2"
_ALL_LINKS = f"""
select {rows.LINK} from links where (subject, target, role) > ($1, $2, $3)
order by subject, target, role limit $4"""  # noqa: S608 - constants
_LINKS_TO = f"""
select {rows.LINK} from links where target = any($1::text[]) order by subject, target, role"""  # noqa: S608 - constants
_TOLD_OF = """
select distinct subject from personal_subjects where ref = $1 and subject like 'party:%' order by subject limit $2"""
_REVIEWS = f"""
select {rows.DECISION} from decisions d where d.kind = 'review'
and not exists (select 1 from decisions u where u.undoes = d.decision_id)
order by d.at, d.decision_id limit $1"""  # noqa: S608 - constants
_DEAD_LETTERS = f"""
select {rows.DEAD_LETTER} from dead_letters
where state = $2{{narrowed}} order by at desc, letter_id limit $1"""  # noqa: S608 - constants
_DEAD_LETTER = f"select {rows.DEAD_LETTER} from dead_letters where letter_id = $1"  # noqa: S608 - constants
_SOURCES_SEEN = """
select source, channel, partition, heartbeat_at, accepted_at, rhythm_ms, lateness_ms, enabled
from sources_seen order by 1, 3"""
_BEHIND = "fold_version > 0 and fold_version < $1"
COUNT_BEHIND = f"select count(*) from (select 1 from subjects where {_BEHIND} limit $2) b"  # noqa: S608 - constants
# the number of rows as it is: for one that it does not know PostgreSQL goes through all subjects, timeline and parts
PAGE_BEHIND = f"""
select subject, {_BEHIND}
from (select subject, fold_version from subjects where subject > $2 order by subject limit {{limit}}) s
order by subject"""  # noqa: S608 - constants
PAGE_TO_AGE = """
select s.subject,
       exists (select 1 from timeline t where t.subject = s.subject and t.occurred_at < $2 and t.accepted_at < $2)
       or exists (select 1 from parts p where p.subject = s.subject and p.month < $3)
from (select subject from subjects where subject > $1 order by subject limit {limit}) s order by s.subject"""


class SqlReader:
    """See `ProfileReader`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def _rows(self, sql: str, *arguments: Any) -> Sequence[Row]:
        return await read(self._database, sql, *arguments)

    @asynccontextmanager
    async def customers(self) -> AsyncIterator[SqlLook]:
        async with reading(self._database) as session:
            yield SqlLook(session)

    async def view(self, customer_id: str) -> StoredView | None:
        found = await self._rows(_VIEW, customer_id)
        return StoredView(*found[0]) if found else None

    async def called(self, customer_ids: Sequence[str]) -> list[Called]:
        found = await self._rows(_CALLED, list(customer_ids))
        return [Called(row[0], row[1], row[2], bool(row[3])) for row in found]

    async def customers_of(self, subject: str) -> list[str]:
        return [row[0] for row in await self._rows(_CUSTOMERS_OF, subject)]

    async def parties_told(self, ref: str, limit: int) -> list[str]:
        return [row[0] for row in await self._rows(_TOLD_OF, ref, limit)]

    async def personal(self, refs: Sequence[str], told_of: Sequence[str] | None = None) -> Mapping[str, str]:
        asked = (
            self._rows(_PERSONAL, list(refs))
            if told_of is None
            else self._rows(_PERSONAL_OF, list(refs), list(told_of))
        )
        return {row[0]: row[1] for row in await asked}

    async def erased(self, subjects: Sequence[str]) -> Mapping[str, int]:
        return {row[0]: row[1] for row in await self._rows(ERASED, list(subjects))}

    async def timeline(
        self, spans: Sequence[tuple[str, int, int]], before: Cursor | None, where: TimelineFilter, limit: int
    ) -> list[TimelineRow]:
        async with reading(self._database) as session:
            return await timeline(session, spans, before, where, limit)

    async def timeline_page(self, after: tuple[str, int, int, bytes], limit: int) -> list[TimelineRow]:
        return [TimelineRow(*row) for row in await self._rows(PAGE, *after, limit)]

    async def memberships(self, roots: Sequence[str]) -> list[Membership]:
        return with_roots([Membership(*row) for row in await self._rows(_MEMBERSHIPS, list(roots))], roots)

    async def links(self, subjects: Sequence[str]) -> list[Link]:
        return [rows.link_of(row) for row in await self._rows(_LINKS, list(subjects))]

    async def links_to(self, targets: Sequence[str]) -> list[Link]:
        return [rows.link_of(row) for row in await self._rows(_LINKS_TO, list(targets))]

    async def decision(self, decision_id: str) -> Decision | None:
        found = await self._rows(_DECISION, decision_id)
        return rows.decision_of(found[0]) if found else None

    async def decisions_on(self, subjects: Sequence[str]) -> list[Decision]:
        return [rows.decision_of(row) for row in await self._rows(_DECISIONS, list(subjects))]

    async def decisions_taken(self, until: int) -> list[Decision]:
        return [rows.decision_of(row) for row in await self._rows(_TAKEN, until)]

    async def placements_page(self, after: tuple[str, int], limit: int) -> list[Placement]:
        return [Placement(*row) for row in await self._rows(_PLACEMENTS, *after, limit)]

    async def bases_page(self, after: str, limit: int) -> list[BaseRow]:
        return [BaseRow(*row) for row in await self._rows(_BASES, after, limit)]

    async def links_page(self, after: tuple[str, str, str], limit: int) -> list[Link]:
        return [rows.link_of(row) for row in await self._rows(_ALL_LINKS, *after, limit)]

    async def cluster(self, root: str) -> Cluster | None:
        async with reading(self._database) as session:
            return (await clusters_of(session, [root])).get(root)

    async def reviews(self, limit: int) -> list[Decision]:
        return [rows.decision_of(row) for row in await self._rows(_REVIEWS, limit)]

    async def dead_letters(
        self, limit: int, state: str, reason: str | None = None, source: str | None = None
    ) -> list[StoredDeadLetter]:
        asked = {name: value for name, value in (("reason", reason), ("source", source)) if value is not None}
        narrowed = "".join(f" and {name} = ${place}" for place, name in enumerate(asked, 3))
        sql, given = _DEAD_LETTERS.format(narrowed=narrowed), (limit, state, *asked.values())
        if not asked:
            return [StoredDeadLetter(*row) for row in await self._rows(sql, *given)]
        async with self._database.unhurried() as database:  # few of a million may be meant, and all are looked at
            return [StoredDeadLetter(*row) for row in await read(database, sql, *given)]

    async def dead_letter(self, letter_id: str) -> StoredDeadLetter | None:
        found = await self._rows(_DEAD_LETTER, letter_id)
        return StoredDeadLetter(*found[0]) if found else None

    async def sources_seen(self) -> list[SourceSeen]:
        return [SourceSeen._make((*row[:-1], bool(row[-1]))) for row in await self._rows(_SOURCES_SEEN)]

    async def page_behind(self, after: str, fold_version: int, limit: int) -> tuple[list[str], str | None]:
        page = await self._rows(PAGE_BEHIND.format(limit=limit), fold_version, after)
        return [row[0] for row in page if row[1]], page[-1][0] if page else None

    async def page_to_age(self, after: str, before: int, month: int, limit: int) -> tuple[list[str], str | None]:
        page = await self._rows(PAGE_TO_AGE.format(limit=limit), after, before, month)
        return [row[0] for row in page if row[1]], page[-1][0] if page else None

    async def count_behind(self, fold_version: int, most: int = EVERY) -> int:
        count: int = (await self._rows(COUNT_BEHIND, fold_version, most))[0][0]
        return count

    async def newest_fold(self) -> int:
        newest: int = (await self._rows("select coalesce(max(fold_version), 0) from subjects"))[0][0]
        return newest

    async def counts(self, of: Sequence[str] = COUNTED) -> dict[str, int]:
        return await counted(self._rows, self._database.dialect, of)
