"""The profile's store under several workers: nobody loses, nobody doubles, nobody waits for ever."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
import pytest_asyncio
from sqlalchemy import text

from services.failures import Contended, Fenced, Interrupted, Unavailable
from services.log import Move
from services.outbox import OutboxMessage
from services.profile.adapters import sql_queues
from services.profile.adapters.low_water import LowWater
from services.profile.adapters.sql import SqlProfileStore
from services.profile.adapters.sql_customers import SqlCustomers
from services.profile.domain.customers.summary import DueTime
from services.profile.domain.identity.links import Cluster
from services.profile.domain.shards import SHARDS, shard_of
from services.profile.domain.states.months import OtherShape
from services.profile.domain.states.packing import pack_heads, unpack
from services.profile.domain.states.state import Head
from services.profile.gathering import gathered
from services.profile.ports.records import Decision, LedgerEntry, Mark, StoredSubject
from services.sql.database import Database, open_database
from services.sql.migrations import upgrade
from services.sql.session import Session, reading, writing
from tests.ports.emptied import IMPATIENT, opened
from tests.ports.profile_stores import Store, alias_of, event, shard_for, store, view

__all__ = ["store"]
KEY, CONTENT = b"k" * 16, b"content."
KILL_WHO_IS_IN_A_TRANSACTION = """
select pg_terminate_backend(pid) from pg_stat_activity
where pid <> pg_backend_pid() and state = 'idle in transaction' and datname = current_database()"""
Result = TypeVar("Result")


@pytest_asyncio.fixture
async def other(store_url: str, store: Store) -> AsyncIterator[Store]:
    """A second worker on the same data: another process, where there can be one."""
    if not store_url:
        yield store
        return
    async with opened(store_url, "counterpoint_profile") as database:
        yield SqlProfileStore(database, alias_of)


async def outcomes(*work: Awaitable[Result]) -> list[Result | BaseException]:
    return await asyncio.gather(*work, return_exceptions=True)


async def advance(store: Store, start: int, until: int) -> None:
    async with store.updating() as tx:
        await tx.advance([Move("events", "id", 0, start, until)])


async def test_of_two_workers_on_one_partition_one_is_fenced(store: Store, other: Store) -> None:
    for start in (0, 10):
        results = await outcomes(advance(store, start, start + 10), advance(other, start, start + 10))
        assert [type(one) for one in results if one is not None] == [Fenced]


async def enter(store: Store) -> bool:
    """Whether the event was new; tries again as the profile does."""
    while True:
        try:
            async with store.updating() as tx:
                return not await tx.enter_ledger([LedgerEntry(KEY, CONTENT, 20_000, 20_001)])
        except Contended:
            continue


async def test_one_event_that_reaches_two_workers_at_once_is_new_to_one(store: Store, other: Store) -> None:
    results = await asyncio.gather(*(enter(worker) for worker in (store, other) * 4))
    assert sorted(results) == [False] * 7 + [True]


def counted(one: StoredSubject) -> int:
    return unpack(one.cuts, one.heads, {}).heads[0].count


async def count_up(store: Store, subjects: list[str]) -> None:
    while True:
        try:
            async with store.updating() as tx:
                locked = await tx.lock_subjects(dict.fromkeys(subjects, frozenset({3})))
                for one in locked.values():
                    one.heads = pack_heads([Head(count=counted(one) + 1)])
                    one.months = {3: b"+" + one.months.get(3, b"")}
                await tx.save_subjects(list(locked.values()))
                return
        except Contended:
            continue


async def test_batches_that_meet_in_their_subjects_all_count(store: Store, other: Store) -> None:
    subjects = [f"account:{number}" for number in range(20)]
    mixed = (subjects, subjects[::-1], subjects[5:15], subjects[::2])
    await asyncio.gather(*(count_up(worker, some) for some in mixed for worker in (store, other)))
    async with store.updating() as tx:
        stored = await tx.lock_subjects(dict.fromkeys(subjects, frozenset({3})))
    expected = {name: 2 * sum(name in some for some in mixed) for name in subjects}
    assert {name: counted(one) for name, one in stored.items()} == expected
    assert {name: len(one.months[3]) for name, one in stored.items()} == expected
    assert {name: one.version for name, one in stored.items()} == expected


async def send(store: Store, value: int) -> None:
    async with store.refreshing() as tx:
        await tx.send({"lane": [OutboxMessage("topic", b"", bytes([value]))] * 3}, 1)


async def test_numbers_of_a_lane_have_no_gap_and_no_repeat(store: Store, other: Store) -> None:
    await asyncio.gather(*(send(worker, value) for value in range(6) for worker in (store, other)))
    assert [row.n for row in await store.outbox("lane", 100)] == list(range(1, 37))


async def test_a_lane_is_moved_by_one_publisher(store: Store, other: Store) -> None:
    await send(store, 1)
    marks = [{"lane": (0, 2), "empty lane": (0, 1)}, {"lane": (0, 3)}]
    moved = await asyncio.gather(store.published(marks[0]), other.published(marks[1]))
    assert sorted(moved) == [[], ["lane"]]


async def test_every_shard_is_leased_to_one_worker(store: Store, other: Store) -> None:
    for _ in range(4):
        leased = await asyncio.gather(store.lease("a", 60_000), other.lease("b", 60_000), other.lease("c", 60_000))
    held = sorted(shard.shard for some in leased for shard in some)
    assert len(held) == len(set(held))
    free = [await store.lease(name, 60_000) for name in ("a", "b", "c")]
    assert sorted(shard.shard for some in free for shard in some) == list(range(SHARDS))


async def refresh(store: Store, root: str) -> list[Mark]:
    shard = await shard_for(store, root, "one name for both")
    async with store.refreshing() as tx:
        await tx.fence([shard])
        return await tx.take_marks([shard.shard], 100)


async def test_two_that_believe_to_hold_one_shard_take_each_mark_once(store: Store, other: Store) -> None:
    async with store.updating() as tx:
        await tx.mark([Mark("party:1", at) for at in range(1, 9)])
    results = await outcomes(*(refresh(worker, "party:1") for worker in (store, other) * 3))
    taken = [mark for found in results if isinstance(found, list) for mark in found]
    assert taken == [Mark("party:1", 1)]
    assert {type(one) for one in results} <= {list, Fenced}
    assert shard_of("party:1") not in await store.marks_waiting()


async def merge(store: Store, number: int, *roots: str) -> None:
    decision = Decision(f"d{number}", "merge", roots, "ann", "same person", number)
    await store.decide(decision, [Cluster(roots[0], roots)], [])


async def test_two_merges_at_once_never_leave_half_a_cluster(store: Store, other: Store) -> None:
    results = await outcomes(merge(store, 1, "party:1", "party:2"), merge(other, 2, "party:2", "party:3"))
    assert [type(one) for one in results if one is not None] == [Contended]
    found = [await store.cluster(f"party:{number}") for number in (1, 2, 3)]
    assert len([one for one in found if one is not None]) == 2


async def test_a_state_of_another_shape_is_shown_to_nobody_and_not_written_over_a_newer_one(tmp_path: Path) -> None:
    database = open_database(f"sqlite:{tmp_path}/profile.db")
    await upgrade(database)
    store = SqlProfileStore(database, alias_of)
    await count_once(store, "account:1")
    async with database.transaction() as connection:
        await connection.execute(text("update subjects set version = 4, fold_version = 9, heads = x'91a3616263'"))
    async with store.updating() as tx:
        found = (await tx.lock_subjects({"account:1": frozenset()}))["account:1"]
        assert (found.version, found.fold_version, found.heads) == (4, 9, bytes.fromhex("91a3616263"))
    found.fold_version = 8
    with pytest.raises(Fenced):
        async with store.updating() as tx:
            await tx.save_subjects([found])
    with pytest.raises(OtherShape):
        async with store.refreshing() as refreshing:
            await refreshing.members(["account:1"])
    await database.close()


@pytest.mark.parametrize("scheme", ["sqlite", "postgresql"])
async def test_a_database_that_is_away_is_unavailable(scheme: str, tmp_path: Path) -> None:
    away = f"sqlite:{tmp_path}" if scheme == "sqlite" else "postgresql://postgres@127.0.0.1:9/none"
    database = open_database(away)
    with pytest.raises(Unavailable):
        await advance(SqlProfileStore(database, alias_of), 0, 1)
    await database.close()


@pytest_asyncio.fixture
async def hurried(postgres_url: str) -> AsyncIterator[Database]:
    """PostgreSQL, with a worker that waits for no lock."""
    database = open_database(postgres_url, timeouts=IMPATIENT._replace(lock=50))
    await upgrade(database)
    yield database
    await database.close()


async def test_a_lock_that_is_not_given_in_time_is_contended(hurried: Database) -> None:
    store = SqlProfileStore(hurried, alias_of)
    async with store.updating() as tx:
        await tx.lock_subjects({"account:held": frozenset()})
        with pytest.raises(Contended):
            await count_once(store, "account:held")


@asynccontextmanager
async def locked_as_a_whole(database: Database, table: str) -> AsyncIterator[None]:
    """As VACUUM FULL, ALTER TABLE or REINDEX do."""
    async with database.transaction() as keeper:
        await keeper.execute(text(f"lock table {table} in access exclusive mode"))
        yield


async def test_who_reads_a_table_that_is_locked_as_a_whole_waits_for_it(hurried: Database) -> None:
    store = SqlProfileStore(hurried, alias_of)
    async with locked_as_a_whole(hurried, "positions"):
        with pytest.raises(Unavailable, match="keeps a whole table locked"):
            await store.positions("events", [0])
    assert await store.positions("nothing", [0]) == {}


async def test_who_refreshes_takes_a_locked_table_for_no_mistake_of_its_customers(hurried: Database) -> None:
    store = SqlProfileStore(hurried, alias_of)
    async with locked_as_a_whole(hurried, "parts"):
        with pytest.raises(Contended):
            async with store.refreshing() as tx:
                await gathered(tx, ["party:1", "party:2"])
    async with store.refreshing() as tx:
        assert (await gathered(tx, ["party:1"])).lost == {}


async def count_once(store: SqlProfileStore, subject: str) -> None:
    async with store.updating() as tx:
        await tx.lock_subjects({subject: frozenset()})


async def test_a_connection_lost_inside_a_transaction_interrupts_it_and_leaves_no_trace(hurried: Database) -> None:
    store = SqlProfileStore(hurried, alias_of)
    with pytest.raises(Interrupted):
        async with store.updating() as tx:
            await tx.advance([Move("lost", "id", 0, 0, 10)])
            async with hurried.transaction() as killer:
                await killer.execute(text(KILL_WHO_IS_IN_A_TRANSACTION))
            await tx.advance([Move("lost", "id", 0, 10, 20)])
    assert await store.positions("lost", [0]) == {}


async def enter_on(store: Store, key: bytes, day: int) -> bool:
    async with store.updating() as tx:
        return not await tx.enter_ledger([LedgerEntry(key, CONTENT, day)])


async def test_a_day_that_another_worker_has_begun_is_looked_up_before_anything_counts(hurried: Database) -> None:
    store, other = (SqlProfileStore(hurried, alias_of) for _ in range(2))
    assert await enter_on(store, b"e" * 16, 11_001)
    assert await enter_on(other, b"f" * 16, 11_000)
    with pytest.raises(Contended):
        await enter_on(store, b"f" * 16, 11_001)
    assert not await enter_on(store, b"f" * 16, 11_001)
    assert await enter_on(store, b"g" * 16, 11_001)
    await store.drop_ledgers(11_002)


async def test_a_ledger_dropped_under_a_batch_is_looked_at_again(hurried: Database) -> None:
    store = SqlProfileStore(hurried, alias_of)
    async with store.updating() as tx:
        await tx.enter_ledger([LedgerEntry(b"d" * 16, CONTENT, 10_000)])
    async with hurried.transaction() as connection:
        await connection.execute(text("drop table ledger_10000"))
    with pytest.raises(Contended):
        async with store.updating() as tx:
            await tx.enter_ledger([LedgerEntry(b"d" * 16, CONTENT, 10_000)])
    await store.drop_ledgers(10_001)


async def test_a_past_of_any_length_is_folded_without_idling_in_the_transaction(hurried: Database) -> None:
    impatient = open_database(
        hurried.engine.url.render_as_string(hide_password=False).replace("+asyncpg", ""),
        timeouts=IMPATIENT._replace(idle_in_transaction=1_000),
    )
    store = SqlProfileStore(impatient, alias_of)
    async with store.updating() as tx:
        await tx.append_timeline([event("account:busy", at, f"{at}") for at in range(4_500)])
    told = []
    async with store.updating() as tx:
        async for row in tx.timeline_of("account:busy"):
            told.append(row.occurred_at)
            if len(told) % 500 == 0:
                time.sleep(0.15)  # noqa: ASYNC251 - as folding does, which lets nobody else work meanwhile
        await tx.keep_parts("account:busy", [])
    assert told == list(range(4_500))
    await impatient.close()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_mark_that_is_committed_after_those_numbered_behind_it_is_taken(store: Store, other: Store) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def commit_late() -> None:
        async with other.updating() as tx:
            await tx.mark([Mark("party:late", 1)])
            await tx.enter_ledger([LedgerEntry(KEY, CONTENT, 20_000, 20_001)])  # the mark is written before
            reached.set()
            await go_on.wait()

    writing = asyncio.create_task(commit_late())
    await reached.wait()
    for _ in range(4):
        async with store.updating() as tx:
            await tx.mark([Mark("party:1", 1)])
        assert await store.marks_waiting() == {shard_of("party:1"): 1}
        assert [one.root for one in await take_all(store)] == ["party:1"]
        await store.marks_waiting()
    go_on.set()
    await writing
    for _ in range(4):
        assert await store.marks_waiting() == {shard_of("party:late"): 1}
    assert [one.root for one in await take_all(store)] == ["party:late"]


async def take_all(store: Store) -> list[Mark]:
    async with store.refreshing() as tx:
        return await tx.take_marks(list(range(SHARDS)), 100)


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_what_was_taken_beside_an_open_transaction_is_not_walked_through_again(
    store: Store, store_url: str
) -> None:
    database, low = open_database(store_url, timeouts=IMPATIENT), LowWater()
    async with database.transaction() as report:
        await report.execute(text("set transaction isolation level repeatable read"))
        await report.execute(text("select count(*) from views"))
        for taken in range(1, 6):
            async with store.updating() as tx:
                await tx.mark([Mark("party:1", 1)] * 10)
            await take_all(store)
            async with reading(database) as session:
                assert await sql_queues.marks_waiting(session, [], 100, low, urgent=False) == {}
            assert low.number == max(0, taken - 2) * 10
    await database.close()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("urgent", [False, True])
async def test_a_full_queue_is_not_walked_through_by_a_plan_of_the_time_when_it_was_empty(
    store: Store, store_url: str, urgent: bool
) -> None:
    database = open_database(store_url, timeouts=IMPATIENT, pool_size=1)
    async with database.transaction() as vacuum:
        await vacuum.execute(text("analyze marks"))
    for waiting in (0, 900):
        async with writing(database) as session:
            await sql_queues.leave_marks(session, [Mark(f"party:{one}", 1, one % 30 == 0) for one in range(waiting)])
        async with writing(database) as session:
            before = await rows_fetched(session)
            await sql_queues.marks_waiting(session, [], 2, LowWater(), urgent=urgent)
            await sql_queues.take_marks(session, [3], 1, [], LowWater(), urgent=urgent)
            fetched = await rows_fetched(session) - before
    await database.close()
    assert fetched <= 16 * (2 + 1) + 8 + 2  # two and the first of each shard, eight to choose from, the one and its end


async def rows_fetched(session: Session, table: str = "marks") -> int:
    found = await session.rows("select idx_tup_fetch from pg_stat_xact_user_tables where relname = $1", table)
    return int(found[0][0])


@pytest_asyncio.fixture
async def new_bank(store: Store, store_url: str) -> AsyncIterator[Database]:
    """One connection, and tables of whose size the planner knows nothing."""
    database = open_database(store_url, timeouts=IMPATIENT, pool_size=1)
    async with database.transaction() as connection:
        await connection.execute(text("truncate views, clusters, due, lanes, outbox"))
    yield database
    await database.close()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_members_of_households_are_found_by_key_by_a_plan_of_the_time_when_there_were_none(
    store: Store, new_bank: Database
) -> None:
    parties = [f"party:{one}" for one in range(200)]
    for there in (0, 200):
        async with store.refreshing() as tx:
            await tx.save_views([view(one) for one in parties[:there]], {})
        async with writing(new_bank) as session:
            before = await rows_fetched(session, "views")
            assert len(await SqlCustomers(session).party_views(parties[:20])) == min(there, 20)
            fetched = await rows_fetched(session, "views") - before
    assert fetched == 20


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_full_outbox_is_not_gone_through_by_a_plan_of_the_time_when_it_was_empty(
    store: Store, new_bank: Database
) -> None:
    for waiting in (0, 2_000):
        async with store.refreshing() as tx:
            await tx.send({"one": [OutboxMessage("topic", b"", b"")] * waiting}, 1)
        async with writing(new_bank) as session:
            before = await rows_fetched(session, "outbox")
            assert len(await sql_queues.STREAM.outbox(session, "one", 5)) == min(waiting, 5)
            fetched = await rows_fetched(session, "outbox") - before
    assert fetched == 5


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_due_times_are_taken_where_they_lie_by_a_plan_of_the_time_when_there_were_none(
    store: Store, new_bank: Database
) -> None:
    async with new_bank.transaction() as vacuum:
        await vacuum.execute(text("analyze due"))
    parties = [f"party:{one}" for one in range(600)]
    for there in (0, 600):
        async with store.refreshing() as tx:
            await tx.save_views(
                [view(one) for one in parties[:there]],
                {one: [DueTime(place, "dormant", "day", ("bank",))] for place, one in enumerate(parties[:there])},
            )
        async with writing(new_bank) as session:
            before = await rows_fetched(session, "due")
            assert await sql_queues.fire_due(session, 599, "day", {"bank": 599}, 20) == min(there, 20)
            fetched = await rows_fetched(session, "due") - before
    assert fetched <= 600 + 20  # chosen among those that are due, and each taken
