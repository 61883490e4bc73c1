"""The queues of delivery on SQLite or PostgreSQL."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec

from services.alerts.domain.delivering import STATES, Delivery
from services.clock import LONGEST_LEASE_MS
from services.log import Move
from services.sql.database import Database
from services.sql.portions import run_in_portions
from services.sql.session import Bulk, Row, Session, insert, now_ms, read, writing
from services.sql.stream import SqlPositions, SqlStream

STREAM = SqlStream("delivery_")
_COLUMNS = """delivery_id text, destination text, person text, alert_id text, happening text, step int, body bytea,
created_at bigint, next_at bigint, state text, attempts int, tried_at bigint, ended_at bigint, error text""".replace(
    "\n", " "
)
_NAMES = ", ".join(column.split()[0] for column in _COLUMNS.split(", "))
_ADD = insert(
    "deliveries as d", _COLUMNS,
    """on conflict (delivery_id) do update set step = excluded.step, body = excluded.body,
    created_at = excluded.created_at, next_at = excluded.next_at, state = excluded.state,
    attempts = excluded.attempts, tried_at = excluded.tried_at, ended_at = excluded.ended_at, error = excluded.error
    where d.state = 'dropped'""",
)  # fmt: skip
_SEEN = "select alert_id, steps from delivery_alerts where alert_id = any($1::text[])"
_SAVE_SEEN = insert(
    "delivery_alerts", "alert_id text, steps int, seen_at bigint",
    "on conflict (alert_id) do update set steps = excluded.steps, seen_at = excluded.seen_at",
)  # fmt: skip
_DROP_UNTOLD = """
update deliveries set state = 'dropped', ended_at = $3
where state = 'waiting' and alert_id = any($1::text[]) and destination = any($2::text[])"""
_LEASE = """
insert into delivery_leases as l (destination, owner, leased_until) values ($1, $2, $4)
on conflict (destination) do update set owner = $2, leased_until = $4
where l.owner = $2 or l.leased_until not between $3 and $5"""
_RELEASE = "delete from delivery_leases where destination = $1 and owner = $2"
_DUE = f"""
select {_NAMES} from deliveries where destination = $1 and state = 'waiting' and next_at <= $2
order by next_at, person, created_at, step, delivery_id limit $3"""  # noqa: S608 - constants
_SENT = "select person, ended_at from deliveries where destination = $1 and state = 'delivered' and ended_at > $2"
_SETTLE = Bulk(
    """
    update deliveries d set next_at = w.next_at, state = w.state, attempts = w.attempts, tried_at = w.tried_at,
    ended_at = w.ended_at, error = w.error
    from unnest($1::bigint[], $2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::text[], $7::text[])
    as w (next_at, state, attempts, tried_at, ended_at, error, delivery_id)
    where d.delivery_id = w.delivery_id and (d.state <> 'dropped' or w.state <> 'waiting')""",
    """
    update deliveries set next_at = ?1, state = ?2, attempts = ?3, tried_at = ?4, ended_at = ?5, error = ?6
    where delivery_id = ?7 and (state <> 'dropped' or ?2 <> 'waiting')""",
)
_FIND = f"""
select {_NAMES} from deliveries where state = $1 and ($2 = '' or destination = $2)
order by created_at desc, delivery_id limit $3"""  # noqa: S608 - constants
_RETRY = """
update deliveries set state = 'waiting', attempts = 0, tried_at = 0, ended_at = 0, next_at = $2
where state = 'dead' and delivery_id = any($1::text[])"""
_COUNT = """
select destination, state, count(*) from deliveries where state in ('waiting', 'dead') group by destination, state"""
# after a pause they may be more than one statement has the time for
DROPPED_AT_ONCE = 10_000
_DROP = """
delete from deliveries where delivery_id in (
    select delivery_id from deliveries where state <> 'waiting' and ended_at < $1 order by ended_at limit {limit})"""
_FORGET = """
delete from delivery_alerts where alert_id in (
    select alert_id from delivery_alerts where seen_at < $1 order by seen_at limit {limit})"""


class SqlDeliveryTransaction:
    """See `DeliveryTransaction`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def advance(self, moves: Sequence[Move]) -> None:
        await STREAM.advance(self._session, moves)

    async def seen(self, alert_ids: Sequence[str]) -> dict[str, int]:
        return {row[0]: row[1] for row in await self._session.rows(_SEEN, list(alert_ids))}

    async def save_seen(self, steps: Mapping[str, int], now: int) -> None:
        await self._session.bulk(_SAVE_SEEN, [(alert_id, count, now) for alert_id, count in sorted(steps.items())])

    async def add(self, deliveries: Sequence[Delivery]) -> None:
        await self._session.bulk(_ADD, [_row(one) for one in deliveries])

    async def drop_untold(self, alert_ids: Sequence[str], destinations: Sequence[str], now: int) -> None:
        if alert_ids and destinations:
            await self._session.run(_DROP_UNTOLD, list(alert_ids), list(destinations), now)


