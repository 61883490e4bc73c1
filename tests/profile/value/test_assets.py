"""Assets: over distinct holdings, now and before, against the private-banking threshold."""

from typing import Any

import msgspec
import pytest

from schemas.zone import Zone
from services.profile.domain.customers.assets import Assets, assets_of, note_band
from services.profile.domain.customers.customer import Decided
from services.profile.domain.customers.parts import Flows
from services.profile.domain.identity.links import BEGINNING
from services.profile.domain.reference.tables import Reference
from tests.profile.value.portrait import CURRENT, ME, SAVINGS, Portrait, ms, reference

NOW = "2026-11-20"


def assets(portrait: Portrait, now: str = NOW, household: float | None = None) -> Assets:
    collectives = {} if household is None else {"household:h": {"assets": household}}
    return assets_of(portrait.customer(collectives=collectives), reference(), ms(now))


def noted(portrait: Portrait, decided: Decided, now: int, **collectives: dict[str, Any]) -> Decided:
    customer = portrait.customer(collectives={f"household:{one}": told for one, told in collectives.items()})
    return note_band(customer, assets_of(customer, reference(), ms(NOW)), decided, reference(), now)


def saver(minor: int = 550_000_000) -> Portrait:
    return Portrait().tell("2026-01-05", "cash.deposited", SAVINGS, minor, balance=minor)


def test_balances_of_all_own_accounts_are_added() -> None:
    both = saver(100_000).tell("2026-02-01", "cash.deposited", CURRENT, 5_000, balance=5_000)
    assert assets(both).total_minor == 105_000
    assert {one.subject for one in assets(both).holdings} == {CURRENT, SAVINGS}


def test_an_account_that_is_only_signed_for_is_nobody_elses_wealth() -> None:
    signed = saver(100_000).tell("2026-02-01", "cash.deposited", CURRENT, 5_000, balance=5_000, role="attorney")
    assert assets(signed).total_minor == 100_000


def test_an_account_that_is_held_in_two_ways_counts_once() -> None:
    customer = saver(100_000).customer()
    twice = msgspec.structs.replace(customer, parts=[*customer.parts, *customer.parts])
    assert assets_of(twice, reference(), ms(NOW)).total_minor == 100_000


def test_an_account_whose_link_has_ended_counts_no_more() -> None:
    left = saver(100_000)
    left.spans[SAVINGS] = (0, ms("2026-03-01"))
    assert assets(left).total_minor == 0


def test_an_overdraft_takes_nothing_from_the_assets() -> None:
    overdrawn = saver(100_000).tell("2026-02-01", "cash.withdrawn", CURRENT, 5_000, balance=-5_000)
    assert assets(overdrawn).total_minor == 100_000


def test_a_closed_account_holds_nothing_but_did_before() -> None:
    closed = saver(100_000).tell("2026-11-10", "account.closed", SAVINGS)
    found = assets(closed)
    assert (found.total_minor, found.ago_30_minor) == (0, 100_000)
    long_closed = assets(saver(100_000).tell("2026-10-21", "account.closed", SAVINGS))
    assert (long_closed.ago_30_minor, long_closed.ago_90_minor) == (0, 100_000)


def opened() -> Portrait:
    return Portrait().tell("2026-01-05", "account.opened", SAVINGS, account_kind="savings")


def test_an_account_that_was_opened_and_never_used_holds_nothing() -> None:
    found = assets(opened())
    assert (found.holdings, found.untold, found.total_minor, found.band) == ((), (), 0, "below")


def untold() -> Portrait:
    """Money was paid in, and nobody told how much lies there now."""
    return opened().tell("2026-06-01", "cash.deposited", SAVINGS, 9_000)


