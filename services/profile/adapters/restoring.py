"""After a database went back in time, while what was published of its customers did not."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from schemas.changes import GONE, ProfileChange
from services.attempts import again_when_contended
from services.outbox import OutboxMessage
from services.profile.adapters.sql_queues import STREAM, leave_marks
from services.profile.outbox import change_message, lane_of_shard
from services.profile.ports.records import Mark
from services.profile.statement import untold
from services.sql.database import Database
from services.sql.session import Bulk, writing

AT_ONCE = 500
_LANE = lane_of_shard(0)
_KNOWN = """
select lead, customer_id, facts from views where customer_id = any($1::text[]) order by lead for no key update"""
_UNTELL = Bulk(
    "update views v set state = 'live', facts = u.facts from unnest($1::text[], $2::bytea[]) u(lead, facts)"
    " where v.lead = u.lead",
    "update views set state = 'live', facts = ?2 where lead = ?1",
)


class Told(NamedTuple):
    """What readers have heard last of a customer."""

    version: int
    kind: str
    changed_at: int


class Restated(NamedTuple):
    """`again`: customers that will be told of as they are now. `unknown`: those of whom the database knows nothing, and
    whom readers are told to forget: they come back with the events that made them, if these are still in the log."""

    again: int
    unknown: int


async def restate(database: Database, told: Mapping[str, Told], now: int) -> Restated:
    """`told`: by customer id. Workers may run."""
    again = unknown = 0
    customers = sorted(told)
    for start in range(0, len(customers), AT_ONCE):
        some = {one: told[one] for one in customers[start : start + AT_ONCE]}
        done = await again_when_contended(partial(_restate_some, database, some, now))
        again, unknown = again + done.again, unknown + done.unknown
    return Restated(again, unknown)


async def _restate_some(database: Database, told: Mapping[str, Told], now: int) -> Restated:
    async with writing(database) as session:
        rows = await session.rows(_KNOWN, list(told))
        # who is gone here and live for readers counts as live until refresh has looked, and publishes that
        await session.bulk(_UNTELL, [(lead, untold(facts)) for lead, _, facts in rows])
        await leave_marks(session, [Mark(lead, 0) for lead, *_ in rows])
        known = {customer_id for _, customer_id, _ in rows}
        unknown = {one: last for one, last in told.items() if one not in known and last.kind != GONE}
        await STREAM.send(session, {_LANE: [_forgotten(*one) for one in unknown.items()]}, now)
    return Restated(len(rows), len(unknown))


def _forgotten(customer_id: str, last: Told) -> OutboxMessage:
    """The next version after what was told: whatever is published from now on has a later one."""
    return change_message(
        ProfileChange(customer_id=customer_id, version=last.version + 1, kind=GONE, changed_at=last.changed_at)
    )
