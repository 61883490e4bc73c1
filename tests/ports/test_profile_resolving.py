"""The contract of the profile's store: for whom a subject counts now, and whether a mark waits there."""

from collections.abc import Sequence

import pytest

from services.profile.domain.identity.links import BEGINNING, END, Cluster, Membership
from services.profile.ports.reading import Look, Resolved
from services.profile.ports.records import Mark
from tests.ports.profile_stores import Store, alias_of, store, view
from tests.ports.test_profile_refreshing import ONE, THREE, TWO, mark, member, merge, take

__all__ = ["store"]


async def stand_together(store: Store) -> None:
    """account:1 counts for ONE and TWO, which is in household:1; phone:1 was ONE's once."""
    always = (BEGINNING, END)
    await member(
        store, [Membership(ONE, "account:1", "owner", *always), Membership(TWO, "account:1", "joint", *always)]
    )
    async with store.updating() as tx:
        await tx.lock_subjects({ONE: frozenset(), TWO: frozenset(), "household:1": frozenset()})
    await member(store, [Membership("household:1", TWO, "self", *always), Membership(ONE, "phone:1", "self", 0, 5)])


async def resolve(store: Store, subjects: Sequence[str]) -> list[Resolved]:
    async with store.customers() as look:
        return await look.resolve(subjects)


async def resolve_alias(store: Store, alias: str) -> list[Resolved]:
    async with store.customers() as look:
        return await look.resolve_alias(alias)


async def test_for_whom_a_subject_counts_is_told_with_the_views_as_they_were_written(store: Store) -> None:
    await stand_together(store)
    async with store.refreshing() as tx:
        await tx.save_views([view(ONE), view(TWO), view("account:1", 3, state="gone"), view("household:1")], {})
    both = [Resolved("account:1", ONE, view(ONE), False), Resolved("account:1", TWO, view(TWO), False)]
    assert await resolve(store, ["account:1"]) == await resolve_alias(store, alias_of("account:1")) == both
    assert await resolve_alias(store, alias_of(ONE)) == [Resolved(ONE, ONE, view(ONE), False)]
    household = Resolved("household:1", "household:1", view("household:1"), False)
    assert await resolve(store, ["phone:1", "household:1"]) == [household, Resolved("phone:1", "phone:1", None, False)]
    assert await resolve(store, []) == await resolve_alias(store, "nobody") == []
    assert await store.customers_of("account:1") == [alias_of(ONE), alias_of(TWO)]
    assert await store.customers_of(TWO) == [alias_of(TWO)], "whoever shares a household with others"
    assert await store.customers_of("phone:1") == await store.customers_of("nobody") == []


async def test_an_id_is_known_by_its_subject_before_there_is_a_view(store: Store) -> None:
    await stand_together(store)
    assert await resolve_alias(store, alias_of(ONE)) == [Resolved(ONE, ONE, None, False)]
    assert await store.customers_of(ONE) == []
    await mark(store, Mark(ONE, 7))
    assert await resolve_alias(store, alias_of(ONE)) == [Resolved(ONE, ONE, None, True)]
    assert (await store.customers_of(ONE), await store.customers_of(TWO)) == ([alias_of(ONE)], [])


async def test_a_merge_shows_before_anybody_is_refreshed(store: Store) -> None:
    await stand_together(store)
    async with store.refreshing() as tx:
        await tx.save_views([view(ONE), view(TWO)], {})
    await store.decide(merge(1, ONE, TWO), [Cluster(ONE, (ONE, TWO))], [])
    assert await resolve_alias(store, alias_of(TWO)) == [Resolved(TWO, ONE, view(ONE), True)]
    assert await resolve(store, ["account:1"]) == [Resolved("account:1", ONE, view(ONE), True)]
    async with store.customers() as look:
        assert await look.clusters([TWO, THREE]) == {TWO: Cluster(ONE, (ONE, TWO))}
    assert await store.customers_of("account:1") == [alias_of(ONE)]


