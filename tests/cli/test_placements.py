"""A past that is lived through again places its customers when and as they were placed."""

import msgspec

from services.cli.rules.placements import AHEAD_MS, ROWS_AT_ONCE, Placements
from services.profile.adapters.memory import MemoryProfileStore
from services.profile.domain.customers.assets import assets_of
from services.profile.domain.customers.behaviour import learn
from services.profile.domain.customers.customer import Decided
from services.profile.domain.value.value import judge
from services.profile.ports.records import Placement
from tests.ports.profile_stores import alias_of
from tests.profile.told import DECLARED, NOW
from tests.profile.value.portrait import ME, Portrait


def placement(lead: str, at: int, tier: str) -> Placement:
    return Placement(lead, at, msgspec.json.encode(Decided(tier=tier, tier_since=at)))


def tier(placements: Placements, now: int) -> str | None:
    customer, policy = Portrait().customer(), DECLARED.policy
    assets = assets_of(customer, policy.reference, now)
    judged = judge(customer, assets, learn(customer, policy.reference, now), policy, now)
    return placements.place(customer, judged, assets, policy, now).tier


def test_a_customer_is_placed_as_he_was_last_placed_by_then_and_before_that_not_at_all() -> None:
    placements = Placements([placement(ME, NOW, "gold"), placement(ME, NOW + 9 * AHEAD_MS, "profit")])
    assert tier(placements, NOW - 2 * AHEAD_MS) is None
    assert tier(placements, NOW + 7 * AHEAD_MS) == "gold"
    assert tier(placements, NOW + 9 * AHEAD_MS) == "profit"


def test_what_was_chosen_a_moment_after_the_event_that_led_to_it_is_told_with_it() -> None:
    placements = Placements([placement(ME, NOW + 40, "gold"), placement("party:other", NOW, "profit")])
    assert tier(placements, NOW) == "gold"


def test_each_change_is_a_time_at_which_its_customer_is_looked_at_once() -> None:
    placements = Placements([placement("party:2", 5, "gold"), placement(ME, 5, "gold"), placement(ME, 9, "profit")])
    assert placements.next_at() == 5
    assert (placements.reached(4), placements.reached(7)) == (set(), {ME, "party:2"})
    assert (placements.next_at(), placements.reached(9), placements.reached(9)) == (9, {ME}, set())
    assert placements.next_at() is None


async def test_every_page_is_read_and_what_came_later_is_left_out() -> None:
    store = MemoryProfileStore(alias_of)
    async with store.refreshing() as tx:
        await tx.note_placements([placement(f"party:{place}", place, "gold") for place in range(ROWS_AT_ONCE + 3)])
    assert len((await Placements.read(store, ROWS_AT_ONCE + 2)).reached(2 * ROWS_AT_ONCE)) == ROWS_AT_ONCE + 2
