"""A merge that is undone leaves tier and owner as they were before it, and nobody falls or is handed over by it."""

from collections.abc import Sequence

import msgspec
import pytest

from schemas.events import ChannelEvent
from schemas.identifiers import SUBJECT_LIMITS
from schemas.instants import DAY_MS
from services.profile.decide import Decide, Said
from services.profile.domain.customers.customer import Completeness
from services.profile.ports.records import Decision
from services.profile.timers import fire
from tests.ports.profile_stores import Store, alias_of, store
from tests.profile.test_refresh import changes, refresh_all, view_of
from tests.profile.test_update import new_update
from tests.profile.told import NOW, batch, new_fold, opened, paid, told

__all__ = ["store"]
FIRST = NOW - 30 * DAY_MS
POOR, RICH, OTHER = "77", "78", "79"
Placed = tuple[str | None, str | None]


class Bank:
    """A poor customer in M-1's care or nobody's and a rich one in M-2's, judged on some closes of bank days."""

    def __init__(self, store: Store) -> None:
        self.store, self.now, self._update, self._start = store, NOW, new_update(store), 0
        self._decide = Decide(store, new_fold(), SUBJECT_LIMITS)

    async def tell(self, *events: ChannelEvent) -> None:
        await self._update.apply([batch(self._start, events)], NOW)
        self._start += len(events)
        await refresh_all(self.store, self.now)

    async def pass_days(self, days: int) -> None:
        for _ in range(days):
            self.now += DAY_MS
            await fire(self.store, Completeness(), self.now)
            await refresh_all(self.store, self.now)

    async def merge(self, left: str, right: str) -> Decision:
        decision = await self._decide.merge(alias_of(f"party:{left}"), alias_of(f"party:{right}"), self._said())
        await refresh_all(self.store, self.now)
        return decision

    async def undo(self, decision: Decision) -> None:
        await self._decide.undo(decision.decision_id, self._said())
        await refresh_all(self.store, self.now)

    def _said(self) -> Said:
        return Said("anna", "seemed to be one person", self.now)

    async def placed(self, customer: str) -> Placed:
        view = await view_of(self.store, f"party:{customer}")
        shown = msgspec.json.decode(view.body)
        assert view.owner == (shown["owner"] or {}).get("manager_id")
        return shown["tier"], view.owner

    async def told_of(self, customer: str) -> list[str]:
        """The moments of the newest statement about tier, band and owner."""
        last = [one for one in await changes(self.store) if one.customer_id == alias_of(f"party:{customer}")][-1]
        return [one.kind for one in last.moments if one.kind in ("tier_changed", "band_changed", "owner_changed")]


def holds(customer: str, balance: str, manager: str | None) -> Sequence[ChannelEvent]:
    booked, account = {"value": balance, "currency": "CNY"}, f"60{customer}"
    cared = [assigned(customer, manager, FIRST + int(customer))] if manager else []
    minor = round(float(balance) * 100)
    money = paid(f"p-{customer}", FIRST, account, minor, direction="credit", balance_after=booked)
    return [opened(account, customer, FIRST), money, *cared]


def assigned(customer: str, manager: str, at: int) -> ChannelEvent:
    return told("manager.assigned", f"as-{at}", at, customer_no=customer, attributes={"manager_id": manager})


@pytest.mark.parametrize("manager", ["M-1", None])
async def test_a_merge_that_is_undone_leaves_tier_and_owner_as_they_were(store: Store, manager: str | None) -> None:
    bank = Bank(store)
    await bank.tell(*holds(POOR, "900.00", manager), *holds(RICH, "9000000.00", "M-2"))
    await bank.pass_days(2)
    before = [await bank.placed(one) for one in (POOR, RICH)]
    assert before == [("general", manager), ("gold", "M-2")]
    merge = await bank.merge(POOR, RICH)
    await bank.pass_days(4)
    assert await bank.placed(POOR) == ("gold", "M-2")
    await bank.undo(merge)
    assert [await bank.placed(one) for one in (POOR, RICH)] == before
    await bank.pass_days(4)
    assert [await bank.placed(one) for one in (POOR, RICH)] == before
    assert [await bank.told_of(one) for one in (POOR, RICH)] == [[], []]