def test_an_account_that_was_used_and_whose_balance_nobody_told_leaves_the_total_open() -> None:
    found = assets(untold().tell("2026-02-01", "cash.deposited", CURRENT, 5_000, balance=5_000))
    assert (found.untold, found.unconverted, found.total_minor) == ((SAVINGS,), (), 5_000)
    assert (found.band, found.to_threshold_minor, found.change_30_minor, found.direction) == (
        None, None, None, "unknown",
    )  # fmt: skip
    assert {one.subject: one.minor for one in found.holdings} == {CURRENT: 5_000, SAVINGS: None}


def test_an_account_whose_opening_nobody_told_is_not_taken_for_an_empty_one() -> None:
    assert assets(Portrait().tell("2026-06-01", "holder.added", SAVINGS, role="joint")).untold == (SAVINGS,)


@pytest.mark.parametrize("kind", ["cash.deposited", "account.closed"])
def test_a_balance_that_is_told_later_or_a_closing_says_what_lies_there(kind: str) -> None:
    known = untold().tell("2026-11-10", kind, SAVINGS, balance=9_000 if kind == "cash.deposited" else None)
    assert (assets(known).untold, assets(known).total_minor) == ((), 9_000 if kind == "cash.deposited" else 0)


def woken(opened: str) -> Portrait:
    """Six and a half million that slept, of which a part was paid out three days ago."""
    slept = Portrait().tell(opened, "account.opened", SAVINGS, account_kind="savings")
    slept.tell(opened, "cash.deposited", SAVINGS, 650_000_000, balance=650_000_000)
    return slept.tell("2026-11-17", "transfer.sent", SAVINGS, 120_000_000, balance=530_000_000)


def test_money_that_slept_for_longer_than_months_are_kept_has_not_risen_when_it_wakes() -> None:
    remembered, forgotten = assets(woken("2024-12-02")), assets(woken("2024-10-02"))
    assert (remembered.change_30_minor, remembered.direction) == (-120_000_000, "falling")
    assert (forgotten.total_minor, forgotten.band) == (530_000_000, "near")
    assert (forgotten.change_30_minor, forgotten.change_90_minor, forgotten.direction) == (None, None, "unknown")


def test_an_account_that_is_only_signed_for_or_was_given_back_leaves_nothing_open() -> None:
    signed = Portrait().tell("2026-06-01", "cash.deposited", SAVINGS, 9_000, role="attorney")
    left = untold()
    left.spans[SAVINGS] = (BEGINNING, ms("2026-11-10"))
    assert [assets(one).untold for one in (signed, left)] == [(), ()]


def test_what_was_moved_before_the_link_began_was_moved_too() -> None:
    customer = untold().customer()
    for part in customer.of_kind("account"):
        part.flows, part.before = Flows((), (), {}), part.flows
    assert assets_of(customer, reference(), ms(NOW)).untold == (SAVINGS,)


def test_foreign_money_counts_at_the_days_rate_and_unknown_currencies_are_named() -> None:
    abroad = saver(100_000).tell("2026-02-01", "cash.deposited", CURRENT, 1_000, currency="USD", balance=1_000)
    assert assets(abroad).total_minor == 107_030
    unknown = saver(100_000).tell("2026-02-01", "cash.deposited", CURRENT, 1_000, currency="BRL", balance=1_000)
    assert (assets(unknown).total_minor, assets(unknown).unconverted) == (100_000, ("BRL",))


def test_what_compares_a_total_is_unknown_while_a_part_of_it_has_no_rate() -> None:
    new = saver(100_000).tell("2026-11-10", "account.opened", CURRENT, account_kind="current", currency="BRL")
    found = assets(new.tell("2026-11-19", "cash.deposited", CURRENT, 9, currency="BRL", balance=9))
    assert (found.band, found.to_threshold_minor, found.change_30_minor) == (None, None, None)
    assert (found.greater_minor, found.percent_of_threshold, found.direction) == (None, None, "unknown")


