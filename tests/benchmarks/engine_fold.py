"""The smallest honest work on an event: recognised when it comes again, folded into its customer's state, durable."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

import msgspec

from schemas.instants import DAY_MS
from services.failures import Fenced
from services.log import Batch, Position
from services.sql.database import Database
from services.sql.session import insert, reading, writing

DAYS_KEPT = 40

_TABLES = (
    "create table engine_positions (topic text, partition int, topic_id text not null, next bigint not null,"
    " primary key (topic, partition))",
    "create table engine_ledger (key bytea primary key)",
    "create table engine_states (customer text primary key, body bytea not null) with (fillfactor = 70)",
)
_POSITIONS = "select partition, topic_id, next from engine_positions where topic = $1 and partition = any($2::int[])"
_ADVANCE = """
insert into engine_positions as p values ($1, $2, $3, $5)
on conflict (topic, partition) do update set next = $5 where p.next = $4 and p.topic_id = $3"""
_ENTER = "insert into engine_ledger select unnest($1::bytea[]) on conflict do nothing returning key"
_LOAD = "select customer, body from engine_states where customer = any($1::text[]) order by customer for no key update"
_SAVE = insert(
    "engine_states", "customer text, body bytea", "on conflict (customer) do update set body = excluded.body"
)


class Movement(msgspec.Struct, frozen=True):
    id: str
    account: str
    channel: str
    direction: str
    amount: int
    balance: int
    at: int


class State(msgspec.Struct, array_like=True):
    """`balances`: account → balance, as of. `days`: day since 1970 → in, out."""

    total: int = 0
    channels: dict[str, list[int]] = {}
    balances: dict[str, list[int]] = {}
    days: dict[int, list[int]] = {}


_decode = msgspec.json.Decoder(Movement).decode
_decode_state = msgspec.msgpack.Decoder(State).decode
_encode_state = msgspec.msgpack.Encoder().encode


def fold(state: State, movement: Movement) -> None:
    at, day = movement.at, movement.at // DAY_MS
    state.total += 1
    channel = state.channels.setdefault(movement.channel, [0, 0])
    channel[0], channel[1] = channel[0] + 1, max(channel[1], at)
    balance = state.balances.setdefault(movement.account, [0, 0])
    if at >= balance[1]:
        balance[0], balance[1] = movement.balance, at
    if day not in state.days and state.days:
        newest = max(day, *state.days)
        state.days = {kept: sums for kept, sums in state.days.items() if kept > newest - DAYS_KEPT}
    sums = state.days.setdefault(day, [0, 0])
    sums[movement.direction == "debit"] += movement.amount


class Engine:
    """A handler of batches, and the store of its positions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @staticmethod
    def tables() -> Sequence[str]:
        return _TABLES

    async def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, Position]:
        async with reading(self._database) as session:
            found = await session.rows(_POSITIONS, topic, list(partitions))
        return {row[0]: Position(row[1], row[2]) for row in found}

    async def apply(self, batch: Batch) -> None:
        came = {blake2b(one.id.encode(), digest_size=16).digest(): (key, one) for key, one in _read(batch)}
        async with writing(self._database) as session:
            where = batch.topic, batch.partition, batch.topic_id, batch.start, batch.until
            if await session.run(_ADVANCE, *where) != 1:
                raise Fenced("another worker has moved the position")
            fresh = [came[row[0]] for row in await session.rows(_ENTER, sorted(came))]
            customers = sorted({key for key, _ in fresh})
            states = {row[0]: _decode_state(row[1]) for row in await session.rows(_LOAD, customers)}
            for key, movement in fresh:
                fold(states.setdefault(key, State()), movement)
            await session.bulk(_SAVE, [(key, _encode_state(states[key])) for key in customers])


def _read(batch: Batch) -> Iterable[tuple[str, Movement]]:
    return [(record.key.decode(), _decode(record.value)) for record in batch.records]


def folded(bodies: Iterable[bytes]) -> int:
    """How many events stand in these states."""
    return sum(_decode_state(body).total for body in bodies)
