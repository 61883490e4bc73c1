"""What a customer is gathered from, in memory."""

from collections.abc import Sequence
from copy import copy
from typing import Any

import msgspec

from services.profile.adapters.every_store.kept import kept_subject, unknown_subject
from services.profile.adapters.every_store.roots import standing_in, with_roots
from services.profile.adapters.memory_tables import Tables
from services.profile.domain.identity.links import COLLECTIVES, Cluster, Membership, cluster_of
from services.profile.ports.records import PartyView, StoredView
from services.profile.ports.refreshing import KeptSubject, Member


class MemoryCustomers:
    """See `CustomerRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def clusters(self, roots: Sequence[str]) -> dict[str, Cluster]:
        return clusters_of(self._tables, roots)

    async def members(self, roots: Sequence[str]) -> dict[str, list[Member]]:
        members: dict[str, list[Member]] = {root: [] for root in roots}
        standing = standing_in(self._tables.memberships.by("subject", roots))
        kept: dict[str, KeptSubject] = {}
        for one in memberships_around(self._tables, roots):
            found = kept.get(one.subject)
            if found is None:
                found = kept[one.subject] = _kept(self._tables, one.subject, standing.get(one.subject, ()))
            members[one.root].append(Member(one, found))
        return members

    async def views(self, leads: Sequence[str]) -> dict[str, StoredView]:
        found = [self._tables.views.get(lead) for lead in leads]
        return {view.lead: copy(view) for view in found if view is not None}

    async def party_views(self, parties: Sequence[str]) -> dict[str, PartyView]:
        stood = clusters_of(self._tables, parties)
        found = {one: self._tables.views.get(stood[one].lead if one in stood else one) for one in parties}
        return {
            party: PartyView(view.customer_id, view.owner, view.facts)
            for party, view in found.items()
            if view is not None and view.is_live
        }

    async def staff(self) -> dict[str, dict[str, Any]]:
        return {manager_id: msgspec.json.decode(record) for manager_id, record in self._tables.staff.rows()}

    async def staff_of(self, leads: Sequence[str]) -> dict[str, dict[str, Any]]:
        every, found = await self.staff(), dict[str, dict[str, Any]]()
        for view in (await self.views(leads)).values():
            manager_id = view.owner
            while manager_id in every and manager_id not in found:
                found[manager_id] = every[manager_id]
                manager_id = found[manager_id].get("delegate_id")
        return found

    async def owned_counts(self, managers: Sequence[str]) -> dict[str, int]:
        counts: dict[str, int] = {}
        for view in self._tables.views.by("owner", managers):
            if view.is_live and view.owner is not None and view.kind not in COLLECTIVES:
                counts[view.owner] = counts.get(view.owner, 0) + 1
        return counts

    async def owners(self) -> list[str]:
        return sorted({view.owner for view in self._tables.views.rows() if view.is_live and view.owner is not None})


def _kept(tables: Tables, subject: str, collectives: Sequence[str]) -> KeptSubject:
    row = tables.subjects.get(subject)
    if row is None:
        return unknown_subject(subject, collectives)
    parts = [(part.month, part.body) for part in tables.parts.by("subject", [subject])]
    return kept_subject((row.subject, row.version, row.cuts, row.heads, row.erased_at), parts, collectives)


def memberships_around(tables: Tables, roots: Sequence[str]) -> list[Membership]:
    known = tables.memberships.by("root", roots) + tables.memberships.by("subject", roots)
    return with_roots(known, roots)


def clusters_of(tables: Tables, roots: Sequence[str]) -> dict[str, Cluster]:
    """root → the whole cluster in which it stands."""
    found: dict[str, Cluster] = {}
    for root in roots:
        row = tables.clusters.get(root)
        if row is not None:
            found[root] = cluster_of(member for member, _ in tables.clusters.by("lead", [row.lead]))
    return found