@pytest.mark.parametrize(
    ("now", "held"),
    [("2026-05-31", 0), ("2026-06-01", 300), ("2026-06-02", 300), ("2026-11-30", 300), ("2026-12-01", 0)],
)
def test_a_term_deposit_counts_from_its_opening_until_it_matures(now: str, held: int) -> None:
    deposit = Portrait().tell("2026-06-01", "term_deposit.opened", "contract:7", 300, matures_on="2026-12-01")
    assert assets(deposit, now).total_minor == held


@pytest.mark.parametrize(
    ("opened", "matures", "held"),
    [("2026-10-21", "2027-01-01", (300, 300, 0)), ("2026-08-22", "2027-01-01", (300, 300, 300)),
     ("2026-11-01", "2027-01-01", (300, 0, 0)), ("2026-01-01", "2026-11-20", (0, 300, 300)),
     ("2026-01-01", "2026-10-21", (0, 0, 300)), ("2026-01-01", "2026-08-22", (0, 0, 0))],
)  # fmt: skip
def test_a_term_deposit_is_told_as_it_was_today_thirty_and_ninety_days_ago(
    opened: str, matures: str, held: tuple[int, int, int]
) -> None:
    found = assets(Portrait().tell(opened, "term_deposit.opened", "contract:7", 300, matures_on=matures))
    assert (found.total_minor, found.ago_30_minor, found.ago_90_minor) == held
    assert [one.minor for one in found.holdings] == ([held[0]] if any(held) else [])


def test_of_a_deposit_without_an_opening_or_an_amount_the_amount_is_held_since_ever_or_nothing() -> None:
    maturing = Portrait().tell("2026-11-10", "term_deposit.maturing", "contract:7", 300, matures_on="2026-12-01")
    assert (assets(maturing).total_minor, assets(maturing).ago_90_minor) == (300, 300)
    instructed = Portrait().tell("2026-11-10", "term_deposit.instructed", "contract:7", instruction="pay_out")
    assert assets(instructed).holdings == ()


def test_what_lies_in_a_deposit_whose_amount_nobody_told_is_unknown_while_it_lasts() -> None:
    deposit = saver(500).tell("2026-06-01", "term_deposit.opened", "contract:7", matures_on="2026-11-01")
    found = [assets(deposit, day) for day in ("2026-10-31", "2026-11-01", "2026-12-01", "2027-02-01")]
    assert [one.untold for one in found] == [("contract:7",), (), (), ()]
    assert [(one.total_minor, one.ago_30_minor) for one in found] == [(500, None), (500, None), (500, 500), (500, 500)]


def test_what_is_applied_for_or_lent_is_not_held() -> None:
    asked = Portrait().tell("2026-11-10", "application.started", "application:1", 300, role="self")
    assert assets(asked.tell("2026-11-10", "loan.granted", "loan:1", 300)).holdings == ()


def test_a_maturing_deposit_that_is_paid_out_is_no_rise() -> None:
    moved = saver(100_000).tell("2025-11-15", "term_deposit.opened", "contract:7", 50_000, matures_on="2026-11-15")
    moved.tell("2026-11-15", "transfer.received", SAVINGS, 50_000, balance=150_000)
    found = assets(moved)
    assert (found.total_minor, found.change_30_minor, found.direction) == (150_000, 0, "steady")


def test_a_deposit_given_up_early_counts_no_more() -> None:
    given_up = Portrait().tell("2026-06-01", "term_deposit.opened", "contract:7", 300, matures_on="2026-12-31")
    given_up.tell("2026-11-01", "product.closed", "contract:7", product="term_deposit")
    assert assets(given_up).total_minor == 0


@pytest.mark.parametrize(
    "given_up",
    [
        saver(300).tell("2026-11-20", "account.closed", SAVINGS, hour=11),
        Portrait()
        .tell("2026-06-01", "term_deposit.opened", "contract:7", 300, matures_on="2026-12-31")
        .tell("2026-11-20", "product.closed", "contract:7", product="term_deposit", hour=11),
    ],
    ids=["account", "deposit"],
)
def test_what_is_closed_in_the_evening_west_of_utc_counts_no_more_from_then(given_up: Portrait) -> None:
    new_york = Reference(calendar=reference().calendar, zone=Zone("Etc/GMT+5"))
    eleven_in_the_evening_there = ms(NOW)  # an hour after, and the next day in UTC
    assert assets_of(given_up.customer(), new_york, eleven_in_the_evening_there).total_minor == 0