@pytest.mark.parametrize("marked", [ONE, TWO])
async def test_a_mark_of_any_root_says_that_the_customer_waits(store: Store, marked: str) -> None:
    await stand_together(store)
    await store.decide(merge(1, ONE, TWO), [Cluster(ONE, (ONE, TWO))], [])
    for root in (ONE, TWO):
        await take(store, root)
    assert await resolve(store, ["account:1"]) == [Resolved("account:1", ONE, None, False)]
    assert await store.customers_of("account:1") == []
    await mark(store, Mark(marked, 7))
    assert await resolve(store, ["account:1"]) == [Resolved("account:1", ONE, None, True)]
    assert await store.customers_of("account:1") == [alias_of(ONE)]


async def test_a_reader_gathers_a_customer_without_a_transaction(store: Store) -> None:
    await stand_together(store)
    async with store.customers() as rows:
        found = await rows.members([ONE])
        assert sorted(one.membership.subject for one in found[ONE]) == ["account:1", ONE, "phone:1"]
        assert (await rows.clusters([ONE]), await rows.views([ONE]), await rows.staff()) == ({}, {}, {})


async def test_who_finds_customers_is_told_of_them_what_one_is_told_that_knew_them(store: Store) -> None:
    """Of one that waits, and was merged, as of one that does not."""
    await stand_together(store)
    await member(store, [Membership(THREE, "account:3", "owner", BEGINNING, END)])
    async with store.updating() as update:
        await update.put_staff("m1", {"status": "here"})
    async with store.refreshing() as tx:
        await tx.save_views([view(ONE, owner="m1"), view(THREE, owner="m1")], {})
    await store.decide(merge(1, ONE, TWO), [Cluster(ONE, (ONE, TWO))], [])
    await take(store, THREE)

    async def told(look: Look, *roots: str) -> tuple[object, ...]:
        members = await look.members(roots)
        assert all(members[root] for root in roots)
        return await look.clusters(roots), members, await look.staff_of(roots)

    for subject, waits, roots in (("account:1", True, (ONE, TWO)), ("account:3", False, (THREE,))):
        async with store.customers() as look:
            assert [one.waits for one in await look.resolve([subject])] == [waits]
            found = await told(look, *roots)
        async with store.customers() as look:
            assert await told(look, *roots) == found


async def test_of_the_staff_a_reader_is_told_who_owns_a_customer_and_who_may_act_for_that(store: Store) -> None:
    """Who has no delegate ends the line; two who stand in for each other do not make it endless."""
    told = {
        "m1": {"delegate_id": "m2"}, "m2": {"delegate_id": "m3"}, "m3": {"status": "here"},
        "m4": {"delegate_id": "m5"}, "m5": {"delegate_id": "m4"}, "m6": {},
    }  # fmt: skip
    async with store.updating() as tx:
        for manager_id, record in told.items():
            await tx.put_staff(manager_id, record)
    async with store.refreshing() as tx:
        await tx.save_views([view(ONE, owner="m1"), view(TWO, owner="m4"), view(THREE)], {})
        assert (await tx.staff_of([ONE])).keys() == {"m1", "m2", "m3"}
    async with store.customers() as rows:
        assert await rows.staff_of([ONE, TWO]) == {one: told[one] for one in ("m1", "m2", "m3", "m4", "m5")}
        assert await rows.staff() == told
    async with store.customers() as rows:
        await rows.members([TWO])
        assert (await rows.staff_of([TWO])).keys() == {"m4", "m5"}
        assert await rows.staff_of([THREE]) == {}


async def test_what_is_brought_along_of_one_customer_is_not_taken_for_all_of_another(store: Store) -> None:
    await stand_together(store)
    await member(store, [Membership("household:1", THREE, "self", BEGINNING, END)])
    await mark(store, Mark(TWO, 7))
    everything = ["household:1", TWO, THREE]
    async with store.customers() as look:
        fresh = {root: [one.membership for one in found] for root, found in (await look.members(everything)).items()}
    async with store.customers() as look:
        await look.resolve([TWO])
        for root in (TWO, "household:1", THREE):
            found = (await look.members([root]))[root]
            assert [one.membership for one in found] == fresh[root], root
    assert {one.subject for one in fresh["household:1"]} == {"household:1", TWO, THREE}