class SqlDeliveryStore(SqlPositions):
    """See `DeliveryStore`."""

    _stream = STREAM

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def accepting(self) -> AsyncIterator[SqlDeliveryTransaction]:
        async with writing(self._database) as session:
            yield SqlDeliveryTransaction(session)

    async def lease(self, destination: str, owner: str, ttl_ms: int) -> bool:
        async with writing(self._database) as session:
            now = await now_ms(session)
            return await session.run(_LEASE, destination, owner, now, now + ttl_ms, now + LONGEST_LEASE_MS) == 1

    async def release(self, destination: str, owner: str) -> None:
        async with writing(self._database) as session:
            await session.run(_RELEASE, destination, owner)

    async def due(self, destination: str, now: int, limit: int) -> list[Delivery]:
        return await self._found(_DUE, destination, now, limit)

    async def sent_since(self, destination: str, since: int) -> dict[str, list[int]]:
        sent: dict[str, list[int]] = {}
        for person, at in await read(self._database, _SENT, destination, since):
            sent.setdefault(person, []).append(at)
        return sent

    async def settle(self, deliveries: Sequence[Delivery]) -> None:
        async with writing(self._database) as session:
            await session.bulk(_SETTLE, [
                (one.next_at, one.state, one.attempts, one.tried_at, one.ended_at, one.error, one.delivery_id)
                for one in deliveries
            ])  # fmt: skip

    async def find(self, state: str | None, destination: str | None, limit: int) -> list[Delivery]:
        found = [
            delivery for one in ([state] if state else STATES)
            for delivery in await self._found(_FIND, one, destination or "", limit)
        ]  # fmt: skip
        return sorted(found, key=lambda one: (-one.created_at, one.delivery_id))[:limit]

    async def retry(self, delivery_ids: Sequence[str], now: int) -> int:
        async with writing(self._database) as session:
            return await session.run(_RETRY, list(delivery_ids), now)

    async def count(self) -> dict[tuple[str, str], int]:
        return {(row[0], row[1]): row[2] for row in await read(self._database, _COUNT)}

    async def drop(self, before: int) -> int:
        await run_in_portions(self._database, _FORGET, DROPPED_AT_ONCE, before)
        return await run_in_portions(self._database, _DROP, DROPPED_AT_ONCE, before)

    async def _found(self, sql: str, *arguments: object) -> list[Delivery]:
        return [_delivery(row) for row in await read(self._database, sql, *arguments)]


def _row(one: Delivery) -> Row:
    return [getattr(one, name) for name in _NAMES.split(", ")]


def _delivery(row: Row) -> Delivery:
    told = dict(zip(_NAMES.split(", "), row, strict=True))
    return msgspec.convert(told | {"body": bytes(told["body"])}, Delivery)
