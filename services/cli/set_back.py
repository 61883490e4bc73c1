"""A database that came back from a backup, of which nobody has said so: the log tells of customers or alerts what the
database does not know. At no other time does it, since what is told was committed before."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from schemas.changes import GONE
from schemas.codec import CodecError, decode_alert, decode_change
from schemas.topics import ALERTS, PROFILE_CHANGES
from services.alerts.adapters.restoring import knows_alerts
from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.adapters.sql_deliveries import SqlDeliveryStore
from services.alerts.domain.alert import OPEN_STATES
from services.cli.refusals import Refusal
from services.deployment import side_by_side
from services.log import EventLog, PositionStore, UnknownTopic
from services.profile.adapters.restoring import knows_customers
from services.sql.database import Database

Told = TypeVar("Told")
TO_DO = (
    "it came back from a backup, or from a replica that had lagged: run `counterpoint db restored`, then start again"
)


async def refuse_if_set_back(log: EventLog, database: Database) -> None:
    """Before work begins; from then on it has to stay the database that was looked at. Raises `Refusal`,
    `Unavailable`."""
    if told := await set_back(log, database):
        raise Refusal(told)
    database.history.hold()


async def while_it_stays(work: Callable[[], Awaitable[None]], database: Database) -> None:
    """Works until a fail-over, or a backup put in place of the database: what it knows is looked at anew at the next
    start. Raises `Refusal` then."""
    await side_by_side(work, lambda: _refuse_another(database))


async def _refuse_another(database: Database) -> None:
    await database.history.left()
    raise Refusal(
        "the database is another one than at the start, after a fail-over or a restore: start again, and what it knows "
        "is looked at before work begins"
    )


async def set_back(log: EventLog, database: Database) -> str | None:
    """What to do, None where nothing is to be done: `db restored` moves the positions behind what was told. The last
    record of a partition is of the lost hours, if any of it is. Raises `Unavailable`."""
    changes = await _last_beyond(log, SqlAlertStore(database), PROFILE_CHANGES.name, decode_change)
    if not await knows_customers(database, {one.customer_id: one.version for one in changes if one.kind != GONE}):
        return f"the log tells of customers what the database does not know: {TO_DO}"
    alerts = await _last_beyond(log, SqlDeliveryStore(database), ALERTS.name, decode_alert)
    if not await knows_alerts(database, {one.alert_id: one.revision for one in alerts if one.state in OPEN_STATES}):
        return f"the log tells of alerts what the database does not know: {TO_DO}"
    return None


async def _last_beyond(
    log: EventLog, positions: PositionStore, topic: str, decode: Callable[[bytes], Told]
) -> list[Told]:
    """Of each partition that was worked on: what it holds last, beyond the position."""
    try:
        topic_id, ends = await log.topic_id(topic), await log.ends(topic)
    except UnknownTopic:
        return []
    found = list[Told]()
    for partition, stored in (await positions.positions(topic, sorted(ends))).items():
        end = ends[partition][1]
        is_beyond = stored.topic_id == topic_id and stored.next < end
        last = await log.record(topic, partition, end - 1) if is_beyond else None
        with contextlib.suppress(CodecError):  # none of ours
            found += [decode(last.value)] if last is not None else []
    return found