def test_wealth_is_what_was_bought_less_what_was_sold() -> None:
    invested = Portrait().tell("2026-06-01", "wealth.purchased", CURRENT, 80_000, balance=0)
    invested.tell("2026-11-01", "wealth.redeemed", CURRENT, 30_000, balance=30_000)
    found = assets(invested)
    assert (found.total_minor, found.ago_30_minor) == (80_000, 80_000)
    assert {one.kind: one.minor for one in found.holdings} == {"account": 30_000, "wealth": 50_000}


def emptied() -> Portrait:
    """Of whom it is known that nothing lay on the account since before anything that is looked at."""
    return Portrait().tell("2026-01-05", "cash.withdrawn", CURRENT, 1, balance=0)


@pytest.mark.parametrize(
    ("bought", "sold", "held"),
    [("2026-11-20", None, (80_000, 0, 0)), ("2026-06-01", "2026-11-01", (0, 80_000, 80_000)),
     ("2026-06-01", "2026-10-01", (0, 0, 80_000)),
     ("2026-09-01", "2026-11-01", (0, 80_000, 0)), ("2026-10-21", None, (80_000, 80_000, 0)),
     ("2026-08-22", None, (80_000, 80_000, 80_000)), ("2026-10-01", "2026-10-02", (0, 0, 0))],
)  # fmt: skip
def test_wealth_is_told_as_it_was_today_thirty_and_ninety_days_ago(
    bought: str, sold: str | None, held: tuple[int, int, int]
) -> None:
    invested = emptied().tell(bought, "wealth.purchased", CURRENT, 80_000)
    found = assets(invested.tell(sold, "wealth.redeemed", CURRENT, 80_000) if sold else invested)
    assert (found.total_minor, found.ago_30_minor, found.ago_90_minor) == held
    assert ("wealth" in {one.kind for one in found.holdings}) is any(held)


def test_wealth_is_told_by_currency_and_is_not_that_of_an_account_that_is_signed_for_or_was_given_back() -> None:
    invested, currencies = emptied(), ("USD", "JPY", "HKD", "EUR", "GBP")
    for currency in currencies:
        invested.tell("2026-11-01", "wealth.purchased", CURRENT, 80_000, currency=currency)
    signed = invested.tell("2026-11-01", "wealth.purchased", "account:300", 80_000, currency="CHF", role="attorney")
    assert [one.currency for one in assets(signed).holdings if one.kind == "wealth"] == sorted(currencies)
    invested.tell("2026-11-01", "wealth.purchased", SAVINGS, 80_000, currency="CHF")
    invested.spans[SAVINGS] = (BEGINNING, ms("2026-11-10"))
    assert [one.currency for one in assets(invested).holdings if one.kind == "wealth"] == sorted(currencies)


def test_a_balance_that_was_told_after_an_account_was_closed_says_nothing_of_the_time_before() -> None:
    closed = Portrait().tell("2026-10-22", "account.closed", SAVINGS)
    found = assets(closed.tell("2026-11-10", "cash.deposited", SAVINGS, 100, balance=100))
    assert (found.total_minor, found.ago_30_minor) == (0, None)


def test_what_lay_on_an_account_that_was_closed_without_a_balance_is_unknown_until_then() -> None:
    found = [assets(untold().tell(day, "account.closed", SAVINGS)) for day in ("2026-10-22", "2026-10-21")]
    assert [(one.total_minor, one.ago_30_minor, one.ago_90_minor) for one in found] == [(0, None, None), (0, 0, None)]


