"""One transaction of the alert service in SQL. Locks are taken in one order: customers, owners,
notices, lane."""

from collections.abc import Mapping, Sequence
from zlib import crc32

from services.alerts.adapters.rows import (
    alert_of,
    by_customer,
    edition_of,
    edition_row,
    notice_of,
    notice_row,
    row_of,
    rules_of,
    standing_of,
    standing_row,
)
from services.alerts.domain.alert import Alert
from services.alerts.domain.editions import Edition
from services.alerts.domain.notices import Notice
from services.alerts.domain.standing import Standing
from services.log import Move
from services.outbox import OutboxMessage
from services.sql.session import Bulk, Session, insert
from services.sql.stream import SqlStream

STREAM = SqlStream("alert_")
ALERT = "select body from alerts where alert_id = $1"
_THERE = "select customer_id from alert_customers where customer_id = any($1::text[])"
_NEW_CUSTOMERS = insert("alert_customers", "customer_id text, standing bytea", "on conflict do nothing")
_LOCK = """
select customer_id, standing from alert_customers where customer_id = any($1::text[])
order by customer_id for no key update"""
_OPEN = "select body from alerts where customer_id = any($1::text[]) and is_open order by opened_at, alert_id"
_ENDED = "select body from alerts where customer_id = any($1::text[]) and not is_open order by alert_id"
_SAVE_STANDINGS = insert(
    "alert_customers", "customer_id text, standing bytea",
    "on conflict (customer_id) do update set standing = excluded.standing",
)  # fmt: skip
# what closes or goes to another customer makes room first for what opens. Each is looked up by its key (`offset 0`):
# else the planner, who takes them for few, would go through all that are open for every one
_MAKE_ROOM = Bulk(
    """update alerts a set is_open = false
    from unnest($1::text[], $2::text[], $3::boolean[]) u(id, customer_id, is_open)
    cross join lateral (select alert_id, customer_id, is_open from alerts where alert_id = u.id offset 0) o
    where a.alert_id = o.alert_id and o.is_open and not (u.is_open and o.customer_id = u.customer_id)""",
    "update alerts set is_open = 0 where alert_id = ?1 and is_open and not (?3 and customer_id = ?2)",
)
_SAVE = insert(
    "alerts",
    "alert_id text, customer_id text, situation text, kind text, state text, severity int, owner text,"
    " escalated_to text, rank float8, opened_at bigint, routed_day int, look_at bigint, waiting text,"
    " worded_by text, is_open boolean, rules text, due_at bigint, body bytea",
    """on conflict (alert_id) do update set customer_id = excluded.customer_id, kind = excluded.kind,
    state = excluded.state, severity = excluded.severity, owner = excluded.owner, rank = excluded.rank,
    escalated_to = excluded.escalated_to, routed_day = excluded.routed_day, look_at = excluded.look_at,
    waiting = excluded.waiting, worded_by = excluded.worded_by, is_open = excluded.is_open, rules = excluded.rules,
    due_at = excluded.due_at, body = excluded.body""",
)
_DROP_RULES = Bulk(
    """delete from alert_rules r using unnest($1::text[], $2::text[]) u(alert_id, rules)
    where r.alert_id = u.alert_id and not r.rule = any(string_to_array(u.rules, ' '))""",
    "delete from alert_rules where alert_id = ?1 and instr(' ' || ?2 || ' ', ' ' || rule || ' ') = 0",
)
_SAVE_RULES = insert(
    "alert_rules as r",
    "alert_id text, rule text, version int, said_at bigint, result text, branch text, owner text, ended_at bigint",
    """on conflict (alert_id, rule) do update set version = excluded.version, result = excluded.result,
    branch = excluded.branch, owner = excluded.owner, ended_at = excluded.ended_at
    where r.result <> excluded.result or r.version <> excluded.version""",
)  # fmt: skip
# any numbers: they keep these locks apart from those on other things
_OWNERS, _TOLD, _EDITED = 0x6F776E72, 0x746F6C64, 0x65646974
_LOCK_OWNERS = "select pg_advisory_xact_lock($1, owner) from unnest($2::int[]) owner"
_LOCK_ALL = "select pg_advisory_xact_lock($1, 0)"
NOTICES = """
select body from rule_notices where n in (select max(n) from rule_notices group by rule, matter)
order by rule, matter"""
_NOTIFY = insert("rule_notices", "rule text, matter text, at bigint, body bytea")
_EDITIONS = "select body from rule_editions where n in (select max(n) from rule_editions group by rule) order by rule"
_RECORD = insert("rule_editions", "rule text, at bigint, body bytea")
_ROUTED = """
select owner, count(*) from alerts where owner = any($1::text[]) and routed_day = $2 and routed_day >= 0
group by owner"""
_WAITING_WITH = """
select owner, max(rank) from alerts where state = 'new' and waiting in ('', 'capacity') and owner = any($1::text[])
group by owner"""


