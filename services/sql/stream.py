"""What a consumer of the log keeps beside its own tables, in SQL: positions and outbox lanes."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from services.failures import Fenced
from services.log import Move, Position
from services.outbox import OutboxMessage, OutboxRow
from services.sql.database import Database
from services.sql.session import Bulk, Session, insert, reading, writing


class SqlStream:
    """`prefix` of the tables `positions`, `lanes` and `outbox`: each service has its own."""

    def __init__(self, prefix: str = "") -> None:
        self._statements = {name: sql.replace("@", prefix) for name, sql in _STATEMENTS.items()}
        self._outbox = f"{prefix}outbox"
        self._moves = Bulk(_MOVES.replace("@", prefix), _MOVE_IN_SQLITE.replace("@", prefix))
        self._first = insert(
            f"{prefix}positions", "topic text, topic_id text, partition int, next bigint", "on conflict do nothing"
        )

    async def positions(self, session: Session, topic: str, partitions: Sequence[int]) -> Mapping[int, Position]:
        found = await session.rows(self._statements["positions"], topic, list(partitions))
        return {row[0]: Position(row[1], row[2]) for row in found}

    async def set_position(self, session: Session, topic: str, partition: int, position: Position) -> None:
        await session.run(self._statements["set_position"], topic, partition, position.topic_id, position.next)

    async def advance(self, session: Session, moves: Sequence[Move]) -> None:
        """All of them or none. A partition that was never worked on has no row yet."""
        ordered = sorted(moves)
        moved = await session.bulk(self._moves, ordered)
        if moved < len(ordered):
            moved += await session.bulk(self._first, [(*one[:3], one.until) for one in ordered])
        if moved != len(ordered):
            places = ", ".join(f"{one.topic}/{one.partition} at {one.start}" for one in ordered)
            raise Fenced(f"not all positions stand where they should, another worker has moved them: {places}")

    async def send(self, session: Session, lanes: Mapping[str, Sequence[OutboxMessage]], now: int) -> None:
        if not any(lanes.values()):
            return
        named = [lane for lane, messages in lanes.items() for _ in messages]
        sent = [
            (lane, n, one.topic, one.key, one.value, now)
            for lane, last in await session.rows(self._statements["next_numbers"], named)
            for n, one in enumerate(lanes[lane], last - len(lanes[lane]) + 1)
        ]
        await session.append(self._outbox, "lane, n, topic, key, value, created_at", sent)

    async def lanes_waiting(self, session: Session) -> dict[str, int]:
        return {row[0]: row[1] for row in await session.rows(self._statements["lanes_waiting"])}

    async def outbox(self, session: Session, lane: str, limit: int) -> list[OutboxRow]:
        waiting = await session.rows(self._statements["outbox"], lane, limit)
        return [OutboxRow(row[0], row[1], OutboxMessage(row[2], row[3], row[4])) for row in waiting]

    async def published(self, session: Session, marks: Mapping[str, tuple[int, int]]) -> list[str]:
        moved = [
            lane
            for lane, mark in sorted(marks.items())
            if await session.run(self._statements["published"], lane, *mark)
        ]
        for lane in moved:
            await session.run(self._statements["drop_published"], lane, *marks[lane])
        return moved


class SqlPositions:
    """A `PositionStore` over `_stream`, with an operator's word; for stores to take on."""

    _database: Database
    _stream: ClassVar[SqlStream]

    async def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, Position]:
        async with reading(self._database) as session:
            return await self._stream.positions(session, topic, partitions)

    async def set_position(self, topic: str, partition: int, position: Position) -> None:
        async with writing(self._database) as session:
            await self._stream.set_position(session, topic, partition, position)


class SqlOutbox:
    """An `Outbox` over `_stream`; for stores to take on."""

    _database: Database
    _stream: ClassVar[SqlStream]

    async def lanes_waiting(self) -> dict[str, int]:
        async with reading(self._database) as session:
            return await self._stream.lanes_waiting(session)

    async def outbox(self, lane: str, limit: int) -> list[OutboxRow]:
        async with reading(self._database) as session:
            return await self._stream.outbox(session, lane, limit)

    async def published(self, marks: Mapping[str, tuple[int, int]]) -> list[str]:
        if not marks:
            return []
        async with writing(self._database) as session:
            return await self._stream.published(session, marks)


_MOVES = """
update @positions p set next = m.until from unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::bigint[])
m(topic, topic_id, partition, start, until)
where p.topic = m.topic and p.partition = m.partition and p.next = m.start and p.topic_id = m.topic_id"""
_MOVE_IN_SQLITE = """
update @positions set next = ?5 where topic = ?1 and topic_id = ?2 and partition = ?3 and next = ?4"""
_STATEMENTS = {
    "positions": "select partition, topic_id, next from @positions where topic = $1 and partition = any($2::int[])",
    "set_position": """
        insert into @positions (topic, partition, topic_id, next) values ($1, $2, $3, $4)
        on conflict (topic, partition) do update set topic_id = excluded.topic_id, next = excluded.next""",
    "next_numbers": """
        with sent(lane) as (select unnest($1::text[]))
        insert into @lanes as l (lane, last_n, published) select lane, count(*), 0 from sent group by lane order by lane
        on conflict (lane) do update set last_n = l.last_n + excluded.last_n returning lane, last_n""",
    "lanes_waiting": """
        select l.lane,
            (select o.created_at from @outbox o where o.lane = l.lane and o.n > l.published order by o.n limit 1)
        from @lanes l where l.published < l.last_n order by l.lane""",
    # no join: one that was planned while the queue was empty goes through all of it
    "outbox": """
        select n, created_at, topic, key, value from @outbox
        where lane = $1 and n > (select published from @lanes where lane = $1) order by n limit $2""",
    "published": "update @lanes set published = $3 where lane = $1 and published = $2",
    # not from the first one on: what was dropped stays in the index as long as any transaction may look at it
    "drop_published": "delete from @outbox where lane = $1 and n > $2 and n <= $3",
}
