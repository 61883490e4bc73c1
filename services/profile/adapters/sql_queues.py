"""Marks, due times, leases and outbox lanes in SQL: what waits, and who may take it."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from services.clock import LONGEST_LEASE_MS
from services.failures import Fenced
from services.profile.adapters import rows
from services.profile.adapters.every_store.marks import ROWS_A_ROOT, oldest_of
from services.profile.adapters.low_water import Look, LowWater
from services.profile.domain.customers.summary import DueTime
from services.profile.domain.shards import fair_share, shard_of
from services.profile.ports.records import Mark, Shard
from services.sql.session import Bulk, Session, insert, now_ms
from services.sql.skip_scan import skip_scan
from services.sql.stream import SqlStream

STREAM = SqlStream()
MARKS_OF_A_ROOT = 20_000
"""Taken at once; a hotter one is taken again after its rest."""

# Of a queue that fills and empties the planner knows no size, and it keeps a plan of the time when the queue was empty
# and all its indexes looked alike. Hence ranges of whole keys, which only one index has, and no joins
_OF_SHARD = "(m.shard, m.n) >= (s.shard, {low}) and (m.shard, m.n) < (s.shard + 1, 0)"
_OF_ROOT = f"(m.root, m.n) >= (c.root, $5) and (m.root, m.n) <= (c.root, {2**63 - 1})"
# the roots that have waited longest, each with all its marks, however far behind the others stand: a refresh has seen
# what all of them stand for. A mark, which nobody ever changes, is deleted where it lies
_TAKE_MARKS = {
    "postgresql": f"""
        with oldest as (
            select m.n, m.root from unnest($1::int[]) s (shard) cross join lateral (
                select m.n, m.root from marks m
                where {_OF_SHARD.format(low="$5")} and m.root not in (select unnest($4::text[])){{only}}
                order by m.shard, m.n limit $3) m
            order by m.n limit $3),
        chosen as (select root from oldest group by root order by min(n) limit $2)
        delete from marks where ctid = any(array(
            select m.place from chosen c cross join lateral (
                select m.ctid as place from marks m where {_OF_ROOT} limit {MARKS_OF_A_ROOT}) m))
        returning root, accepted_at, urgent_at""",  # noqa: S608 - constants
    "sqlite": """
        with oldest as (
            select n, root from marks m
            where shard = any($1::int[]) and n >= $5 and root not in (select unnest($4::text[])){only}
            order by n limit $3),
        chosen as (select root from oldest group by root order by min(n) limit $2)
        delete from marks where n in (select m.n from chosen c join marks m on m.root = c.root)
        returning root, accepted_at, urgent_at""",
}
_ONLY_URGENT = " and m.urgent_at > 0"
_LEAVE = insert("marks", "shard int, root text, accepted_at bigint, urgent_at bigint, aside boolean")
# the transaction has its id before it draws a number: `LowWater` asks who was writing when a number was drawn
_LEAVE_MARKS = Bulk(f"{_LEAVE.postgresql} where pg_current_xact_id() is not null", _LEAVE.sqlite)
_MARKS_WAITING = f"""
select s.shard, (select count(*) from (
    select 1 from marks m
    where {_OF_SHARD.format(low="$3")} and m.root not in (select unnest($1::text[])){{only}}
    order by m.shard, m.n limit $2) counted){{look}}
