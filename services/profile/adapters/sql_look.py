"""One look at customers in SQL. Its first question brings along the answers to those that follow it: each is a round
trip, and a read under load consists of waiting for those."""

from collections.abc import Sequence
from typing import Any

from services.profile.adapters import rows
from services.profile.adapters.sql_customers import (
    ACTING,
    GATHERED,
    SqlCustomers,
    clusters_in,
    members_of,
    told_of_staff,
)
from services.profile.domain.identity.links import END, Cluster
from services.profile.ports.reading import Resolved
from services.profile.ports.records import StoredView
from services.profile.ports.refreshing import Member
from services.sql.session import Row, Session

# {me}: the subjects asked about. Of each, the roots for which it counts today, households and groups aside, itself
# where there are none; then the customers that they name, through what decisions have merged
LEADS = f"""
me(subject) as ({{me}}),
counts as (select me.subject, m.root from me join memberships m on m.subject = me.subject and m.until_at = {END}
           and m.root not like 'household:%' and m.root not like 'group:%'),
roots as (select subject, root from counts union
          select subject, subject from me where subject not in (select subject from counts)),
leads as (select distinct r.subject, coalesce(c.lead, r.root) as lead
          from roots r left join clusters c on c.root = r.root)"""  # noqa: S608 - a constant
WAITS = """(exists (select 1 from marks m where m.root = l.lead) or
            exists (select 1 from clusters c join marks m on m.root = c.root where c.lead = l.lead))"""
# `w` has the leads of the customers to gather
_AROUND = f"""
c as (select root, lead from clusters where lead in (select c.lead from w join clusters c on c.root = w.lead)),
r(root) as (select root from c union select lead from w),
m as (select m.root, m.subject, m.role, m.from_at, m.until_at from r join memberships m on m.root = r.root union
      select m.root, m.subject, m.role, m.from_at, m.until_at from r join memberships m on m.subject = r.root),
s as (select subject from m union select root from r),
o(lead) as (select lead from c union select root from r),
{ACTING}"""  # noqa: S608 - constants
_BROUGHT = f"""{GATHERED}
union all select 3, root, lead, null, null, null, null from c
union all select 4, t.manager_id, t.record, null, null, null, null from k join staff t on t.manager_id = k.manager"""  # noqa: S608 - constants
_OF_LEADS = f"with recursive w(lead) as (select unnest($1::text[])), {_AROUND} {_BROUGHT}"
_VIEW = rows.VIEW.split(", ")
_RESOLVED = f"""
with recursive {LEADS},
     l as (select l.subject, l.lead, {WAITS} as waits from leads l),
     w(lead) as (select lead from l where waits),
     {_AROUND}
select 5, l.subject, l.lead, null, null, null, null, l.waits, {", ".join(f"v.{name}" for name in _VIEW)}
from l left join views v on v.lead = l.lead
union all select brought.*{", null" * (len(_VIEW) + 1)} from ({_BROUGHT}) brought"""  # noqa: S608 - constants
_OF_SUBJECTS = _RESOLVED.format(me="select unnest($1::text[])")
_OF_ALIAS = _RESOLVED.format(
    me="select subject from subjects where alias = $1 union select lead from views where customer_id = $1"
)
_MEMBERS, _CLUSTER, _STAFF, _CUSTOMER = range(3), 3, 4, 5
_WIDTH = 7
"""Columns of what is brought along."""


class SqlLook(SqlCustomers):
    """See `Look`."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._brought: Sequence[Row] = ()
        self._covered: set[str] = set()

    async def resolve(self, subjects: Sequence[str]) -> list[Resolved]:
        return await self._resolved(_OF_SUBJECTS, list(subjects))

    async def resolve_alias(self, alias: str) -> list[Resolved]:
        return await self._resolved(_OF_ALIAS, alias)

    async def clusters(self, roots: Sequence[str]) -> dict[str, Cluster]:
        return clusters_in([(row[1], row[2]) for row in await self._about(roots) if row[0] == _CLUSTER], roots)

    async def members(self, roots: Sequence[str]) -> dict[str, list[Member]]:
        return members_of([row for row in await self._about(roots) if row[0] in _MEMBERS], roots)

    async def staff_of(self, leads: Sequence[str]) -> dict[str, dict[str, Any]]:
        return told_of_staff([row[1:3] for row in await self._about(leads) if row[0] == _STAFF])

    async def _resolved(self, sql: str, asked: object) -> list[Resolved]:
        found = await self._session.rows(sql, asked)
        resolved = [_resolved(row[1:3], row[_WIDTH:]) for row in found if row[0] == _CUSTOMER]
        self._keep([row[:_WIDTH] for row in found if row[0] != _CUSTOMER], [one.lead for one in resolved if one.waits])
        return sorted(resolved, key=lambda one: (one.subject, one.lead))

    async def _about(self, leads: Sequence[str]) -> Sequence[Row]:
        if not self._covered.issuperset(leads):
            self._keep(await self._session.rows(_OF_LEADS, list(leads)), leads)
        return self._brought

    def _keep(self, brought: Sequence[Row], leads: Sequence[str]) -> None:
        self._brought = brought
        self._covered = {*leads, *(row[1] for row in brought if row[0] == _CLUSTER)}


def _resolved(named: Row, stated: Row) -> Resolved:
    waits, *view = stated
    return Resolved(named[0], named[1], StoredView(*view) if view[0] is not None else None, bool(waits))
