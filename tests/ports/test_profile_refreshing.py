"""The contract of the profile's store: marks, leases, members, views, due times, outbox, decisions."""

from collections.abc import Sequence

import msgspec
import pytest

from services.failures import Contended, Fenced
from services.outbox import OutboxMessage
from services.profile.domain.customers.customer import Completeness
from services.profile.domain.customers.summary import DueTime
from services.profile.domain.identity.links import BEGINNING, END, Cluster, Link, Membership
from services.profile.domain.shards import SHARDS, shard_of
from services.profile.domain.states.packing import pack_heads, pack_months
from services.profile.domain.states.state import Head, Month
from services.profile.ports.records import Decision, Mark, PartyView, Placement, Shard, StoredDeadLetter
from services.profile.timers import fire
from tests.clocks import stores_ahead
from tests.ports.profile_stores import Store, alias_of, lapsed, shard_for, store, view

__all__ = ["store"]
ONE, TWO, THREE = "party:1", "party:2", "party:3"


async def mark(store: Store, *marks: Mark) -> None:
    async with store.updating() as tx:
        await tx.mark(marks)


async def take(store: Store, root: str, limit: int = 100) -> list[Mark]:
    async with store.refreshing() as tx:
        return await tx.take_marks([shard_of(root)], limit)


async def waiting(store: Store) -> list[str]:
    """Every root that is marked; takes the marks."""
    taken: list[Mark] = []
    async with store.refreshing() as tx:
        for shard in range(SHARDS):
            taken += await tx.take_marks([shard], 1_000)
    return sorted(one.root for one in taken)


async def member(store: Store, memberships: Sequence[Membership], months: Sequence[int] = ()) -> None:
    subjects = {one.subject for one in memberships}
    async with store.updating() as tx:
        stored = await tx.lock_subjects(dict.fromkeys(subjects, frozenset()))
        for one in stored.values():
            one.months = pack_months({month: [Month(days={month: {}})] for month in months})
            one.heads = pack_heads([Head(count=7)])
        await tx.save_subjects(list(stored.values()))
        await tx.replace_memberships(sorted(subjects), memberships)


async def test_marks_of_one_root_become_one_with_the_oldest_event(store: Store) -> None:
    await mark(store, Mark(ONE, 9), Mark(ONE, 0), Mark(ONE, 5))
    assert await store.marks_waiting() == {shard_of(ONE): 3}
    assert await take(store, ONE) == [Mark(ONE, 5)]
    assert await store.marks_waiting() == {}


async def test_as_many_roots_are_taken_as_the_limit_says_each_with_all_its_marks(store: Store) -> None:
    beside = [f"party:b{place}" for place in range(200) if shard_of(f"party:b{place}") == shard_of(ONE)][:2]
    await mark(store, Mark(ONE, 1), Mark(beside[0], 2), Mark(ONE, 3), Mark(beside[1], 4), Mark(ONE, 5))
    assert await take(store, ONE, limit=2) == sorted([Mark(ONE, 1), Mark(beside[0], 2)])
    assert await take(store, ONE) == [Mark(beside[1], 4)]


async def test_a_root_is_taken_with_its_marks_that_stand_far_behind_those_of_others(store: Store) -> None:
    beside = next(root for place in range(200) if shard_of(root := f"party:b{place}") == shard_of(ONE))
    await mark(store, Mark(ONE, 1), *[Mark(beside, 2)] * 500, Mark(ONE, 3))
    assert await take(store, ONE, limit=1) == [Mark(ONE, 1)]
    assert await store.marks_waiting() == {shard_of(ONE): 500}
    assert await store.marks_waiting(most=20) == {shard_of(ONE): 20}


async def test_who_has_waited_longest_is_taken_first_in_whatever_shard(store: Store) -> None:
    by_shard = sorted((f"party:b{place}" for place in range(60)), key=lambda root: (shard_of(root), root))
    roots = by_shard[::-1]
    await mark(store, *(Mark(root, 1) for root in roots))
    for start in range(0, 60, 2):
        async with store.refreshing() as tx:
            taken = await tx.take_marks(list(range(SHARDS)), 2)
        assert {one.root for one in taken} == {*roots[start : start + 2]}


