"""Money in other currencies: facts are in the home currency, and unknown where no rate is known."""

import pytest

from schemas.changes import Fact
from schemas.events import ChannelEvent, Counterparty, Direction
from schemas.instants import DAY_MS
from services.profile.domain.reference.calendar import iso
from tests.profile.domain.gathered import facts_told, summary_of
from tests.profile.domain.happenings import ACCOUNT, NOON, event

ABROAD, UNRATED = "account:2", "THB"
OTHER = Counterparty(bank="CMPA", account_no="1")


def booked(days_ago: int, minor: int, currency: str, account: str = ACCOUNT, what: str = "received") -> ChannelEvent:
    return event(
        f"transfer.{what}", NOON - days_ago * DAY_MS, account, id=f"{what}{account}{days_ago}", minor=minor,
        balance=minor, currency=currency, direction="debit" if what == "sent" else "credit", counterparty=OTHER,
    )  # fmt: skip


def paid(currency: str) -> list[ChannelEvent]:
    return [
        event("salary.credited", NOON - 30 * month * DAY_MS, id=f"s{month}", minor=300_000, currency=currency,
              direction="credit", counterparty=OTHER)
        for month in range(6)
    ]  # fmt: skip


def values_of(*events: ChannelEvent) -> dict[str, Fact]:
    return facts_told(summary_of(list(events)))


def test_a_salary_in_another_currency_is_told_in_the_home_currency() -> None:
    values = values_of(*paid("USD"))
    assert (values["salary_usual"], values["salary_last"]) == (21_090.0, 21_090.0)
    assert {"salary_usual", "salary_last"} <= set(summary_of(paid(UNRATED)).facts.missing)


@pytest.mark.parametrize("fact", ["balance_total", "balance_30d_ago", "assets", "assets_band", "assets_direction"])
def test_what_is_held_is_unknown_while_one_currency_has_no_rate(fact: str) -> None:
    home, abroad = booked(200, 100_000, "CNY"), booked(200, 100_000, UNRATED, ABROAD)
    assert fact in summary_of([home, abroad]).facts.missing
    assert fact not in summary_of([home, booked(200, 100_000, "USD", ABROAD)]).facts.missing


def test_a_sum_is_unknown_where_a_part_of_it_is_in_such_a_currency() -> None:
    home, abroad = booked(2, 100_000, "CNY", what="sent"), booked(3, 100_000, UNRATED, ABROAD, "sent")
    facts = summary_of([home, abroad]).facts
    assert "outflow_7d" in facts.missing
    assert "outflow_7d" not in facts.values
    assert values_of(home)["outflow_7d"] == 1_000.0


@pytest.mark.parametrize("fact", ["balance_total", "overdrawn", "days_since_overdrawn", "current_lowest_60d"])
def test_an_overdraft_in_such_a_currency_leaves_the_balance_unknown(fact: str) -> None:
    overdrawn = summary_of([booked(200, 100_000, "CNY"), booked(200, -100_000, UNRATED, ABROAD)])
    assert fact in overdrawn.facts.missing
    assert facts_told(overdrawn)["assets"] == 1_000.0


def test_a_deposit_in_such_a_currency_leaves_the_balance_of_the_accounts_known() -> None:
    deposit = event("term_deposit.opened", NOON - 9 * DAY_MS, "contract:1", minor=5_000, currency=UNRATED)
    found = summary_of([booked(200, 100_000, "CNY"), deposit])
    assert facts_told(found)["balance_total"] == 1_000.0
    assert "assets" in found.facts.missing


def test_an_empty_account_in_such_a_currency_leaves_the_others_known() -> None:
    values = values_of(booked(200, 100_000, "CNY"), booked(200, 0, UNRATED, ABROAD))
    assert (values["balance_total"], values["assets"], values["assets_band"]) == (1_000.0, 1_000.0, "below")


@pytest.mark.parametrize("fact", ["external_outflow_7d", "external_outflow_30d", "competitor_outflow_90d"])
def test_what_crossed_to_other_banks_is_unknown_where_some_of_it_has_no_rate(fact: str) -> None:
    sent = booked(3, 100_000, UNRATED, what="sent")
    assert fact in summary_of([sent]).facts.missing
    assert values_of(booked(3, 100_000, "JPY", what="sent"))["competitor_outflow_90d"] == 4_480.0


def test_how_often_somebody_is_paid_is_known_in_a_currency_without_a_rate_too() -> None:
    told = values_of(booked(3, 100_000, UNRATED, what="sent"), booked(4, 100_000, "CNY", what="sent"))
    assert told["competitor_transfers_30d"] == 2
    nobody = (told["lender_payments_60d"], told["short_term_loans_60d"], told["broker_transfers_90d"])
    assert (nobody, told["external_inflow_30d"]) == ((0, 0, 0), 0)


