"""How a customer was placed is kept with the time at which it changed, and only then."""

import msgspec

from schemas.instants import DAY_MS
from services.profile.domain.customers.customer import Decided
from services.profile.domain.value.placing import laid_over, moved, placement_of
from services.profile.ports.records import Placement
from tests.ports.profile_stores import Store, store
from tests.profile.test_refresh import refresh_all, view_of
from tests.profile.test_update import new_update
from tests.profile.told import NOW, batch, opened, paid, told

__all__ = ["store"]
FIRST = NOW - 30 * DAY_MS
ASSIGNED = told("manager.assigned", "as-1", NOW, customer_no="77", attributes={"manager_id": "M-1"})
CHOSEN = Decided(tier="gold", tier_since=5, owner="M-1", owner_since=7, notes={"owner_reason": "assigned"})


async def placed(store: Store) -> list[tuple[str, int, str | None]]:
    """Lead, time, owner."""
    rows = await store.placements_page(("", 0), 100)
    return [(one.lead, one.at, msgspec.json.decode(one.decided, type=Decided).owner) for one in rows]


async def test_a_placement_is_kept_when_it_changes_and_not_when_somebody_only_looks(store: Store) -> None:
    update = new_update(store)
    rich = paid("p-1", FIRST + 1, "6001", balance_after={"value": "70.00", "currency": "CNY"})
    await update.apply([batch(0, [opened("6001", "77", FIRST), rich])], NOW)
    await refresh_all(store, NOW)
    assert await placed(store) == [("party:77", NOW, None)]
    await update.apply([batch(2, [paid("p-2", FIRST + 2, "6001"), paid("p-3", FIRST + 3, "6001")])], NOW)
    assert await refresh_all(store, NOW + 1)
    assert await placed(store) == [("party:77", NOW, None)]
    await update.apply([batch(4, [ASSIGNED])], NOW)
    assert await refresh_all(store, NOW + 2)
    assert await placed(store) == [("party:77", NOW, None), ("party:77", NOW + 2, "M-1")]


async def test_what_is_kept_lets_the_view_show_what_it_showed(store: Store) -> None:
    await new_update(store).apply([batch(0, [opened("6001", "77", FIRST), ASSIGNED])], NOW)
    await refresh_all(store, NOW)
    [row] = await store.placements_page(("", 0), 9)
    written = msgspec.json.decode((await view_of(store, "party:77")).decided, type=Decided)
    assert row == Placement("party:77", NOW, msgspec.json.encode(placement_of(written)))
    assert placement_of(laid_over(placement_of(written), Decided())) == placement_of(written)


def test_a_close_that_was_judged_and_points_that_were_noted_move_nobody() -> None:
    noted = msgspec.structs.replace(CHOSEN, judged_day=8, notes={**CHOSEN.notes, "potential": [1, 2, 3]})
    assert moved(CHOSEN, noted) is None
    fallen = msgspec.structs.replace(noted, tier="profit", notes={**noted.notes, "former_tier": "gold"})
    assert moved(CHOSEN, fallen) == placement_of(fallen)


def test_a_placement_is_laid_over_and_what_is_noted_beside_it_stays() -> None:
    known = Decided(tier="general", notes={"potential": [1, 2, 3], "former_tier": "gold"})
    over = laid_over(placement_of(CHOSEN), known)
    assert (over.tier, over.owner, over.notes) == ("gold", "M-1", {"potential": [1, 2, 3], "owner_reason": "assigned"})