async def test_marks_of_resting_roots_are_neither_counted_nor_taken(store: Store) -> None:
    beside = next(root for place in range(200) if shard_of(root := f"party:b{place}") == shard_of(ONE))
    await mark(store, *[Mark(ONE, 1)] * 9, Mark(beside, 2))
    assert await store.marks_waiting([ONE]) == {shard_of(ONE): 1}
    async with store.refreshing() as tx:
        assert await tx.take_marks([shard_of(ONE)], 1, [ONE]) == [Mark(beside, 2)]
    assert await take(store, ONE) == [Mark(ONE, 1)]


async def test_who_has_an_urgent_mark_can_be_taken_first_with_all_marks(store: Store) -> None:
    early, late = [root for place in range(200) if shard_of(root := f"party:b{place}") == shard_of(ONE)][:2]
    await mark(store, Mark(early, 1), Mark(ONE, 2), Mark(ONE, 5, 5), Mark(late, 3, 3), Mark(ONE, 4, 4), Mark(ONE, 0))
    assert await store.marks_waiting(urgent=True) == {shard_of(ONE): 3}
    assert await store.marks_waiting([ONE], urgent=True) == {shard_of(ONE): 1}
    assert await store.marks_waiting(most=2, urgent=True) == {shard_of(ONE): 2}
    async with store.refreshing() as tx:
        assert await tx.take_marks([shard_of(ONE)], 1, urgent=True) == [Mark(ONE, 2, 4)]
        assert await tx.take_marks([shard_of(ONE)], 9, [late], urgent=True) == []
        assert await tx.take_marks([shard_of(ONE)], 9, urgent=True) == [Mark(late, 3, 3)]
    assert (await store.marks_waiting(urgent=True), await take(store, ONE)) == ({}, [Mark(early, 1)])


async def test_who_is_set_aside_is_counted_until_the_mark_is_taken(store: Store) -> None:
    async with store.refreshing() as tx:
        await tx.set_aside([Mark(ONE, 5)])
    await mark(store, Mark(ONE, 9), Mark("party:other", 1))
    assert (await store.count_aside(), (await store.marks_waiting())[shard_of(ONE)]) == (1, 2)
    assert await take(store, ONE) == [Mark(ONE, 5)]
    assert await store.count_aside() == 0


async def test_marks_come_back_when_their_refresh_fails(store: Store) -> None:
    await mark(store, Mark(ONE, 1))
    with pytest.raises(RuntimeError):
        async with store.refreshing() as tx:
            await tx.take_marks([shard_of(ONE)], 10)
            raise RuntimeError("the worker is ill")
    assert await take(store, ONE) == [Mark(ONE, 1)]


async def test_the_customers_of_a_manager_are_marked(store: Store) -> None:
    async with store.refreshing() as tx:
        gone, free = view(THREE, owner="m1", state="gone"), view("party:in nobody's care")
        await tx.save_views([view(ONE, owner="m1"), view(TWO, owner="m2"), gone, free], {})
        assert await tx.owned_counts(["m1", "m2", "m3"]) == {"m1": 1, "m2": 1}
        assert await tx.owned_counts(["m2"]) == {"m2": 1}
        assert await tx.owners() == ["m1", "m2"]
    async with store.updating() as tx:
        await tx.mark_customers_of("m1")
    assert await waiting(store) == [ONE]


async def test_the_customers_for_whom_a_manager_stands_in_are_marked_at_whatever_remove(store: Store) -> None:
    """m3 stands in for m2, who does for m1 and, in a circle, for m3."""
    async with store.refreshing() as tx:
        await tx.save_views([view(ONE, owner="m1"), view(TWO, owner="m2"), view(THREE, owner="m4")], {})
    async with store.updating() as tx:
        for manager, stand_in in (("m1", "m2"), ("m2", "m3"), ("m3", "m2"), ("m4", "m5")):
            await tx.put_staff(manager, {"delegate_id": stand_in})
        await tx.mark_customers_of("m3")
    assert sorted(await waiting(store)) == sorted([ONE, TWO])


