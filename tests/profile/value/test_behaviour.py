"""What is learned of a customer's days, months and counterparties."""

import pytest

from schemas.events import Counterparty
from services.profile.domain.customers.behaviour import Behaviour, learn
from services.profile.domain.states.state import KEYS_KEPT
from tests.profile.value.portrait import CURRENT, ME, SAVINGS, Portrait, ms, number, reference

MONTHS = ["2026-04", "2026-05", "2026-06", "2026-07", "2026-08", "2026-09"]
LANDLORD = Counterparty(name="p_landlord", account_no="42", bank="OTHD")


def learned(portrait: Portrait, now: str = "2026-10-05") -> Behaviour:
    return learn(portrait.customer(), reference(), ms(now))


def tenant() -> Portrait:
    portrait = Portrait()
    for month in MONTHS:
        portrait.tell(f"{month}-03", "standing_order.executed", CURRENT, 300_000, party=LANDLORD)
    return portrait


def test_a_new_customer_has_no_habits() -> None:
    found = learned(Portrait())
    assert (found.salary, found.inflow, found.rent, found.logins.last_day) == (None, None, None, None)
    assert found.missing == ()


def test_the_usual_gap_between_days_with_a_sign_in_is_their_median() -> None:
    portrait = Portrait()
    for day in ("2026-09-01", "2026-09-03", "2026-09-05", "2026-09-15"):
        portrait.tell(day, "login.succeeded", "login:me", role="self").tell(day, "login.succeeded", "login:me", hour=20)
    logins = learned(portrait).logins
    assert (logins.median_gap_days, logins.last_day, logins.days) == (2, number("2026-09-15"), 4)


def test_two_sign_ins_are_no_habit() -> None:
    portrait = (
        Portrait().tell("2026-09-01", "login.succeeded", "login:me").tell("2026-09-09", "login.succeeded", "login:me")
    )
    assert learned(portrait).logins.median_gap_days is None


def test_monthly_money_is_the_median_of_full_months_with_its_spread() -> None:
    portrait = Portrait().tell("2026-03-20", "cash.deposited", CURRENT, 9_999_999)
    for month, minor in zip(MONTHS, (100, 200, 300, 400, 500, 600), strict=True):
        portrait.tell(f"{month}-10", "cash.deposited", CURRENT, minor)
    portrait.tell("2026-10-02", "cash.deposited", CURRENT, 7_777_777)
    inflow = learned(portrait).inflow
    assert inflow is not None
    assert (inflow.median_minor, inflow.spread_minor, inflow.months) == (350, 150, 6)


def test_a_month_without_money_counts_as_nothing() -> None:
    portrait = (
        Portrait().tell("2026-06-20", "cash.deposited", CURRENT, 1).tell("2026-09-20", "cash.deposited", CURRENT, 900)
    )
    inflow = learned(portrait).inflow
    assert inflow is not None
    assert (inflow.median_minor, inflow.months) == (0, 3)


def test_a_monthly_payment_of_the_same_amount_is_regular_and_most_likely_the_rent() -> None:
    found = learned(tenant())
    assert [(one.party, one.in_a_row) for one in found.regular] == [("OTHD/42#p_landlord", 5)]
    assert found.rent == found.regular[0]


def test_a_payment_that_missed_a_month_is_not_regular() -> None:
    portrait = Portrait()
    for month in (*MONTHS[:4], MONTHS[5]):
        portrait.tell(f"{month}-03", "standing_order.executed", CURRENT, 300_000, party=LANDLORD)
    assert learned(portrait).regular == ()


def test_what_is_paid_to_a_lender_is_no_rent() -> None:
    portrait = Portrait()
    for month in MONTHS:
        portrait.tell(
            f"{month}-03", "direct_debit.collected", CURRENT, 300_000, party=Counterparty("", "1", "LNDA", "")
        )
    found = learned(portrait)
    assert (found.rent, found.lender_out_minor) == (None, 600_000)


@pytest.mark.parametrize(("instalment", "is_rent"), [(300_000, False), (297_030, False), (297_000, True)])
def test_what_pays_a_loan_of_the_bank_s_own_is_no_rent_through_whomever_it_is_collected(
    instalment: int, is_rent: bool
) -> None:
    told = {"minor": instalment, "currency": "CNY"}
    found = learned(tenant().tell("2025-12-01", "loan.granted", "loan:1", instalment=told))
    assert (len(found.regular), found.rent is not None) == (1, is_rent)


def test_money_between_own_accounts_is_told_apart() -> None:
    portrait = Portrait().tell("2026-01-01", "customer.registered", ME, name="p_me")
    portrait.tell("2026-09-01", "transfer.sent", CURRENT, 100, party=Counterparty(account_no="200", bank="CPBK"))
    portrait.tell("2026-09-01", "transfer.received", SAVINGS, 100, party=Counterparty(account_no="100", bank="CPBK"))
    portrait.tell("2026-09-02", "transfer.sent", CURRENT, 70, party=Counterparty("p_me", "5", "OTHA"))
    portrait.tell("2026-09-02", "transfer.sent", CURRENT, 9, party=Counterparty("p_you", "6", "OTHA"))
    found = learned(portrait)
    assert (found.own_in_minor, found.own_out_minor) == (100, 170)
    assert found.own_parties == ("CPBK/100", "CPBK/200", "OTHA/5#p_me")


def test_money_to_a_competitor_counts_for_three_months() -> None:
    rival = Counterparty(account_no="9", bank="CMPA")
    portrait = Portrait().tell("2026-07-01", "transfer.sent", CURRENT, 1, party=rival)
    for month in ("2026-08", "2026-09", "2026-10"):
        portrait.tell(f"{month}-01", "transfer.sent", CURRENT, 100, party=rival)
    assert learned(portrait).competitor_out_minor == 300


def test_a_month_with_too_many_counterparties_is_missing_and_not_guessed() -> None:
    portrait = tenant()
    for place in range(KEYS_KEPT + 1):
        portrait.tell("2026-09-20", "transfer.sent", CURRENT, 1, party=Counterparty(account_no=str(place), bank="OTHA"))
    found = learned(portrait)
    assert set(found.missing) == {"counterparties", "own_transfers", "regular_payments", "recurring_income"}


def test_shortfalls_and_missed_instalments_count_for_half_a_year() -> None:
    portrait = Portrait().tell("2026-02-01", "payment.insufficient_funds", CURRENT)
    portrait.tell("2026-08-01", "payment.insufficient_funds", CURRENT).tell(
        "2026-08-02", "loan.instalment_missed", "loan:1"
    )
    found = learned(portrait)
    assert (found.shortfalls_180d, found.missed_instalments_180d) == (1, 1)
