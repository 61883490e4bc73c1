"""One shard's marks, one transaction: every marked customer is combined once, and told only when something changed."""

from collections.abc import Iterable

import msgspec
import pytest

from schemas.changes import GONE, ProfileChange
from schemas.codec import decode_change
from schemas.identifiers import SUBJECT_LIMITS
from schemas.instants import DAY_MS
from services.failures import Fenced, Unavailable
from services.profile.decide import Decide, Said
from services.profile.domain.customers.customer import Completeness
from services.profile.domain.shards import SHARDS, shard_of
from services.profile.domain.states.packing import pack_heads
from services.profile.domain.states.state import Entry, Head
from services.profile.outbox import lane_of_shard
from services.profile.ports.records import LIVE, Mark, Shard, StoredView
from services.profile.refresh import FAILED_AT_ONCE, Refresh
from services.profile.resting import COLLECTIVE_S, CUSTOMER_S, SET_ASIDE_S, Resting
from services.profile.statement import made_by
from tests.ports.profile_stores import Store, alias_of, lapsed, store
from tests.profile.expected import differences, expected, held
from tests.profile.test_update import new_update
from tests.profile.told import DECLARED, NOW, batch, new_fold, opened, paid, told

__all__ = ["store"]
FIRST = NOW - 30 * DAY_MS
SAID = Said("anna", "the same person", NOW)


def new_refresh(store: Store, completeness: Completeness | None = None, resting: Resting | None = None) -> Refresh:
    known = completeness or Completeness()
    return Refresh(store, lambda: DECLARED.policy, lambda: known, alias_of, resting or Resting(0, 0))


async def refresh_all(store: Store, now: int = NOW, completeness: Completeness | None = None) -> list[str]:
    """Customers with a new version, in the order of refreshing, until no mark is left."""
    changed: list[str] = []
    refresh = new_refresh(store, completeness)
    shards = {one.shard: one for one in await store.lease("worker", 3_600_000)}
    while waiting := await store.marks_waiting():
        for number in waiting:
            done = await refresh.apply([shards[number]], 100, now)
            shards |= {one.shard: one for one in done.shards}
            changed += done.changed
    return changed


async def mark(store: Store, roots: Iterable[str]) -> None:
    async with store.updating() as tx:
        await tx.mark([Mark(root, 5) for root in roots])


async def changes(store: Store) -> list[ProfileChange]:
    lanes = map(lane_of_shard, range(SHARDS))
    return [decode_change(row.message.value) for lane in lanes for row in await store.outbox(lane, 1000)]


async def waits(store: Store, root: str) -> bool:
    async with store.customers() as look:
        return any(one.waits for one in await look.resolve([root]))


async def view_of(store: Store, lead: str) -> StoredView:
    view = await store.view(alias_of(lead))
    assert view is not None
    return view


async def test_a_view_shows_all_subjects_of_its_customer_and_its_change_is_published(store: Store) -> None:
    payment = paid("p-1", FIRST + 1, "6002", balance_after={"value": "70.00", "currency": "CNY"})
    events = [opened("6001", "77", FIRST), opened("6002", "77", FIRST), payment]
    await new_update(store).apply([batch(0, events)], NOW)
    await refresh_all(store)
    view = await view_of(store, "party:77")
    body = msgspec.json.decode(view.body)
    assert [one["account_no"] for one in body["accounts"]] == ["6001", "6002"]
    assert body["channels"]["corebank"]["count"] == 3
    [change] = [one for one in await changes(store) if one.customer_id == view.customer_id]
    assert (change.version, change.kind) == (view.version, view.kind)
    assert {alias_of("account:6001"), alias_of("account:6002")} <= set(change.aliases)