async def test_households_and_groups_of_a_manager_are_marked_and_take_up_no_room(store: Store) -> None:
    together = [view(f"{kind}:1", kind=kind, owner="m1") for kind in ("household", "group")]
    async with store.refreshing() as tx:
        await tx.save_views([view(ONE, kind="company", owner="m1"), *together], {})
        assert await tx.owned_counts(["m1"]) == {"m1": 1}
    async with store.updating() as tx:
        await tx.mark_customers_of("m1")
    assert await waiting(store) == ["group:1", "household:1", ONE]


async def test_a_party_is_shown_as_the_customer_for_whom_it_stands_merged_or_not(store: Store) -> None:
    cluster, never = Cluster(ONE, (ONE, TWO)), "party:never"
    await store.decide(Decision("d1", "merge", (ONE, TWO), "ann", "one person", 5), [cluster], [])
    async with store.refreshing() as tx:
        one, gone = view(ONE, owner="m1", facts=b'{"a":1}'), view(TWO, owner="m2", state="gone")
        await tx.save_views([one, gone, view(THREE), view("party:4", state="gone")], {})
        found = await tx.party_views([ONE, TWO, THREE, "party:4", never])
    same = PartyView(alias_of(ONE), "m1", b'{"a":1}')
    assert found == {ONE: same, TWO: same, THREE: PartyView(alias_of(THREE), None, b"{}")}


def numbers(leased: Sequence[Shard]) -> set[int]:
    return {one.shard for one in leased}


async def test_one_worker_takes_every_shard(store: Store) -> None:
    assert numbers(await store.lease("a", 60_000)) == set(range(SHARDS))


