"""The close of a bank day: everybody is looked at, and only what somebody could act on is told."""

from collections.abc import Sequence

import msgspec

from schemas.asked import Asked, Limit
from schemas.instants import DAY_MS
from services.profile.domain.customers.customer import Completeness
from services.profile.refresh import Refresh
from services.profile.resting import Resting
from services.profile.timers import fire
from tests.ports.profile_stores import Store, alias_of, store
from tests.profile.test_refresh import changes, view_of
from tests.profile.test_update import new_update
from tests.profile.told import DECLARED, NOW, batch, opened, paid

__all__ = ["store"]
BEGAN = NOW - 10 * DAY_MS
RICH = {"value": "300000.00", "currency": "CNY"}


def asked(*days: float, version: str = "1") -> Asked:
    return Asked(version, {"tenure_days": frozenset(map(Limit, days))})


async def days(
    store: Store, numbers: Sequence[int], asks: Asked, completeness: Completeness | None = None
) -> list[int]:
    """Those of these days, counted from `BEGAN`, on which somebody is told of."""
    policy, known = msgspec.structs.replace(DECLARED.policy, asked=asks), Completeness()
    refresh = Refresh(store, lambda: policy, lambda: known, alias_of, Resting(0, 0))
    told = []
    for number in numbers:
        now = BEGAN + number * DAY_MS
        shards = {one.shard: one for one in await store.lease("worker", 3_600_000)}
        await fire(store, known, now)
        while waiting := await store.marks_waiting():
            for shard in waiting:
                done = await refresh.apply([shards[shard]], 100, now)
                shards |= {one.shard: one for one in done.shards}
                told += [number] * len(done.changed)
    return told


async def open_account(store: Store) -> None:
    await new_update(store).apply([batch(0, [opened("6001", "77", BEGAN)])], NOW)


async def tenure(store: Store) -> float:
    return float(msgspec.json.decode((await view_of(store, "party:77")).facts)["values"]["tenure_days"])


async def test_a_day_in_which_nothing_happens_makes_no_version_until_it_passes_a_limit(store: Store) -> None:
    await open_account(store)
    assert await days(store, range(10, 45), asked(15.0, 40.0)) == [10, 15, 16, 40, 41]
    assert [one.facts["tenure_days"] for one in await changes(store)] == [10.0, 15.0, 16.0, 40.0, 41.0]


async def test_a_customer_quiet_for_years_is_looked_at_on_the_very_day(store: Store) -> None:
    await open_account(store)
    await days(store, range(10, 110), asked(1_000.0))
    assert await days(store, range(110, 1_005), asked(1_000.0)) == [1_000, 1_001]
    assert await tenure(store) == 1_001


async def test_other_questions_are_put_before_everybody_at_the_next_close(store: Store) -> None:
    await open_account(store)
    await days(store, range(10, 30), asked(15.0))
    assert await days(store, range(30, 35), asked(20.0, version="2")) == [30]


async def test_a_close_that_was_judged_is_remembered_where_nothing_is_told(store: Store) -> None:
    await open_account(store)
    cash = paid("p-1", BEGAN, "6001", balance_after={"value": "70.00", "currency": "CNY"})
    await new_update(store).apply([batch(1, [cash])], NOW)
    await days(store, range(62, 66), asked())
    before = await view_of(store, "party:77")
    assert await days(store, range(66, 75), asked()) == []
    after = await view_of(store, "party:77")
    assert (after.version, after.facts) == (before.version, before.facts)
    judged = [msgspec.json.decode(one.decided)["judged_day"] for one in (before, after)]
    assert judged[1] > judged[0]


async def test_who_lived_of_money_that_no_longer_comes_falls_from_the_tier_though_nothing_is_heard(
    store: Store,
) -> None:
    came = [
        paid(f"p-{month}", BEGAN - month * 30 * DAY_MS, "6001", 30_000_000, direction="credit", balance_after=RICH)
        for month in range(13)
    ]
    await new_update(store).apply([batch(0, [opened("6001", "77", BEGAN - 400 * DAY_MS), *came])], NOW)
    await days(store, range(10, 15), asked())
    assert (await view_of(store, "party:77")).tier == "profit"
    await days(store, range(15, 300), asked())
    assert (await view_of(store, "party:77")).tier == "general"