async def test_a_bug_that_meets_one_customer_holds_up_nobody_else_and_its_mark_stays(store: Store) -> None:
    await new_update(store).apply([batch(0, [opened("6001", "66", FIRST), opened("6002", "77", FIRST)])], NOW)
    bug, seconds = ValueError("of one customer alone"), [0.0]

    def alias_unless_poisoned(subject: str) -> str:
        if subject == "party:66" and not seconds[0]:
            raise bug
        return alias_of(subject)

    refresh = Refresh(
        store, lambda: DECLARED.policy, Completeness, alias_unless_poisoned, Resting(0, 0, lambda: seconds[0])
    )
    shards = await store.lease("worker", 3_600_000)
    done = await refresh.apply(shards, 100, NOW)
    assert done.failed == {"party:66": bug}
    assert done.changed == [(await view_of(store, "party:77")).customer_id]
    assert await waits(store, "party:66")
    assert (await refresh.apply(done.shards, 100, NOW)).marks == 0, "it is left alone for a while"
    seconds[0] = SET_ASIDE_S
    again = await refresh.apply(await store.lease("worker", 3_600_000), 100, NOW)
    assert (again.changed, again.failed) == ([alias_of("party:66")], {})


CUT_OFF, OF_ANOTHER_SHAPE = b"\xc1", b"\x91\x01"
NONSENSE = pack_heads([Head(count=1, things={"account:6001": {"balance": Entry((0, 0, 0, "", ""), "much")}})])


async def garble(store: Store, subject: str, heads: bytes = CUT_OFF) -> None:
    """What a disk or a bug may leave of a state."""
    async with store.updating() as tx:
        stored = await tx.lock_subjects({subject: frozenset()})
        stored[subject].heads = heads
        await tx.save_subjects(list(stored.values()))


@pytest.mark.parametrize("heads", [CUT_OFF, OF_ANOTHER_SHAPE, NONSENSE])
async def test_a_state_that_cannot_be_read_sets_aside_its_customers_alone(store: Store, heads: bytes) -> None:
    joint = told("holder.added", "h-1", FIRST, account_no="6001", customer_no="67")
    await new_update(store).apply([batch(0, [opened("6001", "66", FIRST), joint, opened("6002", "77", FIRST)])], NOW)
    await garble(store, "account:6001", heads)
    done = await new_refresh(store).apply(await store.lease("worker", 3_600_000), 100, NOW)
    assert done.failed.keys() == {"party:66", "party:67"}
    assert done.changed == [alias_of("party:77")]
    assert await store.count_aside() == len(done.failed)


@pytest.mark.parametrize("heads", [CUT_OFF, OF_ANOTHER_SHAPE])
async def test_a_state_that_cannot_be_read_is_folded_anew_by_the_next_event(store: Store, heads: bytes) -> None:
    events = [opened("6001", "66", FIRST), *(paid(f"p-{n}", FIRST + n * DAY_MS, "6001") for n in range(3))]
    await new_update(store).apply([batch(0, events[:-1])], NOW)
    await garble(store, "account:6001", heads)
    assert (await new_update(store).apply([batch(3, events[-1:])], NOW)).applied == 1
    assert differences(expected(events, new_fold()), await held(store)) == []


async def test_where_customer_after_customer_fails_the_release_is_wrong_and_nothing_has_happened(store: Store) -> None:
    many = [opened(f"60{n}", f"c{n}", FIRST) for n in range(FAILED_AT_ONCE + 1)]
    await new_update(store).apply([batch(0, many)], NOW)
    waiting = await store.marks_waiting()

    def alias_of_none(subject: str) -> str:
        raise ValueError(subject)

    refresh = Refresh(store, lambda: DECLARED.policy, Completeness, alias_of_none, Resting(0, 0))
    with pytest.raises(ValueError, match="account:"):
        await refresh.apply(await store.lease("worker", 3_600_000), 100, NOW)
    assert await store.marks_waiting() == waiting


async def test_where_all_states_are_of_another_release_their_refresh_waits_for_the_rebuild(store: Store) -> None:
    many = [paid(f"p-{n}", FIRST, f"60{n}") for n in range(FAILED_AT_ONCE + 1)]
    await new_update(store).apply([batch(0, many)], NOW)
    for n in range(len(many)):
        await garble(store, f"account:60{n}", OF_ANOTHER_SHAPE)
    with pytest.raises(Unavailable, match="rebuilt"):
        await new_refresh(store).apply(await store.lease("worker", 3_600_000), 100, NOW)
    assert await store.count_aside() == 0