async def test_shards_are_shared_out_and_never_held_twice(store: Store) -> None:
    await store.lease("a", 60_000)
    assert await store.lease("b", 60_000) == []  # the first learns of the second at its next renewal
    held = {name: await store.lease(name, 60_000) for name in ("a", "b")}
    assert {name: len(leased) for name, leased in held.items()} == {"a": SHARDS // 2, "b": SHARDS // 2}
    await store.lease("c", 60_000)
    held = {name: await store.lease(name, 60_000) for name in ("a", "b", "c")}
    assert sorted(shard.shard for leased in held.values() for shard in leased) == list(range(SHARDS))


async def test_a_worker_that_fell_silent_loses_its_share(store: Store) -> None:
    for name in ("a", "b", "a"):
        await store.lease(name, 60_000)
    assert len(await lapsed(store, "b")) == SHARDS // 2
    assert numbers(await store.lease("a", 1)) == set(range(SHARDS))


async def test_a_lapsed_lease_goes_to_another_worker_and_fences_the_first(store: Store) -> None:
    stale = next(one for one in await lapsed(store, "a") if one.shard == shard_of(ONE))
    assert await store.leaseholders() == []
    assert [one for one in await store.lease("b", 60_000) if one.shard == stale.shard]
    with pytest.raises(Fenced):
        async with store.refreshing() as tx:
            await tx.fence([stale])


async def test_who_lost_a_shard_and_holds_it_again_is_fenced_in_what_it_began_before(store: Store) -> None:
    before = {one.shard: one for one in await lapsed(store, "a")}
    await lapsed(store, "b")
    now = {one.shard: one for one in await store.lease("a", 60_000)}
    stale, own = before[shard_of(ONE)], now[shard_of(ONE)]
    with pytest.raises(Fenced):
        async with store.refreshing() as tx:
            await tx.fence([stale])
    async with store.refreshing() as tx:
        await tx.fence([own])


async def test_what_was_leased_while_the_clock_was_ahead_is_free_once_it_is_right(store: Store) -> None:
    with stores_ahead(hours=30):
        stale = await shard_for(store, ONE, "died then")
    assert await store.leaseholders() == []
    assert numbers(await store.lease("b", 60_000)) == set(range(SHARDS)), "nobody counts on the dead one"
    assert await store.leaseholders() == ["b"]
    with pytest.raises(Fenced):
        async with store.refreshing() as tx:
            await tx.fence([stale])


async def test_who_lives_on_while_the_clock_is_set_back_keeps_its_shards(store: Store) -> None:
    with stores_ahead(hours=30):
        await store.lease("a", 60_000)
    assert numbers(await store.lease("a", 60_000)) == set(range(SHARDS))
    assert await store.lease("b", 60_000) == []


async def test_who_releases_its_shards_leaves_others_theirs(store: Store) -> None:
    for name in ("b", "a", "b", "a"):
        held = {name: await store.lease(name, 60_000)}
    await store.lease("waits for its share", 60_000)
    assert await store.leaseholders() == ["a", "b"]
    await store.release("b")
    await store.release("waits for its share")
    async with store.refreshing() as tx:
        await tx.fence(held["a"])
    assert await store.leaseholders() == ["a"]
    assert numbers(await store.lease("a", 60_000)) == set(range(SHARDS)), "it counts on the others no longer"


async def test_a_released_lease_is_free_at_once(store: Store) -> None:
    stale = await shard_for(store, ONE, "a")
    await store.release("a")
    with pytest.raises(Fenced):
        async with store.refreshing() as tx:
            await tx.fence([stale])
    assert len(await store.lease("b", 60_000)) == SHARDS


async def test_what_one_leaves_is_shared_by_all_the_others(store: Store) -> None:
    for name in "abcdabcd":
        await store.lease(name, 60_000)
    await store.release("d")
    assert [len(await store.lease(name, 60_000)) for name in "abc"] == [6, 6, 4]


async def test_the_fence_moves_with_each_transaction(store: Store) -> None:
    leased = await shard_for(store, ONE)
    async with store.refreshing() as tx:
        [moved] = await tx.fence([leased])
    assert moved == Shard(leased.shard, leased.owner, leased.fence + 1)
    assert moved in await store.lease("worker", 60_000)
    with pytest.raises(Fenced):
        async with store.refreshing() as tx:
            await tx.fence([leased])


async def test_members_come_with_every_part_and_a_root_is_its_own_member(store: Store) -> None:
    owned, joint = Membership(ONE, "account:1", "owner", -5, 70), Membership(TWO, "account:1", "joint", 0, END)
    await member(store, [owned, joint], months=(3, 4))
    async with store.refreshing() as tx:
        found = await tx.members([ONE, TWO])
    assert [one.membership for one in found[ONE]] == [owned, Membership(ONE, ONE, "self", BEGINNING, END)]
    account, itself = found[ONE]
    assert (account.stored.heads, sorted(account.stored.months)) == ([Head(count=7)], [3, 4])
    assert (itself.stored.version, itself.stored.heads) == (0, [Head()])
    assert [one.membership.subject for one in found[TWO]] == ["account:1", TWO]


async def test_a_subject_that_counts_for_others_is_no_root(store: Store) -> None:
    gap = Membership("account:2", "account:2", "self", 9, END)
    in_household = Membership("household:1", ONE, "self", BEGINNING, END)
    await member(store, [Membership(ONE, "account:1", "owner", BEGINNING, END), in_household])
    await member(store, [gap, Membership(ONE, "account:2", "owner", BEGINNING, 9)])
    async with store.refreshing() as tx:
        found = await tx.members(["account:1", "account:2", ONE, "household:1"])
        alone = {root: (await tx.members([root]))[root] for root in found}
    assert {root: [one.membership for one in told] for root, told in alone.items()} == {
        root: [one.membership for one in told] for root, told in found.items()
    }
    assert [[one.membership.subject for one in found[root]] for root in found] == [
        [], ["account:2"], ["account:1", "account:2", ONE], ["household:1", ONE],
    ]  # fmt: skip
    assert [one.membership for one in found["account:2"]] == [gap]


async def test_memberships_are_replaced_whole(store: Store) -> None:
    await member(store, [Membership(ONE, "account:1", "owner", 0, 5), Membership(ONE, "card:1", "self", 0, 5)])
    await member(store, [Membership(TWO, "account:1", "owner", 0, 5)])
    async with store.updating() as tx:
        found = await tx.memberships_of(["account:1", "card:1"])
    assert sorted(found) == [Membership(ONE, "card:1", "self", 0, 5), Membership(TWO, "account:1", "owner", 0, 5)]


async def test_views_are_written_only_forwards(store: Store) -> None:
    async with store.refreshing() as tx:
        await tx.save_views([view(ONE, 2, tier="gold"), view(TWO)], {})
    with pytest.raises(Contended):
        async with store.refreshing() as tx:
            await tx.save_views([view(TWO, 2), view(ONE, 2, tier="profit")], {})
    async with store.refreshing() as tx:
        assert await tx.views([ONE, TWO, THREE]) == {ONE: view(ONE, 2, tier="gold"), TWO: view(TWO)}


async def test_what_was_judged_is_written_into_a_view_that_stays_as_it_is(store: Store) -> None:
    async with store.refreshing() as tx:
        await tx.save_views([view(ONE, 2), view(TWO)], {})
        await tx.save_judged({ONE: b'{"judged_day":7}', THREE: b'{"judged_day":8}'})
    async with store.refreshing() as tx:
        judged = msgspec.structs.replace(view(ONE, 2), decided=b'{"judged_day":7}')
        assert await tx.views([ONE, TWO, THREE]) == {ONE: judged, TWO: view(TWO)}


async def test_placements_are_read_page_by_page_of_one_instant_the_last(store: Store) -> None:
    first, second, other = Placement(ONE, 5, b"{}"), Placement(ONE, 9, b'{"tier":"gold"}'), Placement(TWO, 3, b"{}")
    async with store.refreshing() as tx:
        await tx.note_placements([other, Placement(ONE, 5, b'{"tier":"profit"}')])
    async with store.refreshing() as tx:
        await tx.note_placements([second, first])
        await tx.note_placements([])
    assert await store.placements_page(("", 0), 2) == [first, second]
    assert await store.placements_page((ONE, 5), 9) == [second, other]
    assert await store.placements_page((TWO, 3), 9) == []


async def due(store: Store, lead: str, version: int, *times: DueTime) -> None:
    async with store.refreshing() as tx:
        await tx.save_views([view(lead, version)], {lead: times})


async def test_due_times_fire_once_when_their_sources_are_complete(store: Store) -> None:
    await due(store, ONE, 1, DueTime(50, "salary", "day", ("core",)), DueTime(50, "gap", "hour", ()))
    await due(store, TWO, 1, DueTime(50, "salary", "day", ("core", "atm")), DueTime(99, "later", "day", ()))
    assert [await store.next_due(grain) for grain in ("day", "hour", "week")] == [50, 50, None]
    assert [await store.next_due("day", after) for after in (49, 50, 99)] == [50, 99, None]
    assert await store.fire_due(60, "day", {"core": 49, "atm": 49}, 10) == 0
    assert await store.fire_due(60, "day", {"core": 50}, 10) == 1
    assert await waiting(store) == [ONE]
    assert await store.fire_due(60, "day", {"core": 60, "atm": 60}, 10) == 1
    assert await store.fire_due(60, "day", {"core": 60, "atm": 60}, 10) == 0
    assert await waiting(store) == [TWO]
    assert await store.next_due("day") == 99


async def test_due_times_do_not_wait_for_a_source_that_was_switched_off(store: Store) -> None:
    await due(store, ONE, 1, DueTime(50, "salary", "day", ("atm", "core")))
    assert (await fire(store, Completeness({"core": 60}), 60)).days == 0
    assert (await fire(store, Completeness({"core": 60}, retired=("atm",)), 60)).days == 1


async def test_no_more_due_times_fire_than_asked_for(store: Store) -> None:
    for number in range(5):
        await due(store, f"party:{number}", 1, DueTime(number, "gap", "day", ("core",) if number % 2 else ()))
    assert [await store.fire_due(60, "day", {"core": 60}, 2) for _ in range(4)] == [2, 2, 1, 0]


async def test_what_is_due_for_longest_fires_first(store: Store) -> None:
    for lead, at in ((ONE, 30), (TWO, 20), (THREE, 40)):
        await due(store, lead, 1, DueTime(at, "gap", "day", ()))
    order = []
    while await store.fire_due(60, "day", {}, 1):
        order += await waiting(store)
    assert order == [TWO, ONE, THREE]


async def test_all_that_is_due_fires_however_many_are_fired_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.profile.timers.FIRED_AT_ONCE", 2)
    for number in range(5):
        await due(store, f"party:{number}", 1, DueTime(number, "gap", "hour" if number else "day", ()))
    assert await fire(store, Completeness(), 60) == (4, 1)


async def test_a_refresh_replaces_the_due_times_of_its_customer(store: Store) -> None:
    await due(store, ONE, 1, DueTime(5, "salary", "day", ()))
    await due(store, ONE, 2, DueTime(80, "salary", "day", ()), DueTime(80, "gap", "day", ()))
    assert await store.fire_due(60, "day", {}, 10) == 0
    assert await store.next_due("day") == 80


async def test_a_lane_is_published_in_order_by_one_at_a_time(store: Store) -> None:
    sent = [OutboxMessage("topic", b"key", bytes([number])) for number in range(5)]
    for part in (sent[:2], [], sent[2:]):
        async with store.refreshing() as tx:
            await tx.send({"shard-1": part}, 7)
    rows = await store.outbox("shard-1", 3)
    assert ([row.n for row in rows], [row.message for row in rows]) == ([1, 2, 3], sent[:3])
    assert rows[0].created_at == 7
    assert await store.published({"shard-1": (0, 3)}) == ["shard-1"]
    assert await store.published({"shard-1": (0, 3)}) == []
    assert [row.message for row in await store.outbox("shard-1", 10)] == sent[3:]
    assert await store.lanes_waiting() == {"shard-1": 7}


async def test_numbers_of_a_lane_go_on_after_everything_was_published(store: Store) -> None:
    for n in (1, 2):
        async with store.refreshing() as tx:
            await tx.send({"lane": [OutboxMessage("topic", b"", b"")]}, 7)
        assert [row.n for row in await store.outbox("lane", 10)] == [n]
        assert await store.published({"lane": (n - 1, n)})
    assert await store.lanes_waiting() == {}


def merge(number: int, *subjects: str, undoes: str | None = None) -> Decision:
    return Decision(f"d{number}", "split" if undoes else "merge", subjects, "ann", "same person", number, undoes)


async def test_a_merge_groups_its_roots_and_marks_them(store: Store) -> None:
    await store.decide(merge(1, ONE, TWO), [Cluster(ONE, (ONE, TWO))], [])
    assert await store.cluster(TWO) == Cluster(ONE, (ONE, TWO))
    assert await store.cluster(THREE) is None
    assert await waiting(store) == [ONE, TWO]
    async with store.refreshing() as tx:
        assert await tx.clusters([TWO, THREE]) == {TWO: Cluster(ONE, (ONE, TWO))}
    assert await store.decisions_on([ONE, THREE]) == [merge(1, ONE, TWO)]


async def test_a_split_dissolves_the_cluster_and_marks_all_of_it(store: Store) -> None:
    await store.decide(merge(1, ONE, TWO, THREE), [Cluster(ONE, (ONE, TWO, THREE))], [])
    await waiting(store)
    await store.decide(merge(2, THREE, undoes="d1"), [Cluster(ONE, (ONE, TWO))], [ONE])
    assert (await store.cluster(THREE), await store.cluster(TWO)) == (None, Cluster(ONE, (ONE, TWO)))
    assert await waiting(store) == [ONE, TWO, THREE]


async def test_a_merge_worked_out_on_an_older_cluster_is_refused(store: Store) -> None:
    await store.decide(merge(1, ONE, TWO), [Cluster(ONE, (ONE, TWO))], [])
    with pytest.raises(Contended):
        await store.decide(merge(2, TWO, THREE), [Cluster(TWO, (TWO, THREE))], [])
    assert await store.decisions_on([THREE]) == []


async def test_a_decision_told_twice_is_one(store: Store) -> None:
    for told in range(2):
        await store.decide(merge(1, ONE, TWO), [Cluster(ONE, (ONE, TWO))], [])
        assert await store.decisions_on([ONE, TWO]) == [merge(1, ONE, TWO)]
        assert await waiting(store) == ([] if told else [ONE, TWO]), "who was marked by it is not marked again"


async def test_a_decision_is_found_by_its_id(store: Store) -> None:
    await store.decide(merge(1, ONE, TWO), [Cluster(ONE, (ONE, TWO))], [])
    assert (await store.decision("d1"), await store.decision("d2")) == (merge(1, ONE, TWO), None)


async def test_a_review_is_open_until_a_decision_answers_it(store: Store) -> None:
    review = Decision("r1", "review", (ONE, TWO), "system", "one phone", 5, None, {"phone": "phone:1", "shared": 2})
    async with store.updating() as tx:
        await tx.record([review, review])
        await tx.record([review])
    assert await store.reviews(10) == [review]
    await store.decide(Decision("d9", "merge", (ONE, TWO), "ann", "yes", 6, "r1"), [Cluster(ONE, (ONE, TWO))], [])
    assert await store.reviews(10) == []


async def test_what_people_decided_is_told_in_the_order_in_which_it_took_effect(store: Store) -> None:
    async with store.updating() as tx:
        await tx.record([Decision("r1", "review", (ONE, TWO), "linking", "one phone", 1)])
    taken = [Decision(name, "separate", (ONE,), "ann", "why not", at) for name, at in (("d2", 5), ("d3", 5), ("d1", 6))]
    for one in reversed(taken):
        await store.decide(one, [], [])
    assert await store.decisions_taken(7) == taken
    assert await store.decisions_taken(6) == taken[:2]


async def test_a_decision_about_a_subject_marks_the_customers_it_counts_for(store: Store) -> None:
    await member(store, [Membership(ONE, "account:1", "owner", BEGINNING, END)])
    await store.decide(Decision("d1", "note", ("account:1", "login:9"), "ann", "why not", 5), [], [])
    assert await waiting(store) == ["login:9", ONE]


async def test_a_decision_marks_the_households_of_all_whom_it_merges_or_parts(store: Store) -> None:
    """Of those, too, whom an earlier decision has joined to the ones that it names."""
    await member(store, [Membership("household:1", THREE, "self", BEGINNING, END)])
    whole = Cluster(ONE, (ONE, TWO, THREE))
    for decision in (Decision("d1", "merge", (ONE, TWO), "ann", "one person", 5),
                     Decision("d2", "split", (ONE, TWO), "ann", "two after all", 6, undoes="d1")):  # fmt: skip
        await store.decide(decision, [whole] if decision.kind == "merge" else [], [ONE])
        assert await waiting(store) == ["household:1", ONE, TWO, THREE]


async def test_dead_letters_stay_replayed_when_told_again(store: Store) -> None:
    letter = StoredDeadLetter("l1", 5, "update", "core", "conflict", "$.id", "message", "e1", b"body", 4, "ab")
    for _ in range(2):
        async with store.updating() as tx:
            await tx.keep_dead_letters([letter, letter])
        assert await store.dead_letter("l1") == letter
        assert await store.dead_letters(10, "open") == [letter]
    assert await store.mark_letter_replayed("l1")
    async with store.updating() as tx:
        await tx.keep_dead_letters([letter])
    assert await store.dead_letters(10, "open") == []
    assert [found.letter_id for found in await store.dead_letters(10, "replayed")] == ["l1"]
    assert await store.dead_letter("l2") is None


async def test_open_letters_are_counted_and_told_newest_first(store: Store) -> None:
    letters = [
        StoredDeadLetter(name, at, "update", "core", "conflict", "$.id", "message", "e1", b"body", 4, "ab")
        for name, at in (("l2", 5), ("l3", 7), ("l1", 5), ("l4", 6))
    ]
    async with store.updating() as tx:
        await tx.keep_dead_letters(letters)
    await store.mark_letter_replayed("l4")
    assert [one.letter_id for one in await store.dead_letters(10, "open")] == ["l3", "l1", "l2"]
    assert [one.letter_id for one in await store.dead_letters(2, "open")] == ["l3", "l1"]
    assert await store.counts(["dead_letters"]) == {"dead_letters": 3}


@pytest.mark.parametrize(("narrowed", "names"), [
    ({"reason": "bug"}, ["l3", "l1"]), ({"source": "crm"}, ["l2", "l1"]), ({"reason": "bug", "source": "crm"}, ["l1"]),
    ({"source": "nobody"}, []), ({"reason": ""}, []), ({}, ["l4", "l3"]),
])  # fmt: skip
async def test_letters_of_one_reason_or_source_are_found_behind_newer_ones(
    store: Store, narrowed: dict[str, str], names: list[str]
) -> None:
    told = [("l1", "bug", "crm"), ("l2", "conflict", "crm"), ("l3", "bug", "core"), ("l4", "conflict", "core")]
    letters = [
        StoredDeadLetter(name, at, "update", source, reason, "$.id", "message", "e1", b"body", 4, "ab")
        for at, (name, reason, source) in enumerate(told)
    ]
    async with store.updating() as tx:
        await tx.keep_dead_letters(letters)
    assert [one.letter_id for one in await store.dead_letters(2, "open", **narrowed)] == names


def assertion(at: int, role: str = "owner", subject: str = "account:1", target: str = ONE, **told: object) -> Link:
    plain = {"first_at": at, "told_at": (at,), "source": "core", "event_id": f"e{at}"}
    return Link(subject=subject, target=target, role=role, **(plain | told))  # type: ignore[arg-type] # plain fields


async def add(store: Store, *links: Link) -> list[Link]:
    async with store.updating() as tx:
        return await tx.add_links(links)


async def test_only_links_that_hold_at_other_times_than_before_have_changed(store: Store) -> None:
    assert await add(store, assertion(10), assertion(10, "joint", target=TWO)) == [
        assertion(10), assertion(10, "joint", target=TWO),
    ]  # fmt: skip
    assert await add(store, assertion(10)) == []
    assert await add(store, assertion(20)) == []
    assert await add(store, assertion(5)) == [assertion(5, told_at=(5, 10, 20))]
    assert await store.links(["account:1"]) == [assertion(5, told_at=(5, 10, 20)), assertion(10, "joint", target=TWO)]


async def test_an_end_said_of_every_role_changes_the_links_it_ends(store: Store) -> None:
    end = assertion(30, "*", first_at=None, told_at=(), ends=(30,))
    await add(store, end)
    assert await add(store, assertion(10)) == [assertion(10)]
    assert await add(store, assertion(40)) == [assertion(10, told_at=(10, 40))]
    assert await add(store, end) == []


async def test_links_are_found_below_and_above(store: Store) -> None:
    card = assertion(1, "self", "card:1", "account:1")
    owner, home = assertion(1), assertion(1, "member", ONE, "household:1")
    stranger = assertion(1, "owner", "account:9", TWO)
    await add(store, card, owner, home, stranger)
    async with store.updating() as tx:
        for subject in ("card:1", "account:1", ONE):
            assert sorted(await tx.links_around([subject]), key=lambda link: link.key) == [owner, card, home]
        assert await tx.links_around(["account:7"]) == []
    assert await store.links_to([ONE, "account:1"]) == [owner, card]