def test_an_account_that_was_opened_again_held_nothing_while_it_was_closed_and_holds_what_was_booked_since() -> None:
    again = saver(100_000).tell("2026-09-01", "account.closed", SAVINGS).tell("2026-11-01", "account.opened", SAVINGS)
    found = assets(again)
    assert (found.total_minor, found.ago_30_minor, found.ago_90_minor) == (0, 0, 100_000)
    found = assets(again.tell("2026-11-10", "cash.deposited", SAVINGS, 700, balance=700))
    assert (found.total_minor, found.ago_30_minor, found.ago_90_minor) == (700, 0, 100_000)


def test_what_lies_on_an_account_that_once_moved_stays_unknown_when_what_moved_is_forgotten() -> None:
    moved = Portrait().tell("2023-01-05", "account.opened", SAVINGS).tell("2023-06-01", "cash.deposited", SAVINGS, 9)
    returned = moved.tell("2026-11-01", "payment.insufficient_funds", SAVINGS)
    assert assets(returned).untold == (SAVINGS,)
    unused = Portrait().tell("2023-01-05", "account.opened", SAVINGS)
    assert (assets(unused).untold, assets(unused).total_minor) == ((), 0)


def test_an_account_that_was_there_before_its_source_told_of_it_is_not_taken_for_an_empty_one() -> None:
    late = Portrait().tell("2026-06-01", "account.opened", SAVINGS, opened_on="2015-03-01")
    assert assets(late).untold == (SAVINGS,)
    found = assets(late.tell("2026-11-10", "cash.deposited", SAVINGS, 9, balance=500_000))
    assert (found.total_minor, found.ago_30_minor) == (500_000, None)
    for opened_on, untold in (("2026-05-30", (SAVINGS,)), ("2026-05-31", ()), ("2026-06-01", ())):  # zones apart
        told = Portrait().tell("2026-06-01", "account.opened", SAVINGS, opened_on=opened_on)
        assert assets(told).untold == untold


def test_money_that_was_put_elsewhere_is_no_change_at_whatever_hour_it_is_looked_at() -> None:
    """From midnight in the bank's zone until that of UTC its day is one ahead of those by which bookings are counted:
    that is when most customers are looked at."""
    kept = saver(500_000).tell("2026-10-21", "wealth.purchased", SAVINGS, 300_000, balance=200_000)
    kept.tell("2026-10-21", "term_deposit.opened", "contract:7", 150_000, matures_on="2027-01-01")
    kept.tell("2026-10-21", "cash.withdrawn", SAVINGS, 150_000, balance=50_000, hour=13)
    kept.tell("2026-10-21", "cash.deposited", CURRENT, 50_000, balance=50_000, hour=14)
    kept.tell("2026-10-21", "account.opened", CURRENT, hour=13)
    kept.tell("2026-10-21", "account.closed", SAVINGS, hour=15)
    found = [assets_of(kept.customer(), reference(), ms(NOW, hour)) for hour in range(0, 24, 3)]
    assert {(one.total_minor, one.change_30_minor) for one in found} == {(500_000, 0)}


def test_the_balance_of_a_day_is_the_last_one_booked_until_then() -> None:
    booked = Portrait()
    for day, minor in (("2026-08-20", 1_000), ("2026-10-05", 2_000), ("2026-10-20", 3_000), ("2026-10-28", 4_000)):
        booked.tell(day, "cash.deposited", SAVINGS, 100, balance=minor)
    agos = [(found.ago_30_minor, found.ago_90_minor) for found in (
        assets(booked, day) for day in ("2026-11-18", "2026-11-19", "2026-11-26", "2026-11-27")
    )]  # fmt: skip
    assert agos == [(2_000, 1_000), (3_000, 1_000), (3_000, 1_000), (4_000, 1_000)]


def test_what_lies_on_an_account_of_which_nothing_is_known_but_its_holder_is_unknown() -> None:
    customer = saver(100_000).customer()
    linked = msgspec.structs.replace(
        customer, parts=[msgspec.structs.replace(one, things={}) for one in customer.parts]
    )
    assert assets_of(linked, reference(), ms(NOW)).untold == (SAVINGS,)


