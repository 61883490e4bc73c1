"""The alert store on SQLite or PostgreSQL."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial

from services.alerts.adapters.rows import alert_of, edition_of, notice_of, standing_of
from services.alerts.adapters.sql_counting import counted
from services.alerts.adapters.sql_finding import finding
from services.alerts.adapters.sql_team import closed_of, open_of
from services.alerts.adapters.sql_transaction import ALERT, NOTICES, STREAM, SqlTransaction
from services.alerts.domain.alert import Alert
from services.alerts.domain.editions import Edition
from services.alerts.domain.learning import PARTS, Learned, Part
from services.alerts.domain.notices import Notice
from services.alerts.domain.standing import Standing
from services.alerts.domain.team import Closed, Load
from services.alerts.ports import AlertFilter, RuleSwitch
from services.sql.database import Database
from services.sql.session import Session, read, reading, writing
from services.sql.skip_scan import skip_scan
from services.sql.stream import SqlOutbox, SqlPositions

_STANDING = "select standing from alert_customers where customer_id = $1"
# the words of the partial indexes, so that they serve
_WAITS = "state = 'new' and waiting in ('', 'capacity')"
# most owners are full, and more waits for them than is to be walked through each second
_WAITING_FOR = skip_scan("owner", "alerts", _WAITS)
_WAITING = f"""
select body from alerts where {_WAITS} and owner = any($2::text[])
order by rank desc, alert_id limit $1"""  # noqa: S608 - constants
_DUE = """
select customer_id from alerts where is_open and look_at > 0 and look_at <= $1
group by customer_id order by min(look_at), customer_id limit $2"""
_NEXT_DUE = "select min(look_at) from alerts where is_open and look_at > $1"
# for a part that is not asked for all outcomes are alike: there are many times as many owners as rules and branches
_LEARNED = """
select r.rule, version, {branch}, {owner}, ended_at > coalesce(s.at, 0) as fresh, count(*),
sum(case when result = 'not_relevant' then 1 else 0 end)
from alert_rules r left join rule_switches s on s.rule = r.rule and s.enabled
and s.n in (select max(n) from rule_switches group by rule)
where result <> ''{of_rule} group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5"""
_BEGUN = """
select r.rule, (r.said_at + $3) / 86400000 as day, count(*) from alert_rules r join alerts a on a.alert_id = r.alert_id
where r.rule = any($1::text[]) and r.said_at >= $2 and a.state <> 'withdrawn' group by r.rule, day"""
_RECENT = "select body from rule_notices where at >= $1 order by n desc limit $2"
_EDITIONS = "select body from rule_editions order by n desc limit $1"
_EDITIONS_OF = "select body from rule_editions where rule = $2 order by n desc limit $1"
_OWNERS = skip_scan("owner", "alerts", "owner > ''")
_SWITCH = "insert into rule_switches (rule, enabled, actor, at, note) values ($1, $2, $3, $4, $5)"
_SWITCHES = """
select rule, enabled, actor, at, note from rule_switches where n in (select max(n) from rule_switches group by rule)
order by rule"""


async def waiting_for_room(session: Session, limit: int, full: Collection[str]) -> list[Alert]:
    """See `AlertStore.waiting`."""
    owners = {row[0] for row in await session.rows(_WAITING_FOR)}.difference(full)
    found = await session.rows(_WAITING, limit, sorted(owners)) if owners else ()
    return [alert_of(row[0]) for row in found]


class SqlAlertStore(SqlPositions, SqlOutbox):
    """See `AlertStore`."""

    _stream = STREAM

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def working(self) -> AsyncIterator[SqlTransaction]:
        async with writing(self._database) as session:
            yield SqlTransaction(session)

    async def alert(self, alert_id: str) -> Alert | None:
        found = await read(self._database, ALERT, alert_id)
        return alert_of(found[0][0]) if found else None

    async def find(self, where: AlertFilter, after: tuple[float, str] | None, limit: int) -> list[Alert]:
        sql, arguments = finding(where, after, limit)
        return [alert_of(row[-1]) for row in await read(self._database, sql, *arguments)]

    async def standing(self, customer_id: str) -> Standing | None:
        found = await read(self._database, _STANDING, customer_id)
        return standing_of(found[0][0]) if found else None

    async def waiting(self, limit: int, full: Collection[str] = ()) -> list[Alert]:
        async with reading(self._database) as session:
            return await waiting_for_room(session, limit, full)

    async def due(self, now: int, limit: int) -> list[str]:
        return [row[0] for row in await read(self._database, _DUE, now, limit)]

    async def next_due(self, after: int) -> int | None:
        [(at,)] = await read(self._database, _NEXT_DUE, max(after, 0))
        return None if at is None else int(at)

    async def learned(self, by: Collection[Part] = PARTS, rule: str | None = None) -> list[Learned]:
        parts = {name: name if name in by else "''" for name in PARTS}
        sql = _LEARNED.format(**parts, of_rule="" if rule is None else " and r.rule = $1")
        found = await read(self._database, sql, *([] if rule is None else [rule]))
        return [Learned(row[0], row[1], row[2], row[3], bool(row[4]), row[5], row[6]) for row in found]

    async def begun_by_day(self, rules: Collection[str], since: int, offset_ms: int) -> dict[tuple[str, int], int]:
        return {(row[0], row[1]): row[2] for row in await read(self._database, _BEGUN, sorted(rules), since, offset_ms)}

    async def notices(self) -> list[Notice]:
        return [notice_of(row[0]) for row in await read(self._database, NOTICES)]

    async def recent_notices(self, since: int, limit: int) -> list[Notice]:
        return [notice_of(row[0]) for row in await read(self._database, _RECENT, since, limit)]

    async def editions(self, rule: str | None, limit: int) -> list[Edition]:
        sql, given = (_EDITIONS_OF, [limit, rule]) if rule is not None else (_EDITIONS, [limit])
        return [edition_of(row[0]) for row in await read(self._database, sql, *given)]

    async def owners(self) -> list[str]:
        return [row[0] for row in await read(self._database, _OWNERS)]

    async def loads(self, owners: Collection[str], now: int) -> list[Load]:
        return await open_of(partial(read, self._database), owners, now)

    async def closed(self, owners: Collection[str], since: int, until: int) -> list[Closed]:
        return await closed_of(partial(read, self._database), owners, since, until)

    async def count(self) -> dict[str, int]:
        return await counted(partial(read, self._database), self._database.dialect)

    async def switch(self, said: RuleSwitch) -> None:
        async with writing(self._database) as session:
            await session.run(_SWITCH, *said)

    async def switches(self) -> list[RuleSwitch]:
        found = await read(self._database, _SWITCHES)
        return [RuleSwitch(row[0], bool(row[1]), *row[2:]) for row in found]
