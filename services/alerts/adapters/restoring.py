"""After a database went back in time, while what was told of its alerts did not."""

from collections.abc import Mapping
from functools import partial

import msgspec

from schemas.alerts import Alert, Step
from schemas.codec import encode_alert
from schemas.topics import ALERTS
from services.alerts.adapters.rows import alert_of
from services.alerts.adapters.sql_transaction import STREAM
from services.alerts.domain.alert import OPEN_STATES, SYSTEM
from services.alerts.outbox import DESK, message_of
from services.outbox import OutboxMessage
from services.retelling import Retold, retold_in_portions
from services.sql.database import Database
from services.sql.session import Bulk, read, writing

NOTE = "the database was set back to before it was opened"
_FOUND = "select alert_id, body from alerts where alert_id = any($1::text[])"
_KNOWN = f"{_FOUND} order by alert_id for no key update"
_RAISE = Bulk(
    "update alerts a set body = u.body from unnest($1::text[], $2::bytea[]) u(alert_id, body)"
    " where a.alert_id = u.alert_id",
    "update alerts set body = ?2 where alert_id = ?1",
)


async def knows_alerts(database: Database, heard: Mapping[str, int]) -> bool:
    """`heard`: revisions by id. Whether the database has all of them, in these revisions or later ones."""
    known = {row[0]: alert_of(row[1]).revision for row in await read(database, _FOUND, list(heard))}
    return all(revision <= known.get(alert_id, -1) for alert_id, revision in heard.items())


async def retell(database: Database, heard: Mapping[str, Alert], now: int) -> Retold:
    """`heard`: by id. An unknown alert that is open is told to be over: what still holds is opened anew, under the same
    id."""
    return await retold_in_portions(heard, partial(_retell_some, database, now))


async def _retell_some(database: Database, now: int, heard: Mapping[str, Alert]) -> Retold:
    async with writing(database) as session:
        known = {row[0]: alert_of(row[1]) for row in await session.rows(_KNOWN, list(heard))}
        for alert in known.values():
            alert.revision = max(alert.revision, heard[alert.alert_id].revision) + 1
        await session.bulk(_RAISE, [(alert_id, msgspec.json.encode(one)) for alert_id, one in known.items()])
        unknown = [one for one in heard.values() if one.alert_id not in known and one.state in OPEN_STATES]
        messages = [*map(message_of, known.values()), *(_over(one, now) for one in unknown)]
        await STREAM.send(session, {DESK: messages}, now)
    return Retold(len(known), len(unknown))


def _over(last: Alert, now: int) -> OutboxMessage:
    """The next revision after what was told: whatever is told from now on has a later one."""
    step = Step(at=now, actor=SYSTEM, action="supersede", state="superseded", note=NOTE)
    over = msgspec.structs.replace(
        last, revision=last.revision + 1, state="superseded", waiting="", history=[*last.history, step]
    )
    return OutboxMessage(ALERTS.name, last.customer_id.encode(), encode_alert(over))
