"""Households and groups follow the managers of their members, by refreshes of their own, and come to rest."""

from collections.abc import Mapping, Sequence
from itertools import permutations

import msgspec
import pytest

from schemas.changes import GONE
from schemas.events import ChannelEvent
from schemas.identifiers import SUBJECT_LIMITS
from schemas.instants import DAY_MS
from services.profile.decide import Decide, Said
from services.profile.domain.customers.customer import Decided
from services.profile.domain.shards import shard_of
from services.profile.gathering import facts_of
from services.profile.ports.records import LIVE
from tests.ports.profile_stores import Store, alias_of, shard_for, store
from tests.profile.test_refresh import changes, mark, new_refresh, refresh_all, view_of, waits
from tests.profile.test_update import new_update
from tests.profile.told import NOW, batch, new_fold, opened, paid, told

__all__ = ["store"]
FIRST = NOW - 30 * DAY_MS
HOME, SAID = "household:h-1", Said("anna", "the same person", NOW)
POOR, RICH, OUTSIDER = "77", "78", "79"


class Town:
    """What a bank tells, batch after batch, each refreshed until no mark is left."""

    def __init__(self, store: Store) -> None:
        self.store, self._update, self._start, self._count = store, new_update(store), 0, 0

    async def tell(self, *events: ChannelEvent) -> list[str]:
        """Customers with a new version, in the order of refreshing."""
        await self.hear(*events)
        return await refresh_all(self.store)

    async def hear(self, *events: ChannelEvent) -> None:
        """And nobody is refreshed yet."""
        await self._update.apply([batch(self._start, events)], NOW)
        self._start += len(events)

    def at(self) -> int:
        """Each event is later than the one before."""
        self._count += 1
        return FIRST + self._count * 60_000

    def assigned(self, customer: str, manager: str) -> ChannelEvent:
        at = self.at()
        return told("manager.assigned", f"as-{at}", at, customer_no=customer, attributes={"manager_id": manager})

    def home(self, what: str, customer: str, home: str = HOME) -> ChannelEvent:
        at = self.at()
        return told(f"household.{what}", f"h-{at}", at, customer_no=customer, household_no=home.partition(":")[2])

    def left(self, manager: str, successor: str) -> ChannelEvent:
        at = self.at()
        return told("manager.left", f"l-{at}", at, manager_id=manager, attributes={"successor_id": successor})

    def holds(self, customer: str, balance: str) -> Sequence[ChannelEvent]:
        at = self.at()
        booked = {"value": balance, "currency": "CNY"}
        return opened(f"60{customer}", customer, at), paid(f"p-{at}", at, f"60{customer}", balance_after=booked)

    async def owner(self, root: str = HOME) -> tuple[str | None, str | None]:
        """Of the row, and as the view shows it."""
        view = await view_of(self.store, root)
        shown = msgspec.json.decode(view.body)["owner"]
        return view.owner, None if shown is None else shown["manager_id"]


@pytest.fixture
async def town(store: Store) -> Town:
    """A household of a rich one in M-1's care and a poor one in M-2's; an outsider is in M-3's."""
    town = Town(store)
    cared = [town.assigned(*pair) for pair in ((RICH, "M-1"), (POOR, "M-2"), (OUTSIDER, "M-3"))]
    rich, poor = town.holds(RICH, "900.00"), town.holds(POOR, "20.00")
    await town.tell(*cared, *rich, *poor, town.home("joined", POOR), town.home("joined", RICH))
    return town


async def test_members_refreshed_with_their_household_show_it_as_it_is_now(town: Town) -> None:
    store, rich, poor = town.store, f"party:{RICH}", f"party:{POOR}"
    _, booked = town.holds(RICH, "950.00")
    await town.hear(booked)
    await mark(store, [poor])
    done = await new_refresh(store).apply(await store.lease("worker", 3_600_000), 100, NOW)
    assert sorted(done.changed) == sorted(map(alias_of, (HOME, poor, rich)))
    views = [msgspec.json.decode((await view_of(store, root)).body) for root in (poor, rich)]
    assert [view["household"]["assets"]["value"] for view in views] == ["970.00"] * 2
    assert [await waits(store, root) for root in (HOME, poor, rich)] == [False] * 3
    await mark(store, [HOME, poor, rich])
    assert await refresh_all(store) == []  # one after the other they come to the same


