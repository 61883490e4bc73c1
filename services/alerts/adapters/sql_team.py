"""How the work of several people stands, counted by the database along an index."""

from collections.abc import Awaitable, Callable, Collection, Sequence

from services.alerts.adapters.rows import alert_of
from services.alerts.domain.team import Closed, Load
from services.sql.session import Row

Rows = Callable[..., Awaitable[Sequence[Row]]]
_OPEN = """
select owner, state, count(*), sum(case when due_at > 0 and due_at < $1 then 1 else 0 end)
from alerts where is_open = true{of} group by owner, state order by owner, state"""
_WITHIN = "result <> '' and ended_at >= $1 and ended_at < $2{of}"
_CLOSED = f"""
select owner, result, count(distinct alert_id) from alert_rules where {_WITHIN}
group by owner, result order by owner, result"""  # noqa: S608 - constants
_SOLD = f"""
select body from alerts where alert_id in (
    select alert_id from alert_rules where {_WITHIN} and result = 'sold')"""  # noqa: S608 - constants


async def open_of(rows: Rows, owners: Collection[str], now: int) -> list[Load]:
    of, whose = _narrowed(owners, 2)
    return [Load(row[0], row[1], row[2], int(row[3])) for row in await rows(_OPEN.format(of=of), now, *whose)]


async def closed_of(rows: Rows, owners: Collection[str], since: int, until: int) -> list[Closed]:
    of, whose = _narrowed(owners, 3)
    sold: dict[str, dict[str, int]] = {}
    for row in await rows(_SOLD.format(of=of), since, until, *whose):
        alert = alert_of(row[0])
        if alert.outcome is not None:
            amounts = sold.setdefault(alert.owner, {})
            amounts[alert.outcome.currency] = amounts.get(alert.outcome.currency, 0) + alert.outcome.amount_minor
    counted = await rows(_CLOSED.format(of=of), since, until, *whose)
    return [Closed(row[0], row[1], row[2], sold.get(row[0], {}) if row[1] == "sold" else {}) for row in counted]


def _narrowed(owners: Collection[str], place: int) -> tuple[str, list[list[str]]]:
    return (f" and owner = any(${place}::text[])", [sorted(owners)]) if owners else ("", [])
