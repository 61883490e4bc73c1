"""After a database went back in time, while what was published of its customers did not."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from schemas.changes import GONE, ProfileChange
from services.outbox import OutboxMessage
from services.profile.adapters.sql_queues import STREAM, leave_marks
from services.profile.outbox import change_message, lane_of_shard
from services.profile.ports.records import Mark
from services.profile.statement import untold
from services.retelling import Retold, retold_in_portions
from services.sql.database import Database
from services.sql.session import Bulk, read, writing

_LANE = lane_of_shard(0)
_KNOWN = """
select lead, customer_id, facts from views where customer_id = any($1::text[]) order by lead for no key update"""
_VERSIONS = "select customer_id, version from views where customer_id = any($1::text[])"
_UNTELL = Bulk(
    "update views v set state = 'live', facts = u.facts from unnest($1::text[], $2::bytea[]) u(lead, facts)"
    " where v.lead = u.lead",
    "update views set state = 'live', facts = ?2 where lead = ?1",
)


class LastHeard(NamedTuple):
    """What readers have heard last of a customer."""

    version: int
    kind: str
    changed_at: int


async def knows_customers(database: Database, heard: Mapping[str, int]) -> bool:
    """`heard`: versions by customer id. Whether the database has all of them, in these versions or later ones."""
    known = {row[0]: row[1] for row in await read(database, _VERSIONS, list(heard))}
    return all(version <= known.get(customer_id, -1) for customer_id, version in heard.items())


async def restate(database: Database, heard: Mapping[str, LastHeard], now: int) -> Retold:
    """`heard`: by customer id. Unknown customers come back with the events that made them, if these are still in the
    log."""
    return await retold_in_portions(heard, partial(_restate_some, database, now))


async def _restate_some(database: Database, now: int, heard: Mapping[str, LastHeard]) -> Retold:
    async with writing(database) as session:
        rows = await session.rows(_KNOWN, list(heard))
        # who is gone here and live for readers counts as live until refresh has looked, and publishes that
        await session.bulk(_UNTELL, [(lead, untold(facts)) for lead, _, facts in rows])
        await leave_marks(session, [Mark(lead, 0) for lead, *_ in rows])
        known = {customer_id for _, customer_id, _ in rows}
        unknown = {one: last for one, last in heard.items() if one not in known and last.kind != GONE}
        await STREAM.send(session, {_LANE: [_forgotten(*one) for one in unknown.items()]}, now)
    return Retold(len(rows), len(unknown))


def _forgotten(customer_id: str, last: LastHeard) -> OutboxMessage:
    """The next version after what was told: whatever is published from now on has a later one."""
    return change_message(
        ProfileChange(customer_id=customer_id, version=last.version + 1, kind=GONE, changed_at=last.changed_at)
    )
