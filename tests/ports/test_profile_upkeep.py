"""The contract of the profile's store: what is old is found, and put away under its subject's lock."""

import pytest
from sqlalchemy import text

from services.failures import Fenced
from services.profile.adapters.sql_reader import COUNT_BEHIND, PAGE_BEHIND, PAGE_TO_AGE
from services.profile.domain.identity.links import Link
from services.profile.domain.states.packing import pack_heads, pack_months
from services.profile.domain.states.state import Head, Month
from services.profile.ports.reading import EVERY
from services.profile.ports.records import BaseRow, Placement, StoredDeadLetter
from services.sql.session import reading
from tests.ports.emptied import opened
from tests.ports.profile_stores import Store, event, store

__all__ = ["store"]


async def store_months(store: Store, subject: str, *months: int) -> None:
    async with store.updating() as tx:
        row = (await tx.lock_subjects({subject: frozenset()}))[subject]
        row.heads, row.months = pack_heads([Head(count=1)]), pack_months({month: [Month()] for month in months})
        await tx.save_subjects([row])


async def test_events_age_that_occurred_and_were_accepted_before(store: Store) -> None:
    late = event("account:1", 20, "late")._replace(accepted_at=900)
    rows = [event("account:1", at, f"k{at}") for at in (50, 10, 195, 30)]
    ahead = [event("account:1", at, "ahead")._replace(accepted_at=190) for at in (200, 300)]
    async with store.updating() as tx:
        await tx.append_timeline([late, *rows, *ahead, event("account:2", 10, "other")])
    async with store.updating() as tx:
        assert [row.occurred_at for row in await tx.aged_of("account:1", 200, 10)] == [10, 30, 50]
        old = await tx.aged_of("account:1", 200, 2)
        assert [row.occurred_at for row in old] == [10, 30]
        await tx.drop_timeline(old)
        assert [row.occurred_at async for row in tx.timeline_of("account:1")] == [20, 50, 195, 200, 300]
        assert len([row async for row in tx.timeline_of("account:2")]) == 1


async def test_dropping_no_events_drops_none(store: Store) -> None:
    async with store.updating() as tx:
        await tx.append_timeline([event("account:1", 10, "a")])
        await tx.drop_timeline([])
        assert len([row async for row in tx.timeline_of("account:1")]) == 1


async def test_an_event_is_dropped_and_none_that_shares_its_id_or_its_time(store: Store) -> None:
    dropped, kept = event("account:1", 10, "a"), [event("account:1", 10, "b"), event("account:1", 11, "a")]
    async with store.updating() as tx:
        await tx.append_timeline([dropped, *kept, dropped._replace(subject="account:2")])
        await tx.drop_timeline([dropped])
        assert [row async for row in tx.timeline_of("account:1")] == kept
        assert len([row async for row in tx.timeline_of("account:2")]) == 1


async def test_a_base_is_replaced_by_the_same_or_a_newer_fold_only(store: Store) -> None:
    async with store.updating() as tx:
        assert await tx.base_of("account:1") is None
        await tx.save_base(BaseRow("account:1", 5, b"first"))
        await tx.save_base(BaseRow("account:1", 5, b"second"))
        await tx.save_base(BaseRow("account:2", 1, b"other"))
    with pytest.raises(Fenced):
        async with store.updating() as tx:
            await tx.save_base(BaseRow("account:1", 4, b"older"))
    async with store.updating() as tx:
        assert await tx.base_of("account:1") == BaseRow("account:1", 5, b"second")


async def test_what_has_aged_is_read_page_by_page_with_all_links(store: Store) -> None:
    bases = [BaseRow(f"account:{number}", 5, b"x") for number in (1, 2, 3)]
    links = [
        Link(subject=f"account:{number}", target="party:7", role=role, first_at=number, told_at=(number,), ends=(9,))
        for number in (1, 2)
        for role in ("joint", "owner")
    ]
    assert (await store.bases_page("", 9), await store.links_page(("", "", ""), 9)) == ([], [])
    async with store.updating() as tx:
        for base in reversed(bases):
            await tx.save_base(base)
        await tx.add_links(links[::-1])
    assert [await store.bases_page(after, 2) for after in ("", "account:2", "account:3")] == [bases[:2], bases[2:], []]
    assert await store.links_page(("", "", ""), 3) == links[:3]
    assert await store.links_page(links[1].key, 9) == links[2:]


