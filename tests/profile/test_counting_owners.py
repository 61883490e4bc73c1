"""How many customers the managers have: known to who chooses an owner, and counted no more often than that needs."""

from collections.abc import Mapping, Sequence

import msgspec
import pytest

from schemas.events import ChannelEvent
from schemas.instants import DAY_MS
from services.profile.adapters.memory import MemoryProfileStore
from services.profile.adapters.memory_customers import MemoryCustomers
from services.profile.domain.customers.assets import Assets
from services.profile.domain.customers.customer import Completeness, Customer, Decided
from services.profile.domain.value.policy import Policy, RosterEntry
from services.profile.domain.value.value import Judged
from services.profile.gathering import OWNED_FOR_MS, Gathering
from services.profile.ports.refreshing import CustomerRows
from services.profile.refresh import Refresh
from services.profile.resting import Resting
from tests.ports.profile_stores import Store, alias_of, store, view
from tests.profile.test_update import new_update
from tests.profile.told import DECLARED, batch, opened, paid, told
from tests.profile.told import NOW as BANK_DAY

__all__ = ["store"]
NOW = 1_000_000


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """Of whom the customers were counted, each time."""
    asked: list[Sequence[str]] = []
    counts = MemoryCustomers.owned_counts

    async def noting(rows: MemoryCustomers, managers: Sequence[str]) -> dict[str, int]:
        asked.append(list(managers))
        return await counts(rows, managers)

    monkeypatch.setattr(MemoryCustomers, "owned_counts", noting)
    return asked


def gathering_anew() -> Gathering:
    return Gathering(Completeness, alias_of)


async def in_care(rows: CustomerRows, *roster: str, by: Gathering | None = None, now: int = NOW) -> Mapping[str, int]:
    context = await (by or gathering_anew()).context(rows, {}, now, roster)
    return {manager: one.owned for manager, one in context.staff.items()}


async def bank(store: Store) -> None:
    """Of m1 two customers, of m2 one."""
    async with store.refreshing() as tx:
        await tx.save_views([view(f"party:{one}", owner=owner) for one, owner in enumerate(("m1", "m1", "m2"))], {})


async def test_where_the_bank_assigns_every_owner_itself_no_customer_is_counted(counted: list[Sequence[str]]) -> None:
    store = MemoryProfileStore(alias_of)
    await bank(store)
    async with store.refreshing() as tx:
        assert await in_care(tx) == {}
    assert counted == []


async def test_only_customers_of_those_who_take_some_by_rule_are_counted(store: Store) -> None:
    await bank(store)
    async with store.refreshing() as tx:
        assert await in_care(tx, "m2", "m3") == {"m2": 1, "m3": 0}


async def test_whoever_is_written_counts_at_once_and_nobody_is_counted_again(counted: list[Sequence[str]]) -> None:
    store, gathering = MemoryProfileStore(alias_of), gathering_anew()
    await bank(store)
    async with store.refreshing() as tx:
        context = await gathering.context(tx, {}, NOW, ("m1", "m2"))
        assert {one.manager_id: one.owned for one in context.staff.values()} == {"m1": 2, "m2": 1}
        gathering.note_owner(context, None, "m2")
        gathering.note_owner(context, "m1", "m4")
        assert {one.manager_id: one.owned for one in context.staff.values()} == {"m1": 1, "m2": 2}, "for who is next"
        assert await in_care(tx, "m1", "m2", by=gathering) == {"m1": 1, "m2": 2}
    assert counted == [["m1", "m2"]]


async def test_what_other_workers_have_chosen_is_counted_after_a_while(counted: list[Sequence[str]]) -> None:
    store, gathering = MemoryProfileStore(alias_of), gathering_anew()
    async with store.refreshing() as tx:
        assert await in_care(tx, "m1", by=gathering) == {"m1": 0}
    await bank(store)
    async with store.refreshing() as tx:
        assert await in_care(tx, "m1", by=gathering, now=NOW + OWNED_FOR_MS) == {"m1": 2}
    assert len(counted) == 2


async def test_of_many_who_are_looked_at_together_no_manager_gets_more_than_there_is_room_for(store: Store) -> None:
    """As at the first load of a bank: the emptiest was so for all of them."""
    roster = (RosterEntry("M-1", capacity=2), RosterEntry("M-2", capacity=4))
    portfolio = msgspec.structs.replace(DECLARED.policy.portfolio, roster=roster)
    policy = msgspec.structs.replace(DECLARED.policy, portfolio=portfolio)
    told = [one for number in range(9) for one in rich(f"7{number}")]
    await new_update(store).apply([batch(0, told)], BANK_DAY)
    refresh = Refresh(store, lambda: policy, Completeness, alias_of, Resting(0, 0))
    done = await refresh.apply(await store.lease("worker", 3_600_000), 100, BANK_DAY)
    assert (len(done.changed), done.failed) == (9, {})
    async with store.refreshing() as tx:
        assert await tx.owned_counts(["M-1", "M-2"]) == {"M-1": 2, "M-2": 4}


def rich(customer: str) -> Sequence[ChannelEvent]:
    booked, opened_at = {"value": "9000000.00", "currency": "CNY"}, BANK_DAY - 30 * DAY_MS
    return (
        opened(f"60{customer}", customer, opened_at),
        paid(f"p-{customer}", opened_at, f"60{customer}", 900_000_000, direction="credit", balance_after=booked),
    )


async def test_a_customer_counts_for_its_manager_as_soon_as_it_is_written_and_a_household_never() -> None:
    store, found = MemoryProfileStore(alias_of), list[tuple[str, int]]()
    portfolio = msgspec.structs.replace(DECLARED.policy.portfolio, roster=(RosterEntry("m1"),))
    policy = msgspec.structs.replace(DECLARED.policy, portfolio=portfolio)

    def choose(customer: Customer, judged: Judged, assets: Assets, policy: Policy, now: int) -> Decided:
        found.append((customer.lead, customer.staff["m1"].owned))
        return Decided(owner="m1", owner_since=now)

    update, refresh = new_update(store), Refresh(store, lambda: policy, Completeness, alias_of, Resting(0, 0), choose)
    joined = told("household.joined", "j-1", NOW, customer_no="77", household_no="h-1")
    for place, event in enumerate((opened("6001", "77", NOW), joined, opened("6002", "78", NOW))):
        await update.apply([batch(place, [event])], NOW)
        await refresh.apply(await store.lease("worker", 1000), 100, NOW)
    assert (found[0], found[-1]) == (("party:77", 0), ("party:78", 1))
    assert "household:h-1" in dict(found)