async def test_a_month_that_falls_behind_the_horizon_while_its_subject_is_cut_harms_nobody(store: Store) -> None:
    long_ago = paid("p-0", NOW - 9_000 * DAY_MS, "6001")
    await new_update(store).apply([batch(0, [long_ago])], NOW)
    holder = told("holder.added", "h-1", FIRST, account_no="6001", customer_no="77")
    await new_update(store).apply([batch(1, [holder, paid("p-1", FIRST - DAY_MS, "6001")])], NOW)
    done = await new_refresh(store).apply(await store.lease("worker", 3_600_000), 100, NOW)
    assert (done.failed, len(done.changed)) == ({}, 2)
    again = paid("p-2", NOW - 9_000 * DAY_MS + 1, "6001")
    assert (await new_update(store).apply([batch(3, [again])], NOW)).applied == 1


async def test_declarations_that_are_replaced_meanwhile_wait_for_the_next_transaction(store: Store) -> None:
    policies = [msgspec.structs.replace(DECLARED.policy, version=version) for version in ("first", "second")]
    await new_update(store).apply([batch(0, [paid(f"p-{n}", FIRST, f"60{n}") for n in range(3)])], NOW)
    refresh = Refresh(store, lambda: policies.pop(0), Completeness, alias_of, Resting(0, 0))
    done = await refresh.apply(await store.lease("worker", 3_600_000), 100, NOW)
    assert len(done.changed) == 3
    assert {made_by(await view_of(store, f"account:60{n}")) for n in range(3)} == {"first"}


async def test_many_marks_of_one_customer_are_one_refresh(store: Store) -> None:
    await new_update(store).apply([batch(0, [opened("6001", "77", FIRST)])], NOW)
    await refresh_all(store)
    before = await view_of(store, "party:77")
    await new_update(store).apply([batch(1, [paid(f"p-{n}", FIRST + n, "6001") for n in range(9)])], NOW)
    await mark(store, ["party:77"] * 5)
    assert await refresh_all(store) == [before.customer_id]
    assert (await view_of(store, "party:77")).version == before.version + 1


async def test_a_mark_without_a_change_makes_no_version_and_tells_nobody(store: Store) -> None:
    await new_update(store).apply([batch(0, [opened("6001", "77", FIRST)])], NOW)
    await refresh_all(store)
    sent = await changes(store)
    await mark(store, ["party:77"])
    assert await refresh_all(store) == []
    assert await changes(store) == sent


async def test_due_times_that_fired_are_set_anew_even_where_nothing_else_has_changed(store: Store) -> None:
    await new_update(store).apply([batch(0, [opened("6001", "77", FIRST), paid("p-1", FIRST, "6001")])], NOW)
    await refresh_all(store)
    close = await store.next_due("day")
    assert close is not None
    fired = await store.fire_due(close, "day", {}, 100)
    assert fired
    await refresh_all(store, close)
    await mark(store, ["party:77"])
    await store.fire_due(close + 365 * DAY_MS, "day", {}, 100)
    assert await refresh_all(store, close) == []
    again = await store.next_due("day")
    assert again is not None
    assert again > close


async def test_a_worker_that_lost_its_shard_is_fenced_and_leaves_its_marks(store: Store) -> None:
    await new_update(store).apply([batch(0, [opened("6001", "77", FIRST)])], NOW)
    number = shard_of("party:77")
    stale = next(one for one in await lapsed(store, "frozen") if one.shard == number)
    taken = next(one for one in await store.lease("other", 1) if one.shard == number)
    with pytest.raises(Fenced):
        await new_refresh(store).apply([stale], 100, NOW)
    assert (await new_refresh(store).apply([taken], 100, NOW)).changed == [alias_of("party:77")]


async def test_a_lease_moves_with_every_transaction(store: Store) -> None:
    [first, *_] = await store.lease("worker", 1000)
    done = await new_refresh(store).apply([first], 100, NOW)
    assert done.shards == [Shard(first.shard, first.owner, first.fence + 1)]
    with pytest.raises(Fenced):
        await new_refresh(store).apply([first], 100, NOW)


