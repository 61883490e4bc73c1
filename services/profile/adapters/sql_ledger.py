"""The ledger in SQL: one table per day of acceptance, all live ones looked up, dropped whole."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from services.failures import Contended
from services.profile.adapters.every_store.old_events import predates_ledger
from services.profile.domain.ledger import DAYS_KEPT
from services.profile.ports.records import LedgerEntry
from services.sql.database import Database
from services.sql.session import Row, Session, writing

Found = tuple[bytes, bytes, bool, int]
"""(key, content, parked, day)"""
Entered = tuple[bytes, bytes]
"""(key, content)"""

_IN_TIMELINE = """
select k.subject, k.occurred_at, k.key from {asked} where exists (
    select 1 from timeline t where t.subject = k.subject and t.occurred_at = k.occurred_at and t.key = k.key)"""
_ASKED = "unnest($1::text[], $2::bigint[], $3::bytea[]) k(subject, occurred_at, key)"
_ASKED_OF_SQLITE = "(select column1 as subject, column2 as occurred_at, column3 as key from (values {places})) k"
_ALL_DAYS = "select day from ledgers order by day"
_DAYS_AFTER = "select day from ledgers where day > $1 order by day"
# on PostgreSQL; the next try finds what is so now
_MEANWHILE = {"42P01": "a day of the ledger was dropped", "23505": "the same event was applied by another worker"}
_CREATE_LOCK = 0x6C656467
# far below its limit; texts of few lengths, so that it keeps them prepared
_SQLITE_ROWS, _SQLITE_ARGUMENTS = 600, 2_000


class SqlLedger:
    """`_seen`: the days that had a table on PostgreSQL when last looked at. Every batch tells whether it holds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: frozenset[int] = frozenset()

    async def enter(self, session: Session, entries: Sequence[LedgerEntry]) -> Mapping[bytes, bytes]:
        if not entries:
            return {}
        try:
            return await self._enter(session, {entry.key: entry for entry in entries})
        except Exception as error:
            meanwhile = _MEANWHILE.get(getattr(error, "sqlstate", ""))
            if meanwhile:
                self._seen = frozenset()
                raise Contended(meanwhile) from error
            raise

    async def _enter(self, session: Session, entries: Mapping[bytes, LedgerEntry]) -> Mapping[bytes, bytes]:
        rows = _rows_by_day(entries.values())
        days = await self._days(session, sorted(rows))
        older = await _older(session, entries.values())
        new = {day: [row for row in rows[day] if row[0] not in older] for day in sorted(rows)}
        entering = _enter_in_sqlite if session.dialect == "sqlite" else self._enter_in_postgresql
        standing, parked = _sift(await entering(session, days, sorted(entries), new))
        await _take_over(session, parked.values(), entries)
        return older | standing

    async def _days(self, session: Session, wanted: Sequence[int]) -> list[int]:
        """Those with a table that may know a batch of the wanted ones, which are made where they are missing. Later
        ones, too: the clock that accepted a repeat may be behind the one that accepted the event."""
        days = self._seen
        if not days.issuperset(wanted):
            days = frozenset(row[0] for row in await session.rows(_ALL_DAYS))
            missing = [day for day in wanted if day not in days]
            if missing and session.dialect == "sqlite":  # its one writer is this transaction
                await _create(session, missing)
            elif missing:
                # in a transaction of its own: nobody may wait for the batch in order to have a table
                async with writing(self._database) as other:
                    await other.rows(f"select pg_advisory_xact_lock({_CREATE_LOCK})")
                    await _create(other, missing)
            days = days.union(missing)
            if session.dialect == "postgresql":
                self._seen = days
        return sorted(day for day in days if day > wanted[0] - DAYS_KEPT)

    async def _enter_in_postgresql(
        self, session: Session, days: Sequence[int], keys: Sequence[bytes], new: Mapping[int, Sequence[Entered]]
    ) -> list[Found]:
        """Looked up, entered and told which days there are, in one statement."""
        columns = [column for rows in new.values() for column in (zip(*rows, strict=True) if rows else ((), ()))]
        told = await session.rows(_look_up_and_enter(tuple(days), tuple(new)), keys, *columns)
        there = frozenset(row[3] for row in told if row[0] is None)
        if there != self._seen:
            self._seen = there
            raise Contended("a day of the ledger came or went")
        return [_found(row) for row in told if row[0] is not None]

    async def days(self) -> list[int]:
        async with writing(self._database) as session:
            return [row[0] for row in await session.rows(_ALL_DAYS)]

    async def drop(self, before_day: int) -> list[int]:
        """Drops the tables of the days before; returns them."""
        dropped = [day for day in await self.days() if day < before_day]
        for day in dropped:
            async with writing(self._database) as session:
                await session.run("delete from ledgers where day = $1", day)
                await session.run(f"drop table if exists {_table(day)}")
        self._seen = frozenset()
        return dropped

    async def park(self, session: Session, keys: Sequence[tuple[bytes, int]]) -> None:
        for key, day in sorted(keys):
            for live in [row[0] for row in await session.rows(_DAYS_AFTER, day - DAYS_KEPT)]:
                await session.run(f"update {_table(live)} set parked = true where key = $1", key)  # noqa: S608 - a number


