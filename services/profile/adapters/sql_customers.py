"""What a customer is gathered from, in SQL: clusters, members with their states from one snapshot, views, staff."""

from collections.abc import Sequence
from typing import Any

import msgspec

from services.profile.adapters import rows
from services.profile.adapters.every_store.kept import kept_subject, unknown_subject
from services.profile.adapters.every_store.roots import standing_in, with_roots
from services.profile.domain.identity.links import Cluster, Membership, cluster_of
from services.profile.ports.records import LIVE, PartyView, StoredView
from services.profile.ports.refreshing import KeptSubject, Member
from services.sql.session import Row, Session
from services.sql.skip_scan import skip_scan

CLUSTERS = """
select c.root, c.lead from clusters c where c.lead in (select lead from clusters where root = any($1::text[]))"""
# one statement is one snapshot: memberships first, then each subject and each part once, however many share them
GATHERED = """
select 0, root, subject, role, from_at, until_at, null as blob from m
union all select 1, t.subject, t.cuts, null, t.version, t.erased_at, t.heads
    from s join subjects t on t.subject = s.subject
union all select 2, p.subject, null, null, p.month, null, p.body from s join parts p on p.subject = s.subject"""
_MEMBERS = f"""
with m as (select root, subject, role, from_at, until_at from memberships
           where root = any($1::text[]) or subject = any($1::text[])),
     s as (select subject from m union select unnest($1::text[]))
{GATHERED}"""  # noqa: S608 - constants
# `o` has the leads; UNION, not UNION ALL: two may stand in for each other
ACTING = """
k(manager) as (
    select v.owner from views v where v.owner is not null and v.lead in (select lead from o)
    union select (t.record::jsonb ->> 'delegate_id') collate "C" from k join staff t on t.manager_id = k.manager)"""
_STAFF_OF = f"""
with recursive o(lead) as (select unnest($1::text[])), {ACTING}
select t.manager_id, t.record from k join staff t on t.manager_id = k.manager"""  # noqa: S608 - constants
_VIEWS = f"select {rows.VIEW} from views where lead = any($1::text[])"  # noqa: S608 - constants
# by key, whatever the planner believes: a join would go through all views for each party while nobody has counted them,
# and is stopped then; so the views of all parties come by themselves, told apart by the `null` in the party's place
_PARTY_VIEWS = """
with p(party) as (select unnest($1::text[]) collate "C"),
     l(party, lead) as (select party, coalesce((select c.lead from clusters c where c.root = party), party) from p)
select party, lead, null as state, null as customer_id, null as owner, null as facts from l
union all select null, lead, state, customer_id, owner, facts from views where lead = any(array(select lead from l))"""
_OWNED_COUNTS = """
select owner, count(*) from views
where owner = any($1::text[]) and state = 'live' and kind not in ('household', 'group') group by owner"""
# there are some hundred of them, and a row for every customer
_OWNERS = skip_scan("owner", "views", "state = 'live'")


class SqlCustomers:
    """See `CustomerRows`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def clusters(self, roots: Sequence[str]) -> dict[str, Cluster]:
        return await clusters_of(self._session, roots)

    async def members(self, roots: Sequence[str]) -> dict[str, list[Member]]:
        return members_of(await self._session.rows(_MEMBERS, list(roots)), roots)

    async def views(self, leads: Sequence[str]) -> dict[str, StoredView]:
        found = [StoredView(*row) for row in await self._session.rows(_VIEWS, list(leads))]
        return {view.lead: view for view in found}

    async def party_views(self, parties: Sequence[str]) -> dict[str, PartyView]:
        found = await self._session.rows(_PARTY_VIEWS, list(parties))
        live = {row[1]: PartyView(*row[3:]) for row in found if row[2] == LIVE}
        return {party: live[lead] for party, lead, *_ in found if party is not None and lead in live}

    async def staff(self) -> dict[str, dict[str, Any]]:
        return told_of_staff(await self._session.rows("select * from staff"))

    async def staff_of(self, leads: Sequence[str]) -> dict[str, dict[str, Any]]:
        return told_of_staff(await self._session.rows(_STAFF_OF, list(leads)))

    async def owned_counts(self, managers: Sequence[str]) -> dict[str, int]:
        return {row[0]: row[1] for row in await self._session.rows(_OWNED_COUNTS, list(managers))}

    async def owners(self) -> list[str]:
        return [row[0] for row in await self._session.rows(_OWNERS)]


def told_of_staff(found: Sequence[Row]) -> dict[str, dict[str, Any]]:
    return {manager_id: msgspec.json.decode(record) for manager_id, record in found}


def members_of(gathered: Sequence[Row], roots: Sequence[str]) -> dict[str, list[Member]]:
    memberships: list[Membership] = []
    heads: dict[str, Sequence[Any]] = {}
    parts: dict[str, list[tuple[int, bytes]]] = {}
    for what, first, second, third, fourth, fifth, blob in gathered:
        if what == 0:
            memberships.append(Membership(first, second, third, fourth, fifth))
        elif what == 1:
            heads[first] = (first, fourth, second, blob, fifth)
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


async def clusters_of(session: Session, roots: Sequence[str]) -> dict[str, Cluster]:
    """root → the whole cluster in which it stands."""
    return clusters_in(await session.rows(CLUSTERS, list(roots)), roots)


def clusters_in(found: Sequence[Row], roots: Sequence[str]) -> dict[str, Cluster]:
    by_lead: dict[str, list[str]] = {}
    for root, lead in found:
        by_lead.setdefault(lead, []).append(root)
    clusters = map(cluster_of, by_lead.values())
    wanted = set(roots)
    return {root: cluster for cluster in clusters for root in cluster.roots if root in wanted}
