"""The profile's store on SQLite or PostgreSQL."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

from services.clock import LONGEST_LEASE_MS
from services.profile.adapters import sql_personal, sql_queues
from services.profile.adapters.every_store.decisions import marked_by, refuse_half_clusters
from services.profile.adapters.low_water import LowWater
from services.profile.adapters.sql_customers import clusters_of
from services.profile.adapters.sql_decisions import record
from services.profile.adapters.sql_ledger import SqlLedger
from services.profile.adapters.sql_links import memberships_of
from services.profile.adapters.sql_queues import STREAM
from services.profile.adapters.sql_reader import SqlReader
from services.profile.adapters.sql_refresh import SqlRefresh
from services.profile.adapters.sql_staff import KnownStaff
from services.profile.adapters.sql_update import SqlUpdate
from services.profile.domain.identity.links import Cluster
from services.profile.ports.reading import EVERY
from services.profile.ports.records import Decision, Mark, Shard
from services.sql.database import Database
from services.sql.portions import run_in_portions
from services.sql.session import Bulk, Session, insert, now_ms, read, reading, writing
from services.sql.stream import SqlOutbox, SqlPositions

_REPLAYED = "update dead_letters set state = 'replayed' where letter_id = $1 and state = 'open'"
LETTERS_AT_ONCE = 5_000
_DROP_LETTERS = """
delete from dead_letters where letter_id in (
    select letter_id from dead_letters where state = $1 and at < $2 order by at limit {limit})"""
_DROP_PLACEMENTS = Bulk(
    "delete from placements p using unnest($1::text[], $2::bigint[]) u(lead, at) where p.lead = u.lead and p.at = u.at",
    "delete from placements where lead = ?1 and at = ?2",
)
_LEASEHOLDERS = "select distinct owner from shards where leased_until between $1 and $2 order by owner"
_ASIDE = "select count(distinct root) from marks where aside"
_DISSOLVE = "delete from clusters where root = any($1::text[])"
_MERGE = insert("clusters", "root text, lead text", "on conflict (root) do update set lead = excluded.lead")
_CLUSTER_LOCK = 0x636C7573
_KNOWN_AT_MOST = 200_000
"""Subjects remembered to have a row: so many names fit into a few dozen megabytes."""


class SqlProfileStore(SqlReader, SqlPositions, SqlOutbox):
    """See `ProfileStore` and `ProfileReader`. `alias_of` gives the customer id that a subject would name."""

    _stream = STREAM

    def __init__(self, database: Database, alias_of: Callable[[str], str]) -> None:
        super().__init__(database)
        self._alias_of, self._ledger = alias_of, SqlLedger(database)
        self._known: set[str] = set()
        self._low, self._staff = LowWater(), KnownStaff()

    @asynccontextmanager
    async def updating(self) -> AsyncIterator[SqlUpdate]:
        async with writing(self._database) as session:
            update = SqlUpdate(session, self._ledger, self._alias_of, self._known)
            yield update
        if len(self._known) > _KNOWN_AT_MOST:
            self._known.clear()
        self._known |= update.locked

    @asynccontextmanager
    async def refreshing(self) -> AsyncIterator[SqlRefresh]:
        async with writing(self._database) as session:
            yield SqlRefresh(session, self._low, self._staff)

    async def lease(self, owner: str, ttl_ms: int) -> list[Shard]:
        async with writing(self._database) as session:
            return await sql_queues.lease(session, owner, ttl_ms)

    async def release(self, owner: str) -> None:
        async with writing(self._database) as session:
            await sql_queues.release(session, owner)

    async def leaseholders(self) -> list[str]:
        async with reading(self._database) as session:
            now = await now_ms(session)
            return [row[0] for row in await session.rows(_LEASEHOLDERS, now, now + LONGEST_LEASE_MS)]

    async def marks_waiting(
        self, resting: Sequence[str] = (), most: int = EVERY, *, urgent: bool = False
    ) -> dict[int, int]:
        async with reading(self._database) as session:
            return await sql_queues.marks_waiting(session, resting, most, self._low, urgent=urgent)

    async def count_aside(self) -> int:
        return int((await read(self._database, _ASIDE))[0][0])

    async def fire_due(self, now: int, grain: str, complete: Mapping[str, int], limit: int) -> int:
        async with writing(self._database) as session:
            return await sql_queues.fire_due(session, now, grain, complete, limit)

    async def next_due(self, grain: str, after: int = -1) -> int | None:
        async with reading(self._database) as session:
            return await sql_queues.next_due(session, grain, after)

    async def decide(self, decision: Decision, clusters: Sequence[Cluster], dissolved: Sequence[str]) -> None:
        async with writing(self._database) as session:
            if session.dialect == "postgresql":  # SQLite's one writer is this transaction
                await session.rows(f"select pg_advisory_xact_lock({_CLUSTER_LOCK})")
            if not await record(session, [decision]):
                return  # told twice
            await self._regroup(session, decision, clusters, dissolved)

    async def _regroup(
        self, session: Session, decision: Decision, clusters: Sequence[Cluster], dissolved: Sequence[str]
    ) -> None:
        roots = sorted({root for cluster in clusters for root in cluster.roots})
        stood = await clusters_of(session, sorted({*roots, *dissolved}))
        refuse_half_clusters(stood.values(), roots, dissolved)
        gone = sorted({root for lead in dissolved for root in (stood[lead].roots if lead in stood else ())})
        await session.run(_DISSOLVE, gone)
        await session.bulk(_MERGE, sorted((root, one.lead) for one in clusters for root in one.roots))
        concerned = sorted({*decision.subjects, *roots, *gone})
        marked = marked_by(concerned, await memberships_of(session, concerned), [*roots, *gone])
        await sql_queues.leave_marks(session, [Mark(root, 0) for root in marked])

    async def drop_letters(self, state: str, before: int) -> int:
        return await run_in_portions(self._database, _DROP_LETTERS, LETTERS_AT_ONCE, state, before)

    async def drop_placements(self, places: Sequence[tuple[str, int]]) -> None:
        async with writing(self._database) as session:
            await session.bulk(_DROP_PLACEMENTS, places)

    async def forget_letters(self, subjects: Collection[str]) -> None:
        await sql_personal.forget_letters(self._database, subjects)

    async def mark_letter_replayed(self, letter_id: str) -> bool:
        async with writing(self._database) as session:
            return await session.run(_REPLAYED, letter_id) == 1

    async def ledger_days(self) -> list[int]:
        return await self._ledger.days()

    async def drop_ledgers(self, before_day: int) -> list[int]:
        return await self._ledger.drop(before_day)
