"""What the relation could still bring, and the product that similar customers hold."""

import msgspec
import pytest

from schemas.instants import DAY_MS
from services.profile.domain.customers.customer import Decided
from services.profile.domain.facts.potential import note_potential
from services.profile.domain.reference.offers import NextProduct, next_product
from services.profile.domain.value.value import Judged, JudgedDimension
from tests.profile.domain.gathered import ME, facts_told, summary_of
from tests.profile.domain.happenings import NOON, event

MONTH = 31 * DAY_MS


def judged(points: int) -> Judged:
    return Judged("person", 50, (JudgedDimension("potential", 20, points, ()),))


def test_the_potential_that_the_last_two_months_ended_with_is_remembered() -> None:
    decided = note_potential(judged(30), Decided(), NOON)
    assert decided.notes["potential"][2:] == [None, None]
    decided = note_potential(judged(40), decided, NOON + DAY_MS)
    decided = note_potential(judged(55), decided, NOON + MONTH)
    decided = note_potential(judged(50), decided, NOON + MONTH + DAY_MS)
    assert decided.notes["potential"][1:] == [50, 40, None]
    assert note_potential(judged(50), decided, NOON + MONTH + DAY_MS) is decided
    assert note_potential(judged(60), decided, NOON + 2 * MONTH).notes["potential"][1:] == [60, 50, 40]


def test_in_a_month_without_a_look_the_potential_stays_as_it_was() -> None:
    decided = note_potential(judged(40), note_potential(judged(30), Decided(), NOON), NOON + MONTH)
    assert note_potential(judged(60), decided, NOON + 3 * MONTH).notes["potential"][1:] == [60, 40, 40]


@pytest.mark.parametrize(
    ("closings", "rising", "top"),
    [([40, 39], True, True), ([40, 40], False, True), ([39, 0], True, False), ([40, None], False, True),
     ([None, None], False, False), ([40], False, True)],
)  # fmt: skip
def test_rising_and_top_are_told_of_the_month_that_is_over(closings: list[int], rising: bool, top: bool) -> None:
    """The last case is a note of a time when one month was remembered."""
    registered = event("customer.registered", NOON - 90 * DAY_MS, ME, attributes={"kind": "person"})
    first = summary_of([registered])
    month = first.decided.notes["potential"][0]
    points = facts_told(first)["potential_points"]
    noted = msgspec.structs.replace(first.decided, notes={"potential": [month, points, *closings]})
    values = facts_told(summary_of([registered], decided=noted))
    assert (values["potential_rising"], values["potential_top"]) == (rising, top)


def test_the_next_product_is_the_first_of_the_table_that_is_not_held() -> None:
    account = event("account.opened", NOON - 9 * DAY_MS, attributes={"account_kind": "current"})
    registered = event("customer.registered", NOON - 90 * DAY_MS, ME, attributes={"kind": "person"})
    values = facts_told(summary_of([registered, account]))
    assert (values["next_product"], values["next_product_share_percent"]) == ("card", 88)
    card = event("card.issued", NOON, "card:1", attributes={"card_kind": "debit"})
    assert facts_told(summary_of([registered, account, card]))["next_product"] == "payroll"
    assert facts_told(summary_of([registered]))["next_product"] == ""


def test_a_row_counts_only_in_its_time_for_its_kind_and_tier() -> None:
    row = NextProduct("person", frozenset({"gold"}), frozenset({"current"}), "wealth", 50, 10, 20)
    held = {"current"}
    assert next_product([row], "person", "gold", held, 20) == row
    assert next_product([row], "person", "gold", held, 21) is None
    assert next_product([row], "person", "general", held, 15) is None
    assert next_product([row], "company", "gold", held, 15) is None
    assert next_product([row], "person", "gold", held | {"wealth"}, 15) is None