class SqlTransaction:
    """See `AlertsTransaction`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def advance(self, moves: Sequence[Move]) -> None:
        await STREAM.advance(self._session, moves)

    async def lock(self, customer_ids: Sequence[str]) -> dict[str, Standing]:
        wanted = sorted(set(customer_ids))
        there = {row[0] for row in await self._session.rows(_THERE, wanted)}
        # missing rows first: whoever inserts while it holds locks may wait for one who waits for it
        new = [standing_row(one, Standing()) for one in wanted if one not in there]
        await self._session.bulk(_NEW_CUSTOMERS, new)
        return {row[0]: standing_of(row[1]) for row in await self._session.rows(_LOCK, wanted)}

    async def alerts_of(self, customer_ids: Sequence[str]) -> dict[str, list[Alert]]:
        found = await self._session.rows(_OPEN, sorted(set(customer_ids)))
        return by_customer(customer_ids, [row[0] for row in found])

    async def ended_of(self, customer_ids: Sequence[str]) -> list[Alert]:
        return [alert_of(row[0]) for row in await self._session.rows(_ENDED, sorted(set(customer_ids)))]

    async def alert(self, alert_id: str) -> Alert | None:
        found = await self._session.rows(ALERT, alert_id)
        return alert_of(found[0][0]) if found else None

    async def save_standings(self, standings: Mapping[str, Standing]) -> None:
        await self._session.bulk(_SAVE_STANDINGS, [standing_row(*one) for one in sorted(standings.items())])

    async def save_alerts(self, alerts: Sequence[Alert], look_at: Mapping[str, int]) -> None:
        written = [row_of(one, look_at.get(one.alert_id, 0)) for one in sorted(alerts, key=lambda one: one.alert_id)]
        await self._session.bulk(_MAKE_ROOM, [(row.alert_id, row.customer_id, row.is_open) for row in written])
        await self._session.bulk(_SAVE, written)
        rules = {one.alert_id: rules_of(one) for one in alerts}
        await self._session.bulk(
            _DROP_RULES, [(one, " ".join(row.rule for row in spoke)) for one, spoke in sorted(rules.items())]
        )
        await self._session.bulk(_SAVE_RULES, sorted(row for spoke in rules.values() for row in spoke))

    async def routed_on(self, owners: Sequence[str], day: int) -> dict[str, int]:
        if self._session.dialect == "postgresql":  # SQLite's one writer is this transaction
            await self._session.rows(_LOCK_OWNERS, _OWNERS, sorted({crc32(one.encode()) >> 1 for one in owners}))
        return {row[0]: row[1] for row in await self._session.rows(_ROUTED, list(owners), day)}

    async def waiting_for(self, owners: Sequence[str]) -> dict[str, float]:
        return {row[0]: row[1] for row in await self._session.rows(_WAITING_WITH, list(owners))}

    async def notices(self) -> list[Notice]:
        await self._alone_with(_TOLD)
        return [notice_of(row[0]) for row in await self._session.rows(NOTICES)]

    async def notify(self, notices: Sequence[Notice]) -> None:
        await self._session.bulk(_NOTIFY, [notice_row(one) for one in notices])

    async def editions(self) -> list[Edition]:
        await self._alone_with(_EDITED)
        return [edition_of(row[0]) for row in await self._session.rows(_EDITIONS)]

    async def record(self, editions: Sequence[Edition]) -> None:
        await self._session.bulk(_RECORD, [edition_row(one) for one in editions])

    async def _alone_with(self, what: int) -> None:
        """Of those who write it, one reads at a time; SQLite's one writer is this transaction."""
        if self._session.dialect == "postgresql":
            await self._session.rows(_LOCK_ALL, what)

    async def send(self, lane: str, messages: Sequence[OutboxMessage], now: int) -> None:
        await STREAM.send(self._session, {lane: messages}, now)