from shards s"""  # noqa: S608 - constants
_LOOK = f""", (select m.n from marks m where {_OF_SHARD.format(low="$3")} order by m.shard, m.n limit 1),
    pg_sequence_last_value(pg_get_serial_sequence('marks', 'n')),
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint"""  # noqa: S608 - constants
_FENCE = Bulk(
    """update shards s set fence = s.fence + 1
    from unnest($1::int[], $2::text[], $3::bigint[]) as held(shard, owner, fence)
    where s.shard = held.shard and s.owner = held.owner and s.fence = held.fence""",
    "update shards set fence = fence + 1 where shard = ? and owner = ? and fence = ?",
)
_ALIVE = """
insert into workers (worker, seen_at) values ($1, $2) on conflict (worker) do update set seen_at = excluded.seen_at"""
_GONE = "delete from workers where seen_at not between $1 and $2"
_FORGET = "delete from workers where worker = $1"
_WORKERS = "select count(*) from workers"
_RENEW = "update shards set leased_until = $2 where owner = $1"
_HELD = "select shard, fence from shards where owner = $1 order by shard"
_GIVE_BACK = "update shards set owner = null, leased_until = 0 where owner = $1 and shard = any($2::int[])"
_TAKE = """
update shards set owner = $1, fence = fence + 1, leased_until = $3 where shard in (
    select shard from shards where owner is null or leased_until not between $2 and $5
    order by shard limit $4 for update skip locked)"""
_RELEASE = "update shards set owner = null, leased_until = 0 where owner = $1"
# there are a handful of them, and a due time for every customer
_SOURCE_SETS = skip_scan("sources", "due", "grain = $1")
_NEXT_DUE = "select min(at) from due where grain = $1 and at > $2"
# a due time, which nobody ever changes, is deleted where it lies, too
_FIRE = {
    "postgresql": """
        delete from due where ctid = any(array(
            select ctid from due where grain = $1 and sources = $2 and at <= $3 order by at limit $4
            for update skip locked))
        returning lead""",
    "sqlite": """
        delete from due where (lead, at, kind) in (
            select lead, at, kind from due where grain = $1 and sources = $2 and at <= $3 order by at limit $4)
        returning lead""",
}
_DUE = "select lead, at, kind, grain, sources from due where lead = any($1::text[])"
_DROP_DUE = "delete from due where lead = any($1::text[])"
_SAVE_DUE = insert("due", "lead text, at bigint, kind text, grain text, sources text", "on conflict do nothing")


async def leave_marks(session: Session, marks: Sequence[Mark], *, aside: bool = False) -> None:
    left = [(shard_of(mark.root), mark.root, mark.accepted_at, mark.urgent_at, aside) for mark in marks]
    await session.later(_LEAVE_MARKS, left)


async def marks_waiting(
    session: Session, resting: Sequence[str], most: int, low: LowWater, *, urgent: bool
) -> dict[int, int]:
    """Learns what the queue looks like, where what was taken from it may lie around."""
    is_kept = session.dialect == "postgresql"
    counting = _MARKS_WAITING.format(only=_ONLY_URGENT if urgent else "", look=_LOOK if is_kept else "")
    found = await session.rows(counting, list(resting), most, low.number)
    if is_kept:
        drawn, *transactions = found[0][3:]
        low.learn(Look(min((row[2] for row in found if row[2]), default=None), drawn or 0, *transactions))
    return {row[0]: row[1] for row in found if row[1]}


async def take_marks(
    session: Session, shards: Sequence[int], limit: int, resting: Sequence[str], low: LowWater, *, urgent: bool
) -> list[Mark]:
    taking = _TAKE_MARKS[session.dialect].format(only=_ONLY_URGENT if urgent else "")
    taken = await session.rows(taking, list(shards), limit, limit * ROWS_A_ROOT, list(resting), low.number)
    return oldest_of(Mark(*row) for row in taken)


async def fence(session: Session, shards: Sequence[Shard]) -> list[Shard]:
    if await session.bulk(_FENCE, shards) != len(shards):
        raise Fenced(f"one of the shards {[one.shard for one in shards]} has another owner")
    return [shard._replace(fence=shard.fence + 1) for shard in shards]


async def lease(session: Session, owner: str, ttl_ms: int) -> list[Shard]:
    now = await now_ms(session)
    await session.run(_ALIVE, owner, now)
    await session.run(_GONE, now - ttl_ms, now + ttl_ms)
    most = fair_share((await session.rows(_WORKERS))[0][0])
    await session.run(_RENEW, owner, now + ttl_ms)
    held = [row[0] for row in await session.rows(_HELD, owner)]
    if held[most:]:
        await session.run(_GIVE_BACK, owner, held[most:])
    if len(held) < most:
        await session.run(_TAKE, owner, now, now + ttl_ms, most - len(held), now + LONGEST_LEASE_MS)
    return [Shard(row[0], owner, row[1]) for row in await session.rows(_HELD, owner)]


async def release(session: Session, owner: str) -> None:
    await session.run(_RELEASE, owner)
    await session.run(_FORGET, owner)


@lru_cache(256)
def _sources(names: Sequence[str]) -> str:
    return rows.to_json(sorted(set(names)))


async def replace_due(session: Session, due: Mapping[str, Sequence[DueTime]]) -> None:
    """Most are the same all day long: only what differs is written."""
    if not due:
        return
    stored: dict[str, set[tuple[object, ...]]] = {}
    for row in await session.rows(_DUE, sorted(due)):
        stored.setdefault(row[0], set()).add(tuple(row))
    told = {
        lead: {(lead, one.at, one.kind, one.grain, _sources(one.sources)) for one in times}
        for lead, times in due.items()
    }
    moved = sorted(lead for lead, times in told.items() if times != stored.get(lead, set()))
    if moved:
        await session.run(_DROP_DUE, moved)
        await session.bulk(_SAVE_DUE, [one for lead in moved for one in sorted(told[lead])])


async def fire_due(session: Session, now: int, grain: str, complete: Mapping[str, int], limit: int) -> int:
    leads: list[str] = []
    for (sources,) in await session.rows(_SOURCE_SETS, grain):
        # a source that nobody speaks for holds its due times back
        until = min([now, *(complete.get(source, -1) for source in rows.strings(sources))])
        if len(leads) < limit:
            firing = _FIRE[session.dialect]
            leads += [row[0] for row in await session.rows(firing, grain, sources, until, limit - len(leads))]
    await leave_marks(session, [Mark(lead, 0) for lead in sorted(set(leads))])
    return len(leads)


async def next_due(session: Session, grain: str, after: int) -> int | None:
    [(at,)] = await session.rows(_NEXT_DUE, grain, after)
    return None if at is None else int(at)