async def test_a_household_refreshed_with_a_member_follows_what_is_decided_of_it_by_a_refresh_of_its_own(
    town: Town,
) -> None:
    await town.hear(town.assigned(RICH, "M-4"))
    await mark(town.store, [HOME])
    await new_refresh(town.store).apply(await town.store.lease("worker", 3_600_000), 100, NOW)
    assert (await town.owner(), await waits(town.store, HOME)) == (("M-1", "M-1"), True)
    await refresh_all(town.store)
    assert await town.owner() == ("M-4", "M-4")


async def test_a_household_is_in_the_care_of_its_richest_member_s_manager(town: Town) -> None:
    assert await town.owner() == ("M-1", "M-1")
    async with town.store.refreshing() as tx:
        assert await tx.owned_counts(["M-1", "M-2", "M-3"]) == {
            "M-1": 1,
            "M-2": 1,
            "M-3": 1,
        }  # a household takes nobody's room


async def test_when_the_richest_member_s_manager_leaves_the_household_follows_the_successor(town: Town) -> None:
    changed = await town.tell(town.left("M-1", "M-4"))
    assert (await town.owner(), await town.owner(f"party:{RICH}")) == (("M-4", "M-4"), ("M-4", "M-4"))
    assert changed.count(alias_of(HOME)) <= 2
    assert changed.count(alias_of(f"party:{RICH}")) == 1  # neither marks the other without end
    shown = msgspec.json.decode((await view_of(town.store, HOME)).body)["owner"]
    assert (shown["former"], shown["reason"]) == ("M-1", "follows_member")


async def test_a_member_who_goes_to_another_manager_takes_the_household_along_unless_its_owner_has_another(
    town: Town,
) -> None:
    await town.tell(town.assigned(POOR, "M-1"), town.assigned(RICH, "M-5"))
    assert await town.owner() == ("M-1", "M-1")
    await town.tell(town.assigned(POOR, "M-2"))
    assert await town.owner() == ("M-5", "M-5")


async def test_members_who_leave_and_join_move_the_household(town: Town) -> None:
    await town.tell(town.home("left", RICH))
    assert await town.owner() == ("M-2", "M-2")
    await town.tell(town.home("joined", OUTSIDER))
    assert await town.owner() == ("M-2", "M-2")
    await town.tell(town.home("left", POOR))
    assert await town.owner() == ("M-3", "M-3")


async def test_whoever_joins_or_leaves_without_money_is_counted_in_the_views_of_the_others(town: Town) -> None:
    for what, members in (("joined", 3), ("left", 2)):
        await town.tell(town.home(what, OUTSIDER))
        shown = msgspec.json.decode((await view_of(town.store, f"party:{RICH}")).body)["household"]
        assert (shown["members"], shown["assets"]["value"]) == (members, "920.00")


async def test_a_household_that_everybody_left_is_gone_and_comes_back_with_the_next_member(town: Town) -> None:
    await town.tell(town.home("left", RICH))
    assert (await view_of(town.store, HOME)).state == LIVE
    changed = await town.tell(town.home("left", POOR))
    gone = await view_of(town.store, HOME)
    assert (gone.state, gone.owner, gone.body) == (GONE, None, b"{}")
    assert changed.count(alias_of(HOME)) == 1
    [last] = [one for one in await changes(town.store) if one.customer_id == alias_of(HOME)][-1:]
    assert (last.kind, last.aliases) == (GONE, [])  # nobody has become it: its alerts are withdrawn
    await town.tell(town.home("joined", OUTSIDER))
    back = await view_of(town.store, HOME)
    assert (back.state, back.version, await town.owner()) == (LIVE, gone.version + 1, ("M-3", "M-3"))