async def test_months_not_to_be_kept_are_dropped_of_that_subject_alone(store: Store) -> None:
    await store_months(store, "account:1", 7, 8, 9)
    await store_months(store, "account:2", 7)
    async with store.updating() as tx:
        assert await tx.months_of("account:1") == [7, 8, 9]
        await tx.keep_parts("account:1", {8, 10})
        assert await tx.months_of("account:1") == [8]
        assert await tx.months_of("account:2") == [7]
        await tx.keep_parts("account:2", set())
        assert await tx.months_of("account:2") == []


async def test_subjects_are_looked_through_page_by_page(store: Store) -> None:
    async with store.updating() as tx:
        await tx.lock_subjects({f"account:{n}": frozenset() for n in range(5)})
        await tx.append_timeline([event("account:1", 10, "a"), event("account:4", 500, "b")])
    await store_months(store, "account:3", 7)
    assert await store.page_to_age("", 200, 8, 2) == (["account:1"], "account:1")
    assert await store.page_to_age("account:1", 200, 8, 2) == (["account:3"], "account:3")
    assert await store.page_to_age("account:1", 200, 7, 2) == ([], "account:3")
    assert await store.page_to_age("account:3", 200, 8, 2) == ([], "account:4")
    assert await store.page_to_age("account:4", 200, 8, 2) == ([], None)


@pytest.mark.parametrize("at_once", [1, 2, 1000])
async def test_only_letters_of_before_in_one_state_are_dropped(
    store: Store, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("services.profile.adapters.sql.LETTERS_AT_ONCE", at_once)
    async with store.updating() as tx:
        for name, at in (("a", 5), ("b", 5), ("c", 9), ("d", 6)):
            await tx.keep_dead_letters(
                [StoredDeadLetter(name, at, "accept", "core", "r", "", "m", None, b"{}", 2, "ab")]
            )
    for name in ("b", "c", "d"):
        assert await store.mark_letter_replayed(name)
    assert await store.drop_letters("replayed", 9) == 2
    assert [await store.dead_letter(name) is None for name in "abcd"] == [False, True, False, True]
    assert [await store.drop_letters("open", at) for at in (5, 6)] == [0, 1]
    assert [await store.dead_letter(name) is None for name in "ac"] == [True, False]


async def test_placements_are_dropped_by_customer_and_time(store: Store) -> None:
    async with store.refreshing() as tx:
        await tx.note_placements([Placement(lead, at, b"{}") for lead in ("party:1", "party:2") for at in (5, 6)])
    await store.drop_placements([("party:1", 5), ("party:2", 6), ("party:3", 5)])
    assert [one[:2] for one in await store.placements_page(("", 0), 9)] == [("party:1", 6), ("party:2", 5)]


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("page", "asked", "most"),
    [(PAGE_TO_AGE, ("s1", 200, 8), 40), (PAGE_BEHIND, (2, "s1"), 20)],
    ids=["to age, a subject and an event of each", "behind, a subject of each"],
)
async def test_a_page_of_subjects_is_found_by_index_however_postgresql_plans_it(
    store: Store, store_url: str, page: str, asked: tuple[object, ...], most: int
) -> None:
    async with opened(store_url) as database, database.transaction() as connection:
        numbers = "from generate_series(1, 20000) n"
        await connection.execute(text(f"insert into subjects select 's' || n, 'a' || n, 1, 1, '', '', '' {numbers}"))
        await connection.execute(text(f"insert into timeline select 's' || n, n, 0, '', '', '', n, '' {numbers}"))
        await connection.execute(text("analyze subjects, timeline"))
    async with opened(store_url) as database, reading(database) as session:
        await session.rows("select set_config('plan_cache_mode', 'force_generic_plan', true)")
        assert len(await session.rows(page.format(limit=20), *asked)) == 20
        ((read,),) = await session.rows(
            "select sum(seq_tup_read + idx_tup_fetch)::int from pg_stat_xact_user_tables"
            " where relname in ('subjects', 'timeline')"
        )
        assert read <= most


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_states_behind_are_counted_within_their_index(store: Store, store_url: str) -> None:
    async with opened(store_url) as database, database.transaction() as connection:
        numbers = "from generate_series(1, 3000) n"
        columns = "select 's' || n, 'a' || n, 1, n % 3, '', '', ''"
        await connection.execute(text(f"insert into subjects {columns} {numbers}"))
    async with opened(store_url) as database, database.reading() as connection:
        vacuum = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await vacuum.execute(text("vacuum analyze subjects"))
    async with opened(store_url) as database, reading(database) as session:
        assert (await session.rows(COUNT_BEHIND, 2, EVERY))[0][0] == 1000
        found = await session.rows(
            "select seq_scan, idx_tup_fetch from pg_stat_xact_user_tables where relname = 'subjects'"
        )
        assert tuple(found[0]) == (0, 0)