async def test_of_those_who_are_merged_the_highest_tier_stands_at_once_and_no_change_is_told(store: Store) -> None:
    bank = Bank(store)
    await bank.tell(*holds(POOR, "900.00", None), *holds(RICH, "9000000.00", None), *holds(OTHER, "5.00", None))
    await bank.pass_days(4)
    placed = [await bank.placed(one) for one in (POOR, RICH, OTHER)]
    assert [tier for tier, _ in placed] == ["general", "gold", "general"]
    first = await bank.merge(POOR, RICH)
    assert await bank.placed(POOR) == placed[1]
    second = await bank.merge(POOR, OTHER)
    await bank.pass_days(4)
    assert await bank.placed(POOR) == placed[1]
    assert await bank.told_of(POOR) == []
    await bank.undo(second)
    await bank.undo(first)
    assert [await bank.placed(one) for one in (POOR, RICH, OTHER)] == placed


async def test_of_three_who_were_merged_those_who_are_left_have_what_was_decided_of_them(store: Store) -> None:
    bank = Bank(store)
    await bank.tell(*holds(POOR, "900.00", "M-1"), *holds(RICH, "9000000.00", "M-2"), *holds(OTHER, "5.00", "M-3"))
    first = await bank.merge(POOR, RICH)
    second = await bank.merge(POOR, OTHER)
    assert (await bank.placed(POOR))[1] == "M-3"
    await bank.undo(second)
    assert (await bank.placed(POOR))[1] == "M-2"
    again = await bank.merge(POOR, OTHER)
    await bank.undo(first)
    assert (await bank.placed(POOR))[1] == "M-3"
    await bank.undo(again)
    assert [(await bank.placed(one))[1] for one in (POOR, RICH, OTHER)] == ["M-1", "M-2", "M-3"]


async def test_what_the_bank_said_meanwhile_of_who_is_left_holds_and_a_manager_who_left_does_not_come_back(
    store: Store,
) -> None:
    bank = Bank(store)
    await bank.tell(*holds(POOR, "900.00", "M-1"), *holds(RICH, "9000000.00", "M-2"))
    merge = await bank.merge(POOR, RICH)
    await bank.tell(told("manager.left", "l-1", NOW, manager_id="M-1", attributes={"successor_id": "M-4"}))
    await bank.undo(merge)
    assert (await bank.placed(POOR))[1] == "M-4"
    merge = await bank.merge(POOR, RICH)
    await bank.tell(assigned(POOR, "M-5", NOW))
    await bank.undo(merge)
    assert [(await bank.placed(one))[1] for one in (POOR, RICH)] == ["M-5", "M-2"]


async def test_what_a_customer_is_was_told_of_any_of_the_numbers_that_are_one(store: Store) -> None:
    """The older number was told of by an account alone."""
    bank = Bank(store)
    said = {"kind": "company", "name": "Northern Steel Ltd"}
    steel = told("customer.registered", "r-1", FIRST, customer_no=RICH, attributes=said)
    await bank.tell(*holds(POOR, "900.00", None), steel)
    merge = await bank.merge(POOR, RICH)
    assert (await view_of(store, f"party:{POOR}")).kind == "company"
    await bank.undo(merge)
    assert [(await view_of(store, f"party:{one}")).kind for one in (POOR, RICH)] == ["person", "company"]


async def test_who_is_left_behind_by_the_rich_of_a_household_falls_from_no_tier(store: Store) -> None:
    """The tier is another one, but no money has moved. Money that does move is told of."""
    bank = Bank(store)
    await bank.tell(
        *holds(POOR, "900.00", None), *holds(RICH, "9000000.00", None), home("joined", POOR, 1), home("joined", RICH, 2)
    )
    await bank.pass_days(2)
    assert [(await bank.placed(one))[0] for one in (POOR, RICH)] == ["gold", "gold"]
    await bank.tell(home("left", RICH, 3))
    await bank.pass_days(5)
    assert [(await bank.placed(one))[0] for one in (POOR, RICH)] == ["general", "gold"]
    assert "tier_changed" not in await bank.told_of(POOR)
    gone = {"value": "9.00", "currency": "CNY"}
    await bank.tell(paid("p-gone", NOW + 1, f"60{RICH}", 899_999_100, balance_after=gone))
    await bank.pass_days(5)
    assert (await bank.placed(RICH))[0] != "gold"
    assert "tier_changed" in await bank.told_of(RICH)


def home(what: str, customer: str, number: int) -> ChannelEvent:
    return told(f"household.{what}", f"h-{number}", FIRST + number, customer_no=customer, household_no="h-1")