async def test_an_account_that_finds_its_customer_is_no_customer_of_its_own_any_more(store: Store) -> None:
    update = new_update(store)
    await update.apply([batch(0, [paid("p-1", FIRST, "6001")])], NOW)
    await refresh_all(store)
    assert (await view_of(store, "account:6001")).state == LIVE
    await update.apply([batch(1, [opened("6001", "77", FIRST)])], NOW)
    await refresh_all(store)
    gone = await view_of(store, "account:6001")
    assert (gone.state, gone.version, gone.body) == (GONE, NOW + 1, b"{}")
    assert (await view_of(store, "party:77")).state == LIVE
    async with store.updating() as tx:
        await tx.mark([Mark("account:6001", NOW)])
    assert alias_of("account:6001") not in await refresh_all(store)
    assert await view_of(store, "account:6001") == gone


async def test_a_merge_publishes_both_customers_and_a_split_brings_both_back_with_higher_versions(store: Store) -> None:
    await new_update(store).apply([batch(0, [opened("6001", "77", FIRST), opened("6002", "78", FIRST)])], NOW)
    await refresh_all(store)
    single = msgspec.json.decode((await view_of(store, "party:77")).body)
    decide = Decide(store, new_fold(), SUBJECT_LIMITS)
    merge = await decide.merge(alias_of("party:77"), alias_of("party:78"), SAID)
    assert set(await refresh_all(store)) == {alias_of("party:77"), alias_of("party:78")}
    assert [(await view_of(store, party)).state for party in ("party:77", "party:78")] == [LIVE, GONE]
    told_of = [one for one in await changes(store) if one.customer_id == alias_of("party:78")]
    assert (told_of[-1].kind, told_of[-1].aliases) == (GONE, [alias_of("party:77")])
    told_of = [one for one in await changes(store) if one.customer_id == alias_of("party:77")]
    assert [one.merged for one in told_of] == [[], [alias_of("party:78")]]
    await decide.undo(merge.decision_id, SAID)
    await refresh_all(store)
    views = [await view_of(store, party) for party in ("party:77", "party:78")]
    assert [(view.state, view.version) for view in views] == [(LIVE, NOW + 2), (LIVE, NOW + 2)]
    assert msgspec.json.decode(views[0].body)["accounts"] == single["accounts"]


async def test_who_was_erased_and_merged_before_anybody_was_told_of_either_is_told_of_as_gone_and_erased(
    store: Store,
) -> None:
    events = [opened("6001", "77", FIRST), opened("6002", "78", FIRST), paid("p-1", FIRST, "6003")]
    await new_update(store).apply([batch(0, events)], NOW)
    await refresh_all(store)
    decide = Decide(store, new_fold(), SUBJECT_LIMITS)
    for subject in ("party:78", "account:6003"):
        await decide.erase(alias_of(subject), SAID)
    await decide.merge(alias_of("party:77"), alias_of("party:78"), SAID)
    await new_update(store).apply([batch(3, [opened("6003", "77", FIRST)])], NOW)
    await refresh_all(store)
    last = {one.customer_id: (one.kind, one.erased_at) for one in await changes(store)}
    assert [last[alias_of(subject)] for subject in ("party:77", "party:78", "account:6003")] == [
        ("person", 0), (GONE, SAID.at), (GONE, SAID.at)
    ]  # fmt: skip


async def test_a_household_is_a_customer_of_its_own_over_the_subjects_of_its_members(store: Store) -> None:
    events = [
        opened("6001", "77", FIRST),
        told("holder.added", "h-1", FIRST, account_no="6001", customer_no="78", attributes={"role": "joint"}),
        *(told("household.joined", f"j-{n}", FIRST, customer_no=n, household_no="h-1") for n in ("77", "78")),
        paid("p-1", FIRST + DAY_MS, "6001"),
    ]
    await new_update(store).apply([batch(0, events)], NOW)
    await refresh_all(store)
    view = await view_of(store, "household:h-1")
    body = msgspec.json.decode(view.body)
    assert view.kind == "household"
    assert {one["customer_no"] for one in body["members"]} == {"77", "78"}
    assert [one["account_no"] for one in body["accounts"]] == ["6001"]


