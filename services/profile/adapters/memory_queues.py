"""Marks, due times and leases in memory."""

from collections.abc import Mapping, Sequence

from schemas.instants import HOUR_MS
from services.clock import LONGEST_LEASE_MS, SystemClock
from services.failures import Fenced
from services.profile.adapters.every_store.marks import ROWS_A_ROOT, oldest_of
from services.profile.adapters.memory_tables import DueRow, MarkRow, Tables, WorkerRow
from services.profile.domain.customers.summary import DueTime
from services.profile.domain.shards import fair_share, shard_of
from services.profile.ports.records import Mark, Shard


def leave_marks(tables: Tables, marks: Sequence[Mark], *, aside: bool = False) -> None:
    for mark in marks:
        tables.last_mark += 1
        tables.marks.put(MarkRow(shard_of(mark.root), tables.last_mark, mark, aside))


def take_marks(
    tables: Tables, shards: Sequence[int], limit: int, resting: Sequence[str], *, urgent: bool
) -> list[Mark]:
    awake = [row for row in tables.marks.by("shard", shards) if row.mark.root not in resting]
    ready = [row for row in awake if row.mark.urgent_at or not urgent]
    oldest = sorted(ready, key=lambda row: row.n)[: limit * ROWS_A_ROOT]
    chosen = list(dict.fromkeys(row.mark.root for row in oldest))[:limit]
    taken = tables.marks.by("mark.root", chosen)
    tables.marks.drop(taken)
    return oldest_of([row.mark for row in taken])


def fence(tables: Tables, shards: Sequence[Shard]) -> list[Shard]:
    for shard in shards:
        row = tables.shards.get(shard.shard)
        if row is None or (row.owner, row.fence) != (shard.owner, shard.fence):
            raise Fenced(f"shard {shard.shard} has another owner")
        tables.shards.put(row._replace(fence=row.fence + 1))
    return [shard._replace(fence=shard.fence + 1) for shard in shards]


def lease(tables: Tables, owner: str, ttl_ms: int) -> list[Shard]:
    now = SystemClock().now_ms()
    tables.workers.put(WorkerRow(owner, now))
    tables.workers.drop(row for row in tables.workers.rows() if abs(row.seen_at - now) > ttl_ms)
    most = fair_share(len(tables.workers))
    held = sorted(row for row in tables.shards.rows() if row.owner == owner)
    for row in held[most:]:
        tables.shards.put(row._replace(owner=None, leased_until=0))
    for row in held[:most]:
        tables.shards.put(row._replace(leased_until=now + ttl_ms))
    free = sorted(row for row in tables.shards.rows() if row.owner is None or row.leased_until not in _lasting(now))
    for row in free[: max(most - len(held), 0)]:
        tables.shards.put(row._replace(owner=owner, fence=row.fence + 1, leased_until=now + ttl_ms))
    return [Shard(row.shard, owner, row.fence) for row in sorted(tables.shards.rows()) if row.owner == owner]


def leaseholders(tables: Tables) -> list[str]:
    lasting = _lasting(SystemClock().now_ms())
    return sorted({row.owner for row in tables.shards.rows() if row.owner and row.leased_until in lasting})


def _lasting(now: int) -> range:
    return range(now, now + LONGEST_LEASE_MS + 1)


def release(tables: Tables, owner: str) -> None:
    for row in tables.shards.rows():
        if row.owner == owner:
            tables.shards.put(row._replace(owner=None, leased_until=0))
    tables.workers.drop(row for row in tables.workers.rows() if row.worker == owner)


def replace_due(tables: Tables, due: Mapping[str, Sequence[DueTime]]) -> None:
    tables.due.drop(tables.due.by("lead", due))
    for lead, times in due.items():
        for one in times:
            tables.due.put(DueRow(lead, one.at, one.kind, one.grain, one.sources))


def fire_due(tables: Tables, now: int, grain: str, complete: Mapping[str, int], limit: int) -> int:
    hours = [hour for hour in tables.due.values("hour") if hour <= now // HOUR_MS]
    ripe = [
        row
        for row in sorted(tables.due.by("hour", hours), key=lambda row: (row.at, row.lead))
        # a source that nobody speaks for holds its due times back
        if row.grain == grain and row.at <= min([now, *(complete.get(source, -1) for source in row.sources)])
    ][:limit]
    tables.due.drop(ripe)
    leave_marks(tables, [Mark(lead, 0) for lead in sorted({row.lead for row in ripe})])
    return len(ripe)


def next_due(tables: Tables, grain: str, after: int) -> int | None:
    for hour in sorted(hour for hour in tables.due.values("hour") if hour >= after // HOUR_MS):
        if times := [row.at for row in tables.due.by("hour", [hour]) if row.grain == grain and row.at > after]:
            return min(times)
    return None