def test_the_direction_comes_from_the_balance_thirty_days_ago() -> None:
    rising = saver(100_000).tell("2026-11-01", "cash.deposited", SAVINGS, 20_000, balance=120_000)
    assert (assets(rising).change_30_minor, assets(rising).direction) == (20_000, "rising")
    falling = saver(100_000).tell("2026-11-01", "cash.withdrawn", SAVINGS, 20_000, balance=80_000)
    assert assets(falling).direction == "falling"


def test_without_a_past_there_is_no_direction() -> None:
    new = Portrait().tell("2026-11-01", "cash.deposited", SAVINGS, 20_000, balance=120_000)
    assert (assets(new).ago_30_minor, assets(new).direction) == (None, "unknown")


def test_a_new_account_held_nothing_before_it_was_opened() -> None:
    new = Portrait().tell("2026-11-01", "account.opened", SAVINGS, account_kind="savings")
    new.tell("2026-11-02", "cash.deposited", SAVINGS, 20_000, balance=20_000)
    assert (assets(new).ago_30_minor, assets(new).direction) == (0, "rising")


@pytest.mark.parametrize(
    ("minor", "band", "to_go"),
    [(499_999_999, "below", 100_000_001), (500_000_000, "near", 100_000_000), (600_000_000, "above", 0)],
)
def test_the_band_below_private_banking_is_a_million_wide(minor: int, band: str, to_go: int) -> None:
    found = assets(saver(minor))
    assert (found.band, found.to_threshold_minor) == (band, to_go)
    assert found.percent_of_threshold == minor // 6_000_000


@pytest.mark.parametrize(
    ("minor", "direction"),
    [(102_040, "steady"), (102_041, "rising"), (98_000, "steady"), (97_999, "falling"), (100_000, "steady")],
)
def test_a_change_of_two_percent_of_the_greater_total_is_no_direction(minor: int, direction: str) -> None:
    moved = saver(100_000).tell("2026-11-01", "transaction.posted", SAVINGS, 1, "credit", balance=minor)
    assert assets(moved).direction == direction


def test_the_households_wealth_lifts_each_of_its_members() -> None:
    found = assets(saver(100_000), household=6_100_000.0)
    assert (found.household_minor, found.band) == (610_000_000, "above")


def test_of_several_households_the_richest_lifts_and_a_group_is_none() -> None:
    homes: dict[str, dict[str, Any]] = {
        "household:a": {"assets": 7_000_000}, "household:b": {"assets": 5.0}, "group:g": {"assets": 9_000_000.0},
    }  # fmt: skip
    found = assets_of(saver(100_000).customer(collectives=homes), reference(), ms(NOW))
    assert (found.household_subject, found.household_minor) == ("household:a", 700_000_000)


def test_a_household_that_does_not_know_what_it_holds_leaves_the_band_of_its_members_unknown() -> None:
    home = {"assets": 6_100_000.0, "members": 2.0}
    above = noted(saver(100_000), Decided(), 1, home=home)
    assert noted(saver(100_000), above, 2, home={"members": 2.0}) == above
    customer = saver(100_000).customer(collectives={"household:a": {"members": 2.0}, "household:b": home})
    found = assets_of(customer, reference(), ms(NOW))
    assert (found.total_minor, found.household_subject, found.household_minor) == (100_000, "household:a", None)
    assert (found.band, found.greater_minor) == (None, None)


def test_a_household_that_was_not_summed_up_yet_leaves_the_members_own_band() -> None:
    customer = saver(100_000).customer(collectives={"household:a": {}})
    assert assets_of(customer, reference(), ms(NOW)).band == "below"


