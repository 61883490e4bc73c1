"""The profile's store in the memory of one process: for trying out, and for tests of everything above it."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec

from services.memory.stream import MemoryStreamStore
from services.profile.adapters import memory_personal, memory_queues
from services.profile.adapters.every_store.decisions import marked_by, refuse_half_clusters
from services.profile.adapters.memory_customers import clusters_of
from services.profile.adapters.memory_reader import MemoryReader
from services.profile.adapters.memory_refresh import MemoryRefresh
from services.profile.adapters.memory_tables import ClusterRow, Tables
from services.profile.adapters.memory_update import MemoryUpdate
from services.profile.domain.identity.links import Cluster
from services.profile.domain.shards import SHARDS, shard_of
from services.profile.ports.reading import EVERY
from services.profile.ports.records import Decision, Mark, Shard


class MemoryProfileStore(MemoryReader, MemoryStreamStore):
    """See `ProfileStore` and `ProfileReader`. `alias_of` gives the customer id that a subject would name."""

    _tables: Tables

    def __init__(self, alias_of: Callable[[str], str]) -> None:
        super().__init__(Tables(SHARDS))
        self._alias_of = alias_of

    @asynccontextmanager
    async def updating(self) -> AsyncIterator[MemoryUpdate]:
        async with self._tables.turn() as tables:
            yield MemoryUpdate(tables, self._alias_of)

    @asynccontextmanager
    async def refreshing(self) -> AsyncIterator[MemoryRefresh]:
        async with self._tables.turn() as tables:
            yield MemoryRefresh(tables)

    async def lease(self, owner: str, ttl_ms: int) -> list[Shard]:
        async with self._tables.turn() as tables:
            return memory_queues.lease(tables, owner, ttl_ms)

    async def release(self, owner: str) -> None:
        async with self._tables.turn() as tables:
            memory_queues.release(tables, owner)

    async def leaseholders(self) -> list[str]:
        async with self._tables.turn() as tables:
            return memory_queues.leaseholders(tables)

    async def marks_waiting(
        self, resting: Sequence[str] = (), most: int = EVERY, *, urgent: bool = False
    ) -> dict[int, int]:
        async with self._tables.turn() as tables:
            waiting = [row.mark for row in tables.marks.rows() if row.mark.root not in resting]
            counted = Counter(shard_of(mark.root) for mark in waiting if mark.urgent_at or not urgent)
            return {shard: min(marks, most) for shard, marks in counted.items()}

    async def count_aside(self) -> int:
        async with self._tables.turn() as tables:
            return len({row.mark.root for row in tables.marks.rows() if row.aside})

    async def fire_due(self, now: int, grain: str, complete: Mapping[str, int], limit: int) -> int:
        async with self._tables.turn() as tables:
            return memory_queues.fire_due(tables, now, grain, complete, limit)

    async def next_due(self, grain: str, after: int = -1) -> int | None:
        async with self._tables.turn() as tables:
            return memory_queues.next_due(tables, grain, after)

    async def decide(self, decision: Decision, clusters: Sequence[Cluster], dissolved: Sequence[str]) -> None:
        async with self._tables.turn() as tables:
            if tables.decisions.get(decision.decision_id) is not None:
                return  # told twice
            tables.decisions.put(decision)
            roots = [root for cluster in clusters for root in cluster.roots]
            stood = clusters_of(tables, sorted({*roots, *dissolved}))
            refuse_half_clusters(stood.values(), roots, dissolved)
            gone = sorted({root for lead in dissolved for root in (stood[lead].roots if lead in stood else ())})
            tables.clusters.drop(row for root in gone if (row := tables.clusters.get(root)) is not None)
            for cluster in clusters:
                for root in cluster.roots:
                    tables.clusters.put(ClusterRow(root, cluster.lead))
            concerned = sorted({*decision.subjects, *roots, *gone})
            marked = marked_by(concerned, tables.memberships.by("subject", concerned), [*roots, *gone])
            memory_queues.leave_marks(tables, [Mark(root, 0) for root in marked])

    async def drop_letters(self, state: str, before: int) -> int:
        async with self._tables.turn() as tables:
            old = [row for row in tables.dead_letters.rows() if row.state == state and row.at < before]
            tables.dead_letters.drop(old)
            return len(old)

    async def drop_placements(self, places: Sequence[tuple[str, int]]) -> None:
        async with self._tables.turn() as tables:
            tables.placements.drop([row for place in places if (row := tables.placements.get(place)) is not None])

    async def forget_letters(self, subjects: Collection[str]) -> None:
        async with self._tables.turn() as tables:
            memory_personal.forget_letters(tables, subjects)

    async def mark_letter_replayed(self, letter_id: str) -> bool:
        async with self._tables.turn() as tables:
            letter = tables.dead_letters.get(letter_id)
            if letter is None or letter.state != "open":
                return False
            tables.dead_letters.put(msgspec.structs.replace(letter, state="replayed"))
            return True

    async def ledger_days(self) -> list[int]:
        async with self._tables.turn() as tables:
            return sorted({row.day for row in tables.ledger.rows()})

    async def drop_ledgers(self, before_day: int) -> list[int]:
        dropped = [day for day in await self.ledger_days() if day < before_day]
        async with self._tables.turn() as tables:
            tables.ledger.drop(tables.ledger.by("day", dropped))
        return dropped
