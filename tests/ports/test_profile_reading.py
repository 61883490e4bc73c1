"""The contract of the profile's store: what readers ask."""

import pytest
from sqlalchemy import text

from services.profile.domain.identity.links import END, Membership
from services.profile.ports.reading import Cursor, TimelineFilter
from tests.ports.emptied import opened
from tests.ports.profile_stores import Store, alias_of, event, store, view

__all__ = ["store"]
EVERYTHING = TimelineFilter()
EVENTS = [
    event("account:1", 10, "a"), event("account:1", 20, "b", "fee.charged", "corebank"), event("account:1", 20, "c"),
    event("party:1", 15, "d", "login.succeeded", "mobile"), event("party:1", 40, "e"), event("account:2", 30, "f"),
]  # fmt: skip
SPANS = [("account:1", -100, 100), ("party:1", -100, 100)]


async def names(store: Store, where: TimelineFilter = EVERYTHING, before: Cursor | None = None) -> str:
    async with store.updating() as tx:
        await tx.append_timeline(EVENTS)
    found = await store.timeline(SPANS, before, where, 10)
    return "".join(row.key[:1].decode() for row in found)


async def test_the_timeline_joins_subjects_newest_first(store: Store) -> None:
    assert await names(store) == "ecbda"


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (TimelineFilter(types=("card.paid", "fee.charged")), "ecba"),
        (TimelineFilter(channels=("mobile", "corebank")), "bd"),
        (TimelineFilter(since=15, until=40), "cbd"),
        (TimelineFilter(types=("login.succeeded",), channels=("pos",)), ""),
    ],
)
async def test_the_timeline_is_filtered(store: Store, where: TimelineFilter, expected: str) -> None:
    assert await names(store, where) == expected


@pytest.mark.parametrize("limit", [1, 4, 100])
async def test_all_events_are_told_page_by_page_by_subject(store: Store, limit: int) -> None:
    async with store.updating() as tx:
        await tx.append_timeline(EVENTS)
    found, after = "", ("", 0, 0, b"")
    while rows := await store.timeline_page(after, limit):
        found, after = found + "".join(row.key[:1].decode() for row in rows), rows[-1][:4]
    assert found == "abcfde"


async def test_a_cursor_goes_on_between_events_of_one_instant(store: Store) -> None:
    assert await names(store, before=(20, -1, EVENTS[2].key)) == "bda"


async def test_what_happened_in_one_instant_is_told_by_its_sequence(store: Store) -> None:
    booked = [event("account:1", 10, key, sequence=sequence) for sequence, key in enumerate("cadb")]
    async with store.updating() as tx:
        await tx.append_timeline([*booked, event("account:1", 10, "e")])
    first = await store.timeline([("account:1", 0, 100)], None, EVERYTHING, 3)
    rest = await store.timeline([("account:1", 0, 100)], first[-1][1:4], EVERYTHING, 3)
    assert b"".join(row.key[:1] for row in [*first, *rest]) == b"bdace"


async def test_a_span_is_bounded_by_its_link(store: Store) -> None:
    await names(store)
    found = await store.timeline([("account:1", 10, 20), ("party:1", 16, END)], None, EVERYTHING, 10)
    assert [row.key[:1] for row in found] == [b"e", b"a"]


async def test_the_limit_holds_over_all_subjects(store: Store) -> None:
    await names(store)
    assert [row.occurred_at for row in await store.timeline(SPANS, None, EVERYTHING, 2)] == [40, 20]
    assert await store.timeline([], None, EVERYTHING, 2) == []


async def test_a_household_of_many_subjects_is_read_whole(store: Store) -> None:
    rows = [event(f"account:{number}", number, "x") for number in range(450)]
    async with store.updating() as tx:
        await tx.append_timeline(rows)
    spans = [(row.subject, 0, 1_000) for row in rows]
    assert [row.occurred_at for row in await store.timeline(spans, None, EVERYTHING, 300)] == list(range(449, 149, -1))


async def test_a_view_is_read_by_its_customer_id(store: Store) -> None:
    stored = view("party:1", 4, body=b'{"a":1}', owner="m1", tier="gold", name_ref="n1")
    async with store.refreshing() as tx:
        await tx.save_views([stored, view("party:2", name_ref="n1"), view("party:3", name_ref="n1", state="gone")], {})
    assert await store.view(alias_of("party:1")) == stored
    assert await store.view("nobody") is None


async def test_what_many_are_called_is_found_at_once(store: Store) -> None:
    async with store.refreshing() as tx:
        await tx.save_views([
            view("party:1", name_ref="n1"), view("party:2"), view("party:3", state="gone"), view("party:4"),
        ], {})  # fmt: skip
    ids = {number: alias_of(f"party:{number}") for number in (1, 2, 3, 5)}
    told = [(ids[1], "party:1", "n1", True), (ids[2], "party:2", None, True), (ids[3], "party:3", None, False)]
    assert sorted(await store.called(list(ids.values()))) == sorted(told)
    assert await store.called([]) == []


async def test_what_a_reader_was_given_cannot_change_the_store(store: Store) -> None:
    async with store.refreshing() as tx:
        await tx.save_views([view("party:1")], {})
        (await tx.views(["party:1"]))["party:1"].tier = "gold"
    found = await store.view(alias_of("party:1"))
    assert found is not None
    found.tier = "gold"
    assert await store.view(alias_of("party:1")) == view("party:1")


async def test_parties_of_which_a_value_was_told_are_found(store: Store) -> None:
    told = [("n1", subject) for subject in ("party:2", "party:1", "account:1", "party:3")] + [("n2", "party:4")]
    async with store.updating() as tx:
        await tx.save_personal({"n1": "Wang Fang", "n2": "Li Wei"}, told)
    assert await store.parties_told("n1", 2) == ["party:1", "party:2"]
    assert await store.parties_told("n3", 2) == []


async def test_memberships_of_a_root_hold_the_root_itself(store: Store) -> None:
    held = Membership("party:1", "account:1", "owner", 0, END)
    async with store.updating() as tx:
        await tx.replace_memberships(["account:1"], [held])
    found = await store.memberships(["party:1"])
    assert found[0] == held
    assert [one.subject for one in found] == ["account:1", "party:1"]
    assert await store.memberships(["account:1"]) == [], "it counts for another one"


async def test_everything_is_counted(store: Store) -> None:
    await names(store)
    async with store.refreshing() as tx:
        await tx.save_views([view("party:1"), view("party:2", state="gone")], {})
    counts = await store.counts()
    assert (counts["customers"], counts["events"], counts["marks"], counts["dead_letters"]) == (1, 6, 0, 0)


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_what_are_many_is_not_counted_row_by_row(store: Store, store_url: str) -> None:
    await names(store)
    pretend = "update pg_class set reltuples = 123456 where relname in ('timeline', 'views_owner')"
    try:
        await told(store_url, pretend)
        counts = await store.counts()
    finally:
        await told(store_url, "analyze timeline, views")
    assert (counts["customers"], counts["events"], counts["dead_letters"]) == (123456, 123456, 0)
    assert counts["subjects"] < 100


async def told(url: str, statement: str) -> None:
    async with opened(url) as database, database.transaction() as connection:
        await connection.execute(text(statement))
