"""One shard's refresh in memory."""

from collections.abc import Mapping, Sequence
from copy import copy

import msgspec

from services.failures import Contended
from services.outbox import OutboxMessage
from services.profile.adapters import memory_personal, memory_queues
from services.profile.adapters.memory_customers import MemoryCustomers
from services.profile.domain.customers.summary import DueTime
from services.profile.ports.records import Mark, Placement, Shard, StoredView


class MemoryRefresh(MemoryCustomers):
    """See `RefreshTransaction`."""

    async def fence(self, shards: Sequence[Shard]) -> list[Shard]:
        return memory_queues.fence(self._tables, shards)

    async def take_marks(
        self, shards: Sequence[int], limit: int, resting: Sequence[str] = (), *, urgent: bool = False
    ) -> list[Mark]:
        return memory_queues.take_marks(self._tables, shards, limit, resting, urgent=urgent)

    async def mark(self, marks: Sequence[Mark]) -> None:
        memory_queues.leave_marks(self._tables, marks)

    async def set_aside(self, marks: Sequence[Mark]) -> None:
        memory_queues.leave_marks(self._tables, marks, aside=True)

    async def erased(self, subjects: Sequence[str]) -> Mapping[str, int]:
        return memory_personal.erased(self._tables, subjects)

    async def save_views(self, views: Sequence[StoredView], due: Mapping[str, Sequence[DueTime]]) -> None:
        for view in views:
            stored = self._tables.views.get(view.lead)
            if stored is not None and stored.version >= view.version:
                raise Contended("a view was refreshed elsewhere")
            self._tables.views.put(copy(view))
        memory_queues.replace_due(self._tables, due)

    async def save_judged(self, decided: Mapping[str, bytes]) -> None:
        for lead, judged in decided.items():
            view = self._tables.views.get(lead)
            if view is not None:
                self._tables.views.put(msgspec.structs.replace(view, decided=judged))

    async def note_placements(self, placements: Sequence[Placement]) -> None:
        for placement in placements:
            self._tables.placements.put(placement)

    async def send(self, lanes: Mapping[str, Sequence[OutboxMessage]], now: int) -> None:
        self._tables.stream.send(lanes, now)