def test_money_without_a_rate_leaves_what_it_is_no_part_of_known() -> None:
    came = summary_of([booked(3, 100_000, UNRATED), booked(3, 100_000, "CNY", what="sent")])
    assert (facts_told(came)["external_outflow_30d"], "external_inflow_30d" in came.facts.missing) == (1_000.0, True)
    before = summary_of([booked(40, 100_000, UNRATED, what="sent"), booked(10, 100_000, "CNY", what="sent")])
    told = facts_told(before)
    assert (told["external_outflow_30d"], told["competitor_outflow_30d"]) == (1_000.0, 1_000.0)
    assert "competitor_outflow_90d" in before.facts.missing


@pytest.mark.parametrize(("direction", "flow"), [("debit", "outflow"), ("credit", "inflow")])
def test_what_is_moved_each_month_in_another_currency_belongs_to_what_is_usual(direction: Direction, flow: str) -> None:
    """Also where the account is in the home currency: a card that pays abroad."""
    moved = [
        event("transaction.posted", NOON - 30 * month * DAY_MS, id=f"p{month}", minor=10_000, currency="USD",
              direction=direction)
        for month in range(10)
    ]  # fmt: skip
    assert values_of(*moved)[f"usual_monthly_{flow}"] == 703.0


def test_a_fund_that_was_paid_from_an_account_in_another_currency_is_held_and_no_fall() -> None:
    fund = event(
        "wealth.purchased", NOON - 10 * DAY_MS, minor=60_000, balance=40_000, currency="USD", direction="debit"
    )
    values = values_of(booked(200, 100_000, "USD"), fund)
    assert (values["assets"], values["assets_change_30d"], values["balance_total"]) == (7_030.0, 0.0, 2_812.0)
    sold = event("wealth.redeemed", NOON - DAY_MS, minor=60_000, balance=100_000, currency="USD", direction="credit")
    assert values_of(booked(200, 100_000, "USD"), fund, sold)["assets"] == 7_030.0


@pytest.mark.parametrize(("direction", "flow"), [("debit", "outflow"), ("credit", "inflow")])
def test_what_is_usual_is_unknown_where_a_part_of_it_has_no_rate(direction: Direction, flow: str) -> None:
    moved = [
        event("transaction.posted", NOON - 30 * month * DAY_MS, id=f"p{month}", minor=10_000, direction=direction,
              currency=UNRATED if month == 4 else "CNY")
        for month in range(10)
    ]  # fmt: skip
    summary = summary_of(moved)
    assert {f"usual_monthly_{flow}", f"usual_monthly_{flow}_spread"} <= set(summary.facts.missing)
    assert facts_told(summary)[f"usual_monthly_{'inflow' if flow == 'outflow' else 'outflow'}"] == 0
    assert values_of(*(one for one in moved if one.id != "p4"))[f"usual_monthly_{flow}"] == 100.0


def test_a_fund_in_a_currency_of_which_there_is_no_account_is_held_too() -> None:
    fund = event("wealth.purchased", NOON - 10 * DAY_MS, id="f", minor=60_000, currency="USD", direction="debit")
    assert values_of(booked(200, 100_000, "CNY"), fund)["assets"] == 1_000.0 + 4_218.0


def loan(currency: str, number: int = 1) -> ChannelEvent:
    told = {
        "instalment": {"minor": 1_000, "currency": currency},
        "outstanding": {"minor": 40_000, "currency": currency},
    }
    at = NOON - 90 * DAY_MS
    return event("loan.granted", at, f"loan:{number}", minor=80_000, currency=currency, attributes=told)


@pytest.mark.parametrize("fact", ["loan_outstanding", "loan_instalment", "loan_repaid_percent"])
def test_what_is_owed_is_unknown_where_one_loan_has_no_rate(fact: str) -> None:
    assert fact in summary_of([loan("CNY"), loan(UNRATED, 2)]).facts.missing
    known = values_of(loan("CNY"), loan("USD", 2))
    assert (known["loan_outstanding"], known["loan_instalment"]) == (400.0 + 2_812.0, 10.0 + 70.3)
    assert known["loan_repaid_percent"] == 50


@pytest.mark.parametrize(
    ("fact", "days"), [("deposit_maturing_amount", 10), ("deposit_matured_amount", -3)], ids=["maturing", "matured"]
)
def test_what_matures_is_unknown_where_one_deposit_has_no_rate(fact: str, days: int) -> None:
    on = iso(NOON // DAY_MS + days)

    def deposit(currency: str, number: int) -> ChannelEvent:
        at, told = NOON - 300 * DAY_MS, {"matures_on": on}
        return event("term_deposit.opened", at, f"contract:{number}", minor=5_000, currency=currency, attributes=told)

    assert fact in summary_of([deposit("CNY", 1), deposit(UNRATED, 2)]).facts.missing
    assert values_of(deposit("CNY", 1), deposit("USD", 2))[fact] == 50.0 + 351.5


def test_a_household_that_does_not_know_what_it_holds_leaves_its_assets_unknown_and_no_household_is_none() -> None:
    held = [booked(200, 100_000, "CNY")]
    unknown = summary_of(held, collectives={"household:1": {"members": 2.0}})
    assert {"household_assets", "assets_band", "assets_to_private_banking"} <= set(unknown.facts.missing)
    assert facts_told(unknown)["assets"] == 1_000.0
    assert values_of(*held)["household_assets"] == 0