def _table(day: int) -> str:
    return f"ledger_{int(day)}"


async def _create(session: Session, days: Iterable[int]) -> None:
    blob, clustered = ("blob", " without rowid") if session.dialect == "sqlite" else ("bytea", "")
    for day in days:
        await session.run(
            f"create table if not exists {_table(day)} (key {blob} primary key, content {blob} not null,"
            f" parked boolean not null default false){clustered}"
        )
        await session.run("insert into ledgers (day) values ($1) on conflict do nothing", day)


def _rows_by_day(entries: Iterable[LedgerEntry]) -> dict[int, list[Entered]]:
    """Day → its rows sorted by key: every transaction enters in the same order."""
    rows: dict[int, list[Entered]] = {}
    for entry in entries:
        for day in {entry.day, entry.day if entry.also_day is None else entry.also_day}:
            rows.setdefault(day, []).append((entry.key, entry.content))
    return {day: sorted(one) for day, one in rows.items()}


@lru_cache(64)
def _look_up_and_enter(days: Sequence[int], into: Sequence[int]) -> str:
    # `limit 1` keeps the planner on the index, whatever it believes about a table made a minute ago
    looked_up = [
        f"select k.key, l.content, l.parked, {day} from unnest($1::bytea[]) k(key) cross join lateral"  # noqa: S608 - no input
        f" (select content, parked from {_table(day)} where key = k.key limit 1) l"
        for day in days
    ]
    entered = [
        f"in_{day} as (insert into {_table(day)} (key, content)"  # noqa: S608 - no input
        f" select * from unnest(${place * 2}::bytea[], ${place * 2 + 1}::bytea[]) k(key, content)"
        f" where key not in (select key from found where not parked or day = {day}))"
        for place, day in enumerate(into, 1)
    ]
    found = f"found(key, content, parked, day) as materialized ({' union all '.join(looked_up)})"
    told = "select * from found union all select null, null, null, day from ledgers"
    return f"with {', '.join([found, *entered])} {told}"


async def _enter_in_sqlite(
    session: Session, days: Sequence[int], keys: Sequence[bytes], new: Mapping[int, Sequence[Entered]]
) -> list[Found]:
    found = [one for day in days for one in await _look_up_in_sqlite(session, day, keys)]
    standing, parked = _sift(found)
    for day, rows in new.items():
        entered = [row for row in rows if row[0] not in standing and (row[0], day) not in parked]
        await session.append(_table(day), "key, content", entered)
    return found


async def _look_up_in_sqlite(session: Session, day: int, keys: Sequence[bytes]) -> list[Found]:
    found: list[Found] = []
    for start in range(0, len(keys), _SQLITE_ARGUMENTS):
        some = keys[start : start + _SQLITE_ARGUMENTS]
        places = ", ".join("?" * len(some))
        sql = f"select key, content, parked, {day} from {_table(day)} where key in ({places})"  # noqa: S608 - no input
        found += [_found(row) for row in await session.rows(sql, *some)]
    return found


def _found(row: Sequence[Any]) -> Found:
    return row[0], row[1], bool(row[2]), row[3]


async def _older(session: Session, entries: Iterable[LedgerEntry]) -> dict[bytes, bytes]:
    """What came before the ledger's days, as far as the timeline knows; its content is taken to be the same."""
    old = {(one.subject, one.occurred_at, one.key): one for one in entries if predates_ledger(one)}
    places = sorted(old)
    rows: list[Row] = []
    if places and session.dialect == "postgresql":
        rows += await session.rows(_IN_TIMELINE.format(asked=_ASKED), *zip(*places, strict=True))
    elif places:
        for start in range(0, len(places), _SQLITE_ROWS):
            some = places[start : start + _SQLITE_ROWS]
            asked = _ASKED_OF_SQLITE.format(places=", ".join(["(?, ?, ?)"] * len(some)))
            rows += await session.rows(_IN_TIMELINE.format(asked=asked), *(value for place in some for value in place))
    return {row[2]: old[row[0], row[1], row[2]].content for row in rows}


def _sift(found: Iterable[Found]) -> tuple[dict[bytes, bytes], dict[tuple[bytes, int], Found]]:
    """(key → content of what stands, the oldest's; what is parked and may be taken over by (key, day))."""
    standing: dict[bytes, bytes] = {}
    ordered = sorted(found, key=lambda one: one[3])
    for key, content, parked, _ in ordered:
        if not parked:
            standing.setdefault(key, content)
    return standing, {(one[0], one[3]): one for one in ordered if one[2] and one[0] not in standing}


async def _take_over(session: Session, parked: Iterable[Found], entries: Mapping[bytes, LedgerEntry]) -> None:
    for key, _, _, day in sorted(parked):
        taken = f"update {_table(day)} set parked = false, content = $2 where key = $1 and parked"  # noqa: S608 - a number
        if await session.run(taken, key, entries[key].content) != 1:
            raise Contended("a parked event is being taken over elsewhere")