async def test_a_household_shows_in_the_views_of_those_who_stand_in_it_now_and_of_nobody_else(store: Store) -> None:
    events = [
        opened("6001", "77", FIRST),
        told("holder.added", "h-1", FIRST, account_no="6001", customer_no="78", attributes={"role": "joint"}),
        *(told("household.joined", f"j-{n}", FIRST, customer_no=n, household_no="h-1") for n in ("77", "79")),
        told("household.left", "l-79", FIRST + DAY_MS, customer_no="79", household_no="h-1"),
    ]
    await new_update(store).apply([batch(0, events)], NOW)
    for _ in range(2):  # a household's view comes into those of its members by a refresh of their own
        await refresh_all(store)
    shown = {
        root: msgspec.json.decode((await view_of(store, root)).body)["household"]
        for root in ("party:77", "party:78", "party:79", "household:h-1")
    }
    assert shown.pop("party:77")["members"] == 1
    assert list(shown.values()) == [None, None, None]


@pytest.mark.parametrize(("root", "rest_s"), [("household:h-1", COLLECTIVE_S), ("party:77", CUSTOMER_S)])
async def test_who_was_just_refreshed_rests_and_what_comes_meanwhile_is_one_refresh(
    store: Store, root: str, rest_s: float
) -> None:
    seconds = [100.0]
    resting = Resting(clock=lambda: seconds[0])
    refresh = new_refresh(store, resting=resting)
    shard = next(one for one in await store.lease("worker", 3_600_000) if one.shard == shard_of(root))
    seen = []
    for after in (0.0, 0.0, rest_s - 0.01, rest_s):
        seconds[0] = 100.0 + after
        await mark(store, [root])
        waiting = await store.marks_waiting(resting.roots([shard.shard]))
        done = await refresh.apply([shard], 100, NOW)  # the clock of the deployment may stand still
        [shard] = done.shards
        seen.append((waiting.get(shard.shard, 0), done.marks, await waits(store, root)))
    assert seen == [(1, 1, False), (0, 0, True), (0, 0, True), (3, 1, False)]


async def test_who_rests_holds_up_nobody_else(store: Store) -> None:
    hot, other = [root for n in range(200) if shard_of(root := f"party:{n}") == 0][:2]
    resting = Resting(clock=lambda: 0.0)
    resting.note([hot])
    shard = next(one for one in await store.lease("worker", 3_600_000) if one.shard == 0)
    await mark(store, [hot] * 20 + [other])
    done = await new_refresh(store, resting=resting).apply([shard], 1, NOW)
    assert done.marks == 1
    assert (await waits(store, hot), await waits(store, other)) == (True, False)


async def test_who_could_not_be_refreshed_does_not_rest(store: Store) -> None:
    resting = Resting(clock=lambda: 0.0)
    stale = next(one for one in await lapsed(store, "frozen") if one.shard == shard_of("party:77"))
    await store.lease("other", 1)
    await mark(store, ["party:77"])
    with pytest.raises(Fenced):
        await new_refresh(store, resting=resting).apply([stale], 100, NOW)
    assert resting.roots([stale.shard]) == []


async def test_shards_are_refreshed_together_and_each_change_stands_in_the_lane_of_its_own(store: Store) -> None:
    parties = [f"party:{n}" for n in range(70, 90)]
    opening = [opened(f"60{n}", str(n), FIRST) for n in range(70, 90)]
    await new_update(store).apply([batch(0, opening)], NOW)
    shards = await store.lease("worker", 3_600_000)
    done = await new_refresh(store).apply(shards, 100, NOW)
    assert sorted(done.changed) == sorted(map(alias_of, parties))
    assert done.shards == await store.lease("worker", 3_600_000)
    for shard in range(SHARDS):
        told_of = [row.message.key.decode() for row in await store.outbox(lane_of_shard(shard), 100)]
        assert sorted(told_of) == sorted(alias_of(one) for one in parties if shard_of(one) == shard)


async def test_one_lost_shard_fences_the_refresh_of_all(store: Store) -> None:
    await new_update(store).apply([batch(0, [opened("6001", "77", FIRST)])], NOW)
    [first, *others] = await store.lease("worker", 3_600_000)
    await new_refresh(store).apply([first], 100, NOW)
    with pytest.raises(Fenced):
        await new_refresh(store).apply([first, *others], 100, NOW)
    assert await waits(store, "party:77")
