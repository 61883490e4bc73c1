"""What is decided of a customer from the moment others are merged with it."""

from schemas.instants import DAY_MS
from services.profile.domain.customers.customer import Decided
from services.profile.domain.value.merged import standing
from tests.profile.domain.gathered import ME, customer_of
from tests.profile.domain.happenings import NOON, event

OLDER, OTHER = "party:2", "party:3"
GOLD = Decided(
    tier="gold", tier_since=NOON - 9 * DAY_MS, judged_day=20_000, owner="M-2", owner_since=NOON - 5 * DAY_MS,
    former_owner="M-1", assets_since=7,
    notes={"former_tier": "profit", "owner_reason": "portfolio_rule", "band": "above", "former_band": "near"},
)  # fmt: skip


def after_merge(own: Decided, **merged: Decided) -> Decided:
    others = dict(zip((OLDER, OTHER), merged.values(), strict=False))
    registered = [event("customer.registered", NOON - 90 * DAY_MS, subject) for subject in (ME, *others)]
    return standing(customer_of(registered, roots=(ME, *others), decided=own, merged=others))


def test_who_is_merged_has_the_highest_tier_of_all_as_it_was_judged() -> None:
    own = Decided(tier="general", tier_since=5, judged_day=19_999, candidate_tier="profit", notes={"band": "below"})
    found = after_merge(own, one=Decided(tier="profit", tier_since=6), other=GOLD)
    assert (found.tier, found.tier_since, found.judged_day, found.candidate_tier) == (
        "gold", GOLD.tier_since, 20_000, None,
    )  # fmt: skip
    assert (found.notes["former_tier"], found.notes["band"], "former_band" in found.notes) == ("profit", "below", False)


def test_what_the_leading_number_was_told_of_its_tier_is_no_longer_told_of_the_higher_one() -> None:
    own = Decided(tier="general", tier_since=5, notes={"former_tier": "profit"})
    assert "former_tier" not in after_merge(own, one=Decided(tier="gold", tier_since=6)).notes


def test_who_has_no_owner_gets_the_one_of_the_highest_tier_that_has_one() -> None:
    found = after_merge(Decided(tier="gold"), one=Decided(tier="general", owner="M-9"), other=GOLD)
    assert (found.owner, found.owner_since, found.former_owner) == ("M-2", GOLD.owner_since, "M-1")
    assert found.notes["owner_reason"] == "portfolio_rule"


def test_an_owner_and_a_tier_that_is_as_high_stay() -> None:
    own = Decided(tier="gold", tier_since=5, owner="M-3", notes={"owner_reason": "assigned"})
    found = after_merge(own, one=GOLD)
    assert (found.tier_since, found.owner, found.notes["owner_reason"]) == (5, "M-3", "assigned")
