"""After a database went back in time, while what was told of its alerts did not."""

from functools import partial

import msgspec

from services.alerts.adapters.rows import alert_of
from services.attempts import again_when_contended
from services.sql.database import Database
from services.sql.session import Bulk, writing

AT_ONCE = 500
_CUSTOMERS = """
select customer_id from alert_customers where customer_id > $1 order by customer_id limit $2 for no key update"""
_ALERTS = "select alert_id, body from alerts where customer_id = any($1::text[]) order by alert_id"
_RAISE = Bulk(
    "update alerts a set body = u.body from unnest($1::text[], $2::bytea[]) u(alert_id, body)"
    " where a.alert_id = u.alert_id",
    "update alerts set body = ?2 where alert_id = ?1",
)


async def raise_revisions(database: Database, by: int) -> int:
    """Lifts every alert beyond what was told of it before: whoever reads the topic has seen those revisions and would
    skip the next ones. Returns how many. Workers may run."""
    raised, last = 0, ""
    while True:
        customers, of_these = await again_when_contended(partial(_raise_some, database, last, by))
        if not customers:
            return raised
        raised, last = raised + of_these, customers[-1]


async def _raise_some(database: Database, after: str, by: int) -> tuple[list[str], int]:
    """The customers looked at, and how many alerts of theirs were lifted."""
    async with writing(database) as session:
        customers = [row[0] for row in await session.rows(_CUSTOMERS, after, AT_ONCE)]
        alerts = [(row[0], alert_of(row[1])) for row in await session.rows(_ALERTS, customers)]
        for _, alert in alerts:
            alert.revision += by
        lifted = [(alert_id, msgspec.json.encode(alert)) for alert_id, alert in alerts]
        return customers, await session.bulk(_RAISE, lifted)
