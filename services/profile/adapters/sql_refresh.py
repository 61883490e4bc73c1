"""One shard's refresh in SQL: marks taken, members from one snapshot, views written."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from services.failures import Contended
from services.profile.adapters import rows, sql_queues
from services.profile.adapters.kept import kept_subject, unknown_subject
from services.profile.adapters.roots import standing_in, with_roots
from services.profile.domain.links import Cluster, Membership, strength
from services.profile.ports import (
    Decision,
    DueTime,
    KeptSubject,
    Mark,
    Member,
    OutboxMessage,
    Shard,
    StoredView,
)
from services.session import Session, insert

CLUSTERS = """
select c.root, c.lead from clusters c where c.lead in (select lead from clusters where root = any($1::text[]))"""
# one statement is one snapshot: memberships first, then each subject and each part once, however many share them
_MEMBERS = """
with m as (select root, subject, role, from_at, until_at from memberships
           where root = any($1::text[]) or subject = any($1::text[])),
     s as (select subject from m union select unnest($1::text[]))
select 0, root, subject, role, from_at, until_at, null as blob from m
union all select 1, t.subject, t.cuts, null, t.version, null, t.heads
    from s join subjects t on t.subject = s.subject
union all select 2, p.subject, null, null, p.month, null, p.body from s join parts p on p.subject = s.subject"""
_VIEWS = f"select {rows.VIEW} from views where lead = any($1::text[])"  # noqa: S608 - constants
_DECISIONS = """
select s.subject, d.decision_id, d.kind, d.subjects, d.actor, d.reason, d.at, d.undoes, d.body
from decision_subjects s join decisions d on d.decision_id = s.decision_id
where s.subject = any($1::text[]) order by d.at, d.decision_id"""
_OWNED_COUNTS = "select owner, count(*) from views where state = 'live' and owner is not null group by owner"
_SAVE_VIEWS = insert(
    "views as v",
    "customer_id text, lead text, version bigint, kind text, state text, changed_at bigint, body bytea, facts bytea,"
    " decided bytea, owner text, tier text, name_ref text",
    """on conflict (lead) do update set version = excluded.version, kind = excluded.kind, state = excluded.state,
    changed_at = excluded.changed_at, body = excluded.body, facts = excluded.facts, decided = excluded.decided,
    owner = excluded.owner, tier = excluded.tier, name_ref = excluded.name_ref where v.version < excluded.version""",
)


class SqlRefresh:
    """See `RefreshTransaction`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def fence(self, shard: Shard) -> Shard:
        return await sql_queues.fence(self._session, shard)

    async def take_marks(self, shard: int, limit: int, resting: Sequence[str] = ()) -> list[Mark]:
        return await sql_queues.take_marks(self._session, shard, limit, resting)

    async def mark(self, marks: Sequence[Mark]) -> None:
        await sql_queues.leave_marks(self._session, marks)

    async def clusters(self, roots: Sequence[str]) -> dict[str, Cluster]:
        return await clusters_of(self._session, roots)

    async def members(self, roots: Sequence[str]) -> dict[str, list[Member]]:
        memberships: list[Membership] = []
        heads: dict[str, Sequence[Any]] = {}
        parts: dict[str, list[tuple[int, bytes]]] = {}
        for what, first, second, third, fourth, fifth, blob in await self._session.rows(_MEMBERS, list(roots)):
            if what == 0:
                memberships.append(Membership(first, second, third, fourth, fifth))
            elif what == 1:
                heads[first] = (first, fourth, second, blob)
            else:
                parts.setdefault(first, []).append((fourth, blob))
        kept: dict[str, KeptSubject] = {}
        standing = standing_in(memberships)
        members: dict[str, list[Member]] = {root: [] for root in roots}
        for one in with_roots(memberships, roots):
            found = kept.get(one.subject)
            if found is None:
                row, within = heads.get(one.subject), standing.get(one.subject, ())
                told = parts.get(one.subject, ())
                found = kept_subject(row, told, within) if row else unknown_subject(one.subject, within)
                kept[one.subject] = found
            members[one.root].append(Member(one, found))
        return members

    async def views(self, leads: Sequence[str]) -> dict[str, StoredView]:
        return {view.lead: view for view in map(rows.view_of, await self._session.rows(_VIEWS, list(leads)))}

    async def staff(self) -> dict[str, dict[str, Any]]:
        return {row[0]: msgspec.json.decode(row[1]) for row in await self._session.rows("select * from staff")}

    async def decisions(self, subjects: Sequence[str]) -> dict[str, list[Decision]]:
        found: dict[str, list[Decision]] = {}
        for row in await self._session.rows(_DECISIONS, list(subjects)):
            found.setdefault(row[0], []).append(rows.decision_of(row[1:]))
        return found

    async def owned_counts(self) -> dict[str, int]:
        return {row[0]: row[1] for row in await self._session.rows(_OWNED_COUNTS)}

    async def save_views(self, views: Sequence[StoredView], due: Mapping[str, Sequence[DueTime]]) -> None:
        ordered = sorted(views, key=lambda one: one.lead)
        if await self._session.bulk(_SAVE_VIEWS, [rows.view_row(one) for one in ordered]) != len(ordered):
            raise Contended("a view was refreshed elsewhere")
        await sql_queues.replace_due(self._session, due)

    async def send(self, lane: str, messages: Sequence[OutboxMessage], now: int) -> None:
        await sql_queues.send(self._session, lane, messages, now)


async def clusters_of(session: Session, roots: Sequence[str]) -> dict[str, Cluster]:
    """root → the whole cluster in which it stands."""
    by_lead: dict[str, list[str]] = {}
    for root, lead in await session.rows(CLUSTERS, list(roots)):
        by_lead.setdefault(lead, []).append(root)
    found = [cluster_of(lead, members) for lead, members in by_lead.items()]
    wanted = set(roots)
    return {root: cluster for cluster in found for root in cluster.roots if root in wanted}


def cluster_of(lead: str, roots: Sequence[str]) -> Cluster:
    return Cluster(lead, tuple(sorted(roots, key=strength)))