async def test_who_leaves_with_much_money_lets_nobody_s_assets_fall_below_the_threshold(town: Town) -> None:
    """No money has moved. A payment does."""
    roots = (HOME, f"party:{RICH}", f"party:{POOR}")
    await town.tell(*town.holds(RICH, "4000000.00"), *town.holds(POOR, "3000000.00"))
    await town.tell(town.home("left", POOR))
    for root in roots:
        facts = facts_of(await view_of(town.store, root))
        assert (facts["assets_band"], facts["assets_former_band"]) == ("below", "")
    await town.tell(town.home("joined", POOR))
    assert [facts_of(await view_of(town.store, one))["assets_band"] for one in roots] == ["above"] * 3
    await town.tell(*town.holds(POOR, "2.00"))
    facts = facts_of(await view_of(town.store, HOME))
    assert (facts["assets_band"], facts["assets_former_band"]) == ("below", "above")


async def test_a_member_who_is_merged_and_split_again_moves_the_household_with_each_decision(town: Town) -> None:
    """The one number stays in the household, and who stands behind it has another manager."""
    await town.tell(town.home("left", POOR))
    decide = Decide(town.store, new_fold(), SUBJECT_LIMITS)
    await town.tell(town.assigned(OUTSIDER, "M-3"))
    merge = await decide.merge(alias_of(f"party:{RICH}"), alias_of(f"party:{OUTSIDER}"), SAID)
    await refresh_all(town.store)
    assert await town.owner(f"party:{RICH}") == ("M-3", "M-3")
    assert await town.owner() == ("M-3", "M-3")
    await decide.undo(merge.decision_id, SAID)
    await refresh_all(town.store)
    assert await town.owner() == await town.owner(f"party:{RICH}")
    await town.tell(town.assigned(RICH, "M-6"))
    assert await town.owner() == ("M-6", "M-6")


async def test_a_household_follows_the_number_of_a_member_that_another_customer_has_absorbed(town: Town) -> None:
    """Also where the decision itself names neither the member nor the household."""
    decide, other = Decide(town.store, new_fold(), SUBJECT_LIMITS), "household:h-2"
    await town.tell(town.home("joined", OUTSIDER, other), town.assigned(POOR, "M-7"))
    await decide.merge(alias_of(f"party:{RICH}"), alias_of(f"party:{OUTSIDER}"), SAID)
    await refresh_all(town.store)
    merge = await decide.merge(alias_of(f"party:{POOR}"), alias_of(f"party:{RICH}"), SAID)
    await refresh_all(town.store)
    assert await town.owner(other) == await town.owner(f"party:{POOR}") == ("M-7", "M-7")
    await decide.undo(merge.decision_id, SAID)
    await refresh_all(town.store)
    assert await town.owner(other) == await town.owner(f"party:{RICH}") == ("M-3", "M-3")


async def test_what_a_member_has_under_a_number_that_was_merged_is_the_household_s_too(town: Town) -> None:
    """Else it would have less than its member, and nobody would be told that the threshold is near."""
    decide, at = Decide(town.store, new_fold(), SUBJECT_LIMITS), town.at()
    await town.tell(*town.holds(OUTSIDER, "7000000.00"))
    merge = await decide.merge(alias_of(f"party:{POOR}"), alias_of(f"party:{OUTSIDER}"), SAID)
    await refresh_all(town.store)
    assert await shown_of(town) == (7000920, 2, "above", "")
    assert (await facts_seen(town, f"party:{RICH}"))["household_assets"] == 7000920
    complaint = told("case.opened", "c", at, case_id="1", customer_no=OUTSIDER, attributes={"case_kind": "complaint"})
    await town.tell(*town.holds(OUTSIDER, "9000000.00"), complaint)
    assert await shown_of(town) == (9000920, 2, "above", "")
    assert (await facts_seen(town, HOME))["complaint_open"] is True
    await town.tell(town.home("joined", OUTSIDER))
    assert await shown_of(town) == (9000920, 3, "above", "")
    await town.tell(town.home("left", OUTSIDER))
    await decide.undo(merge.decision_id, SAID)
    await refresh_all(town.store)
    assert await shown_of(town) == (920, 2, "below", "")
    assert (await facts_seen(town, HOME))["complaint_open"] is False


