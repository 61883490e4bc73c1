"""The contract of a session's writes that may wait for one another, held by SQLite and PostgreSQL alike."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.failures import Contended, Fenced, Rejected
from services.sql.database import Database, open_database
from services.sql.session import Bulk, Row, insert, insert_whole, reading, writing

INSERT = insert("thing", "id int, n int", "on conflict (id) do update set n = excluded.n")
INSERT_WHOLE = insert_whole("thing", "id, n")
RAISE = Bulk(
    "update thing t set n = t.n + u.n from unnest($1::int[], $2::int[]) u(id, n) where t.id = u.id",
    "update thing set n = n + ?2 where id = ?1",
)
CLEAR = Bulk(
    "delete from thing t using unnest($1::int[]) u(id) where t.id = u.id",
    "delete from thing where id = ?1",
)
MOVED = Fenced("a thing is not there")


@pytest_asyncio.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = open_database(url)
    async with writing(opened) as session:
        for table in ("thing", "other"):
            await session.run(f"drop table if exists {table}")
            await session.run(f"create table {table} (id integer primary key, n integer not null)")
    yield opened
    await opened.close()


async def things(database: Database, table: str = "thing") -> list[Row]:
    async with writing(database) as session:
        return [tuple(row) for row in await session.rows(f"select id, n from {table} order by id")]  # noqa: S608 - a constant


async def test_what_may_wait_is_there_once_the_transaction_has_committed(database: Database) -> None:
    async with writing(database) as session:
        await session.later(INSERT_WHOLE, [(1, 10), (2, 20)])
        await session.later(insert("other", "id int, n int"), [(7, 70)])
        await session.later(RAISE, [])
    assert await things(database) == [(1, 10), (2, 20)]
    assert await things(database, "other") == [(7, 70)]


async def test_every_later_statement_sees_what_waited(database: Database) -> None:
    async with writing(database) as session:
        await session.later(INSERT_WHOLE, [(1, 10)])
        assert await session.run("update thing set n = n + 1 where id = $1", 1) == 1
        await session.later(RAISE, [(1, 5)])
        await session.append("thing", "id, n", [(2, 20)])
        await session.later(RAISE, [(2, 1)])
        assert [tuple(row) for row in await session.rows("select id, n from thing order by id")] == [(1, 16), (2, 21)]


async def test_a_table_that_was_altered_since_a_statement_was_prepared_is_looked_at_again(postgres_url: str) -> None:
    database, other = open_database(postgres_url, pool_size=1), open_database(postgres_url)
    async with writing(other) as session:
        await session.run("drop table if exists altered")
        await session.run("create table altered (id integer)")
    async with writing(database) as session:
        await session.rows("select * from altered")
    async with writing(other) as session:
        await session.run("alter table altered add column n integer")
    with pytest.raises(Contended):
        async with writing(database) as session:
            await session.rows("select * from altered")
    async with writing(database) as session:
        assert await session.rows("select * from altered") == []
    await database.close()
    await other.close()


async def test_the_same_rows_may_be_written_twice(database: Database) -> None:
    async with writing(database) as session:
        await session.later(INSERT, [(1, 10)])
        await session.later(INSERT, [(1, 11)])
    async with writing(database) as session:
        await session.later(RAISE, [(1, 5)])
        await session.later(RAISE, [(1, 5)])
    assert await things(database) == [(1, 21)]


async def test_what_is_appended_finds_the_place_that_was_cleared_before_it(database: Database) -> None:
    async with writing(database) as session:
        await session.append("thing", "id, n", [(1, 10)])
        await session.later(CLEAR, [(1,)])
        await session.append("thing", "id, n", [(1, 11)])
    assert await things(database) == [(1, 11)]


async def test_too_few_rows_written_are_refused_and_nothing_of_the_transaction_remains(database: Database) -> None:
    async with writing(database) as session:
        await session.later(INSERT, [(1, 10)])
    with pytest.raises(Fenced, match="not there"):
        async with writing(database) as session:
            await session.later(insert("other", "id int, n int"), [(7, 70)])
            await session.later(RAISE, [(1, 1), (2, 1)], MOVED)
    assert await things(database) == [(1, 10)]
    assert await things(database, "other") == []


async def test_as_many_rows_written_as_told_are_not_refused(database: Database) -> None:
    async with writing(database) as session:
        await session.later(INSERT, [(1, 10), (2, 20)], MOVED)
        await session.rows("select 1")
        await session.later(RAISE, [(1, 1), (2, 1)], MOVED)
        await session.later(insert("other", "id int, n int"), [(7, 70)], MOVED)
    assert await things(database) == [(1, 11), (2, 21)]


async def test_fewer_rows_written_are_no_matter_where_nobody_refuses_that(database: Database) -> None:
    async with writing(database) as session:
        await session.later(RAISE, [(1, 1), (2, 1)])
        await session.later(insert("other", "id int, n int"), [(7, 70)], MOVED)
    assert await things(database) == []
    assert await things(database, "other") == [(7, 70)]


async def test_of_no_rows_nothing_is_written_and_nothing_asked(database: Database) -> None:
    async with writing(database) as session:
        await session.append("thing", "id, n", [])
        await session.later(RAISE, [], MOVED)
        assert await session.bulk(INSERT, []) == 0
    assert await things(database) == []


async def test_how_many_rows_were_written_is_told(database: Database) -> None:
    async with writing(database) as session:
        assert await session.bulk(INSERT, [(1, 10), (2, 20), (3, 30)]) == 3
        assert await session.bulk(RAISE, [(1, 1), (2, 1), (4, 1)]) == 2
        assert await session.run("delete from thing where id > $1", 1) == 2
        assert await session.run("delete from thing where id > $1", 1) == 0
    assert await things(database) == [(1, 11)]


@pytest.mark.parametrize("asked", [[1, 3], (1, 3)])
async def test_several_values_are_asked_for_at_once(database: Database, asked: list[int] | tuple[int, ...]) -> None:
    async with writing(database) as session:
        await session.append("thing", "id, n", [(1, 10), (2, 20), (3, 30)])
    async with reading(database) as session:
        found = await session.rows("select n from thing where id = any($1::int[]) order by id", asked)
    assert [row[0] for row in found] == [10, 30]


async def test_a_transaction_given_up_writes_nothing_of_what_waited(database: Database) -> None:
    with pytest.raises(RuntimeError):
        async with writing(database) as session:
            await session.later(INSERT_WHOLE, [(1, 10)])
            raise RuntimeError("given up")
    assert await things(database) == []


async def test_text_that_a_database_cannot_hold_is_refused_by_both_and_no_bug(url: str) -> None:
    opened = open_database(url)
    several = "select 1 where 'a' = any($1::text[])"
    for asked in (("select 1 where $1::text = 'a'", "a\0b"), (several, ["a\0b"]), (several, ("a\0b",))):
        for using in (reading, writing):
            with pytest.raises(Rejected, match="NUL"):
                async with using(opened) as session:
                    await session.rows(*asked)
    async with writing(opened) as session:
        await session.run("drop table if exists word")
        await session.run("create table word (text text not null)")
    with pytest.raises(Rejected, match="NUL"):
        async with writing(opened) as session:
            await session.later(insert("word", "text text"), [("a",), ("a\0b",)])
    async with reading(opened) as session:
        assert len(await session.rows("select 1 where $1::text = 'a'", "a")) == 1
        assert not await session.rows("select text from word")
    await opened.close()