def test_the_day_of_a_new_band_is_remembered_with_the_former_one() -> None:
    decided = noted(saver(610_000_000), Decided(), 1)
    again = noted(saver(620_000_000), decided, 2)
    assert again == decided
    fallen = noted(saver(550_000_000), again, 3)
    assert (fallen.assets_since, fallen.notes) == (3, {"band": "near", "former_band": "above"})
    assert msgspec.json.decode(msgspec.json.encode(fallen), type=Decided) == fallen


def test_a_band_that_changes_with_a_household_or_its_members_came_from_none() -> None:
    alone = noted(saver(100_000), Decided(), 1)
    joined = noted(saver(100_000), alone, 2, home={"assets": 6_100_000.0, "members": 2.0})
    fewer = noted(saver(100_000), joined, 3, home={"assets": 5_500_000.0, "members": 1.0})
    left = noted(saver(100_000), fewer, 4)
    assert [(one.notes["band"], one.assets_since) for one in (joined, fewer, left)] == [
        ("above", 2), ("near", 3), ("below", 4),
    ]  # fmt: skip
    assert not any("former_band" in one.notes for one in (joined, fewer, left))


def test_a_band_that_came_from_another_one_by_money_comes_from_none_when_a_household_changes_it_again() -> None:
    fallen = noted(saver(550_000_000), noted(saver(610_000_000), Decided(), 1), 2)
    joined = noted(saver(550_000_000), fallen, 3, home={"assets": 6_100_000.0, "members": 2.0})
    assert (fallen.notes["former_band"], joined.notes["band"], joined.assets_since) == ("above", "above", 3)
    assert "former_band" not in joined.notes


def test_what_changes_no_assets_is_no_change_of_what_is_linked_and_a_merge_is_one() -> None:
    portrait = saver(100_000).tell("2026-11-01", "account.opened", CURRENT, role="attorney")
    portrait.tell("2026-11-01", "card.issued", "card:1")
    before = noted(portrait, Decided(), 1)
    for subject in (CURRENT, "card:1"):
        portrait.spans[subject] = (BEGINNING, ms("2026-11-10"))
    assert noted(portrait, before, 2) == before
    merged = msgspec.structs.replace(portrait.customer(), roots=(ME, "party:0"))
    assert note_band(merged, assets(portrait), before, reference(), 2).notes.keys() == {"band", "linked"}


def test_a_band_that_money_changed_keeps_its_former_one_when_the_household_changes_later() -> None:
    home = {"assets": 6_100_000.0, "members": 2.0}
    above = noted(saver(100_000), noted(saver(100_000), Decided(), 1, home=home), 2, home=home)
    fallen = noted(saver(100_000), above, 3, home={**home, "assets": 100_000.0})
    later = noted(saver(100_000), fallen, 4, home={"assets": 90_000.0, "members": 1.0})
    for one in (fallen, later):
        assert (one.notes["band"], one.notes["former_band"], one.assets_since) == ("below", "above", 3)


def test_a_payment_that_is_summed_up_together_with_a_link_is_told_all_the_same() -> None:
    before = noted(saver(610_000_000), Decided(), 1)
    paid = saver(610_000_000).tell("2026-11-19", "transfer.sent", SAVINGS, 300_000_000, balance=310_000_000)
    fallen = noted(paid, before, 2, home={"assets": 3_200_000.0, "members": 2.0})
    assert (fallen.notes["band"], fallen.notes["former_band"]) == ("below", "above")


def test_a_band_that_ends_with_the_share_in_an_account_came_from_none() -> None:
    shared, left = saver(), saver()
    left.spans[SAVINGS] = (BEGINNING, ms("2026-11-10"))
    before = noted(shared, Decided(), 1)
    assert (before.notes["band"], noted(left, before, 2).notes.get("former_band")) == ("near", None)


def test_a_band_stays_while_something_is_held_in_a_currency_without_a_rate() -> None:
    before = noted(saver(610_000_000), Decided(), 1)
    half = saver(300_000_000).tell("2026-02-01", "cash.deposited", CURRENT, 1, currency="BRL", balance=310_000_000)
    assert noted(half, before, 2) == before
