"""One shard's refresh in memory."""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import msgspec

from services.failures import Contended
from services.profile.adapters import memory_queues
from services.profile.adapters.kept import kept_subject, unknown_subject
from services.profile.adapters.memory_tables import Tables
from services.profile.adapters.roots import standing_in, with_roots
from services.profile.domain.links import Cluster, Membership, strength
from services.profile.ports import Decision, DueTime, KeptSubject, Mark, Member, OutboxMessage, Shard, StoredView


class MemoryRefresh:
    """See `RefreshTransaction`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def fence(self, shard: Shard) -> Shard:
        return memory_queues.fence(self._tables, shard)

    async def take_marks(self, shard: int, limit: int, resting: Sequence[str] = ()) -> list[Mark]:
        return memory_queues.take_marks(self._tables, shard, limit, resting)

    async def mark(self, marks: Sequence[Mark]) -> None:
        memory_queues.leave_marks(self._tables, marks)

    async def clusters(self, roots: Sequence[str]) -> dict[str, Cluster]:
        return clusters_of(self._tables, roots)

    async def members(self, roots: Sequence[str]) -> dict[str, list[Member]]:
        members: dict[str, list[Member]] = {root: [] for root in roots}
        standing = standing_in(self._tables.memberships.by("subject", roots))
        for one in memberships_around(self._tables, roots):
            members[one.root].append(Member(one, _kept(self._tables, one.subject, standing.get(one.subject, ()))))
        return members

    async def views(self, leads: Sequence[str]) -> dict[str, StoredView]:
        found = [self._tables.views.get(lead) for lead in leads]
        return {view.lead: copy(view) for view in found if view is not None}

    async def staff(self) -> dict[str, dict[str, Any]]:
        return {manager_id: msgspec.json.decode(record) for manager_id, record in self._tables.staff.rows()}

    async def decisions(self, subjects: Sequence[str]) -> dict[str, list[Decision]]:
        return {subject: found for subject in subjects if (found := decisions_on(self._tables, [subject]))}

    async def owned_counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for view in self._tables.views.rows():
            if view.state == "live" and view.owner is not None:
                counts[view.owner] = counts.get(view.owner, 0) + 1
        return counts

    async def save_views(self, views: Sequence[StoredView], due: Mapping[str, Sequence[DueTime]]) -> None:
        for view in views:
            stored = self._tables.views.get(view.lead)
            if stored is not None and stored.version >= view.version:
                raise Contended("a view was refreshed elsewhere")
            self._tables.views.put(copy(view))
        memory_queues.replace_due(self._tables, due)

    async def send(self, lane: str, messages: Sequence[OutboxMessage], now: int) -> None:
        memory_queues.send(self._tables, lane, messages, now)


def _kept(tables: Tables, subject: str, collectives: Sequence[str]) -> KeptSubject:
    row = tables.subjects.get(subject)
    if row is None:
        return unknown_subject(subject, collectives)
    parts = [(part.month, part.body) for part in tables.parts.by("subject", [subject])]
    return kept_subject((row.subject, row.version, row.cuts, row.heads), parts, collectives)


def memberships_around(tables: Tables, roots: Sequence[str]) -> list[Membership]:
    known = tables.memberships.by("root", roots) + tables.memberships.by("subject", roots)
    return with_roots(known, roots)


def clusters_of(tables: Tables, roots: Sequence[str]) -> dict[str, Cluster]:
    """root → the whole cluster in which it stands."""
    found: dict[str, Cluster] = {}
    for root in roots:
        row = tables.clusters.get(root)
        if row is not None:
            members = [member for member, _ in tables.clusters.by("lead", [row[1]])]
            found[root] = Cluster(row[1], tuple(sorted(members, key=strength)))
    return found


def decisions_on(tables: Tables, subjects: Sequence[str]) -> list[Decision]:
    wanted = set(subjects)
    found = [decision for decision in tables.decisions.rows() if wanted & set(decision.subjects)]
    return sorted(found, key=lambda decision: (decision.at, decision.decision_id))