async def test_a_number_that_was_merged_need_not_agree_to_marketing_and_may_refuse_it(town: Town) -> None:
    def says(what: str, customer: str) -> ChannelEvent:
        said, at = {"purpose": "marketing"}, town.at()
        return told(f"consent.{what}", f"{what}-{customer}", at, customer_no=customer, attributes=said)

    decide = Decide(town.store, new_fold(), SUBJECT_LIMITS)
    await town.tell(says("given", RICH), says("given", POOR))
    await decide.merge(alias_of(f"party:{POOR}"), alias_of(f"party:{OUTSIDER}"), SAID)
    await refresh_all(town.store)
    assert (await facts_seen(town, HOME))["marketing_consent"] is True
    await town.tell(says("withdrawn", OUTSIDER))
    assert (await facts_seen(town, HOME))["marketing_consent"] is False


async def shown_of(town: Town) -> tuple[object, ...]:
    facts = await facts_seen(town, HOME)
    return facts["assets"], facts["members"], facts["assets_band"], facts["assets_former_band"]


async def facts_seen(town: Town, root: str) -> Mapping[str, object]:
    return facts_of(await view_of(town.store, root))


async def test_a_member_in_nobody_s_care_who_is_parted_from_another_takes_that_one_s_manager_along(town: Town) -> None:
    decide, other, nobody_s = Decide(town.store, new_fold(), SUBJECT_LIMITS), "household:h-2", "91"
    await town.tell(town.home("joined", nobody_s, other))
    merge = await decide.merge(alias_of(f"party:{RICH}"), alias_of(f"party:{nobody_s}"), SAID)
    await refresh_all(town.store)
    await town.tell(town.home("joined", OUTSIDER, other))
    assert await town.owner(other) == ("M-1", "M-1")
    await decide.undo(merge.decision_id, SAID)
    await refresh_one(town.store, other)
    assert await town.owner(other) == ("M-1", "M-1")  # who has come back was not looked at yet
    await refresh_all(town.store)
    assert await town.owner(other) == ("M-3", "M-3")


async def test_a_member_who_keeps_the_manager_leaves_the_household_alone(town: Town) -> None:
    await mark(town.store, [f"party:{RICH}", f"party:{POOR}"])
    done = await new_refresh(town.store).apply(await town.store.lease("worker", 3_600_000), 100, NOW)
    assert (done.marks, await town.store.marks_waiting()) == (2, {})
    await town.tell(*town.holds(POOR, "5000.00"))
    assert await town.owner() == ("M-1", "M-1")


async def test_how_a_household_is_placed_is_kept_with_its_time(town: Town) -> None:
    await town.tell(town.left("M-1", "M-4"))
    rows = await town.store.placements_page(("", 0), 100)
    [last] = [one for one in rows if one.lead == HOME]
    assert (last.at, msgspec.json.decode(last.decided, type=Decided).owner) == (NOW, "M-4")


async def refresh_one(store: Store, root: str) -> None:
    """All that waits in its shard; other workers are at the other shards."""
    await new_refresh(store).apply([await shard_for(store, root)], 100, NOW)


@pytest.mark.parametrize("order", [*permutations((f"party:{RICH}", f"party:{POOR}", HOME))])
async def test_in_whatever_order_a_household_and_its_members_are_first_looked_at_its_owner_is_the_same(
    store: Store, order: Sequence[str]
) -> None:
    """The rich one is in nobody's care, and lets the household follow the other once there is nothing to wait for."""
    town = Town(store)
    joined = [town.home("joined", one) for one in (RICH, POOR)]
    await new_update(store).apply([batch(0, [*joined, town.assigned(POOR, "M-2"), *town.holds(RICH, "9.00")])], NOW)
    for root in order:
        await refresh_one(store, root)
    await refresh_all(store)
    assert await town.owner() == ("M-2", "M-2")


async def test_a_member_marks_a_household_of_which_there_is_no_view_yet_for_somebody_may_be_at_it(store: Store) -> None:
    town = Town(store)
    await new_update(store).apply([batch(0, [town.home("joined", RICH), town.assigned(RICH, "M-1")])], NOW)
    async with store.refreshing() as tx:
        await tx.take_marks([shard_of(HOME)], 100)
    await mark(store, [f"party:{RICH}"])
    await refresh_one(store, f"party:{RICH}")
    assert await waits(store, HOME)
