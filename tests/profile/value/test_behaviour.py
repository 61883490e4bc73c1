"""What is learned of a customer's days, months and counterparties."""

from collections.abc import Sequence

import pytest

from schemas.events import Counterparty
from services.profile.domain.customers.behaviour import Behaviour, learn
from services.profile.domain.reference.calendar import date_of
from services.profile.domain.reference.tables import Listed, Reference
from services.profile.domain.states.state import KEYS_KEPT, MANY
from tests.profile.value.portrait import CURRENT, ME, SAVINGS, Portrait, ms, number, reference

MONTHS = ["2026-04", "2026-05", "2026-06", "2026-07", "2026-08", "2026-09"]
LANDLORD = Counterparty(name="p_landlord", account_no="42", bank="OTHD")


def learned(portrait: Portrait, now: str = "2026-10-05") -> Behaviour:
    return learn(portrait.customer(), reference(), ms(now))


def tenant(months: Sequence[str] = MONTHS) -> Portrait:
    portrait = Portrait()
    for month in months:
        pays_rent(portrait, f"{month}-03")
    return portrait


def pays_rent(portrait: Portrait, day: str, minor: int = 300_000) -> Portrait:
    return portrait.tell(day, "standing_order.executed", CURRENT, minor, party=LANDLORD)


def test_a_new_customer_has_no_habits() -> None:
    found = learned(Portrait())
    assert (found.salary, found.inflow, found.rent, found.logins.last_day) == (None, None, None, None)
    assert found.missing == ()


@pytest.mark.parametrize(("kind", "earns"), [("person", True), ("company", False)])
def test_what_a_company_is_paid_every_month_is_no_salary_and_what_it_pays_no_rent(kind: str, earns: bool) -> None:
    portrait = tenant().tell("2020-01-01", "customer.registered", ME, kind=kind)
    for month in MONTHS:
        portrait.tell(f"{month}-05", "transfer.received", CURRENT, 900_000, party=Counterparty("p_buyer", "43", "OTHD"))
        portrait.salary(f"{month}-10", 800_000)
    found = learned(portrait)
    assert (found.salary is not None, found.rent is not None, found.missing) == (earns, earns, ())
    assert len(found.regular) == 1, "it pays regularly all the same"


def test_the_usual_gap_between_days_with_a_sign_in_is_their_median() -> None:
    portrait = Portrait()
    for day in ("2026-09-01", "2026-09-03", "2026-09-05", "2026-09-15"):
        portrait.tell(day, "login.succeeded", "login:me", role="self").tell(day, "login.succeeded", "login:me", hour=20)
    logins = learned(portrait).logins
    assert (logins.median_gap_days, logins.last_day, logins.days) == (2, number("2026-09-15"), 4)


def signed_in(*days: str) -> Portrait:
    portrait = Portrait()
    for day in days:
        portrait.tell(day, "login.succeeded", "login:me")
    return portrait


def test_two_sign_ins_are_no_habit_and_three_are_one() -> None:
    for days, gaps in ((("01", "09"), (None, None)), (("01", "09", "13"), (6, 8))):
        logins = learned(signed_in(*[f"2026-09-{day}" for day in days])).logins
        assert (logins.median_gap_days, logins.longest_gap_days) == gaps


def test_days_with_a_sign_in_are_looked_for_in_this_month_and_the_twelve_before_it() -> None:
    portrait = signed_in("2025-09-30", "2025-10-01", "2026-03-09", "2026-10-04")
    portrait.tell("2026-03-11", "login.failed", "login:me").tell("2026-10-05", "cash.deposited", CURRENT, 1)
    logins = learned(portrait).logins
    gap = number("2026-10-04") - number("2026-03-09")
    assert (logins.days, logins.last_day, logins.longest_gap_days) == (3, number("2026-10-04"), gap)


def test_of_days_with_a_sign_in_the_latest_thirty_are_known() -> None:
    portrait = signed_in("2026-07-01", *[f"2026-08-{day:02}" for day in range(10, 25)])
    for day in range(1, 16):
        portrait.tell(f"2026-09-{day:02}", "login.succeeded", "login:me")
    logins = learned(portrait).logins
    assert (logins.days, logins.longest_gap_days) == (30, number("2026-09-01") - number("2026-08-24"))


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
    assert learned(tenant((*MONTHS[:4], MONTHS[5]))).regular == ()


def test_a_payment_of_three_full_months_is_regular_but_not_yet_the_rent() -> None:
    found = learned(tenant(MONTHS[3:]))
    assert ([one.in_a_row for one in found.regular], found.rent) == ([3], None)
    assert learned(tenant((*MONTHS[4:], "2026-10"))).regular == ()


def test_what_was_paid_twice_in_a_month_is_not_regular() -> None:
    assert learned(pays_rent(tenant(), "2026-08-20", 1)).regular == ()


@pytest.mark.parametrize(("minor", "is_regular"), [(240_000, True), (239_999, False)])
def test_payments_are_regular_while_they_differ_by_a_fifth_at_most(minor: int, is_regular: bool) -> None:
    assert bool(learned(pays_rent(tenant(MONTHS[:5]), "2026-09-03", minor)).regular) is is_regular


@pytest.mark.parametrize(("paid", "in_a_row"), [([300_000], 6), ([], 5), ([239_999], 5), ([150_000, 150_000], 5)])
def test_this_month_counts_once_the_payment_has_been_made_as_always(paid: list[int], in_a_row: int) -> None:
    portrait = tenant()
    for minor in paid:
        pays_rent(portrait, "2026-10-03", minor)
    assert [one.in_a_row for one in learned(portrait).regular] == [in_a_row]


def test_regular_payments_come_with_the_largest_first_and_the_rent_is_the_largest() -> None:
    portrait, club = Portrait(), Counterparty("p_club", "7", "OTHA")
    for month in MONTHS:
        portrait.tell(f"{month}-02", "direct_debit.collected", CURRENT, 90_000, party=club)
        pays_rent(portrait, f"{month}-03")
    found = learned(portrait)
    assert [one.party for one in found.regular] == ["OTHD/42#p_landlord", "OTHA/7#p_club"]
    assert found.rent == found.regular[0]


@pytest.mark.parametrize(("spent", "is_rent"), [(16_500_000, True), (16_500_001, False)])
def test_a_regular_payment_below_a_tenth_of_what_goes_out_in_its_currency_is_no_rent(spent: int, is_rent: bool) -> None:
    shop = Counterparty(account_no="8", bank="OTHA")
    portrait = tenant().tell("2026-09-20", "card.paid", CURRENT, spent, party=shop)
    portrait.tell("2026-09-20", "card.paid", CURRENT, 90_000_000, party=shop, currency="USD")
    portrait.tell("2026-09-20", "transfer.received", CURRENT, 90_000_000, party=shop)
    assert (learned(portrait).rent is not None) is is_rent


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


def test_whom_one_only_acts_for_is_not_oneself() -> None:
    portrait = Portrait().tell("2026-01-01", "customer.registered", "party:2", role="guardian", name="p_child")
    portrait.tell("2026-01-01", "account.opened", "account:300", role="attorney")
    for party in (Counterparty("p_child", "6", "OTHA"), Counterparty(account_no="300", bank="CPBK")):
        portrait.tell("2026-09-02", "transfer.sent", CURRENT, 70, party=party)
    assert (learned(portrait).own_parties, learned(portrait).own_out_minor) == ((), 0)


def test_transfers_to_the_own_name_elsewhere_are_counted_for_this_month_and_the_last() -> None:
    portrait = Portrait().tell("2026-01-01", "customer.registered", ME, name="p_me")
    portrait.tell("2026-01-01", "account.opened", SAVINGS)
    elsewhere, here = Counterparty("p_me", "5", "OTHA"), Counterparty("p_me", "999", "CPBK")
    for day in ("2026-08-31", "2026-09-01", "2026-10-01", "2026-10-02"):
        portrait.tell(day, "transfer.sent", CURRENT, 70, party=elsewhere)
    portrait.tell("2026-10-01", "transfer.received", CURRENT, 70, party=elsewhere)
    portrait.tell("2026-10-01", "transfer.sent", CURRENT, 70, party=here)
    portrait.tell("2026-10-01", "transfer.sent", CURRENT, 70, party=Counterparty(account_no="200"))
    found = learned(portrait)
    assert (found.own_elsewhere_count, found.own_out_minor, found.own_in_minor) == (3, 420, 70)


def test_an_account_elsewhere_under_the_name_before_a_marriage_is_ones_own() -> None:
    portrait = Portrait().tell("2026-01-01", "customer.registered", ME, name="p_maiden")
    portrait.tell("2026-08-01", "name.changed", ME, name="p_me", former_name="p_maiden")
    for name in ("p_me", "p_maiden", "p_you"):
        portrait.tell("2026-10-01", "transfer.sent", CURRENT, 70, party=Counterparty(name, "5", "OTHA"))
    assert learned(portrait).own_elsewhere_count == 2


def test_money_to_a_competitor_counts_for_three_months() -> None:
    rival = Counterparty(account_no="9", bank="CMPA")
    portrait = Portrait().tell("2026-07-01", "transfer.sent", CURRENT, 1, party=rival)
    for month in ("2026-08", "2026-09", "2026-10"):
        portrait.tell(f"{month}-01", "transfer.sent", CURRENT, 100, party=rival)
    portrait.tell("2026-10-02", "transfer.sent", CURRENT, 9, party=Counterparty(account_no="9", bank="BRKA"))
    portrait.tell("2026-10-02", "transfer.received", CURRENT, 50, party=rival)
    assert learned(portrait).competitor_out_minor == 309


def test_money_to_who_is_listed_no_longer_is_none_that_left_and_without_a_rate_it_is_unknown() -> None:
    now, day = ms("2026-10-05"), number("2026-10-05")
    for until, currency, left in ((day, "CNY", 100), (day - 1, "CNY", 0), (day, "XAF", None)):
        rival = Listed(key="CMPX", kind="bank", from_day=0, until_day=until)
        tables = Reference(calendar=reference().calendar, competitors=[rival])
        party = Counterparty(account_no="9", bank="CMPX")
        portrait = Portrait().tell("2026-10-01", "transfer.sent", CURRENT, 100, party=party, currency=currency)
        assert learn(portrait.customer(), tables, now).competitor_out_minor == left


def test_the_usual_counterparties_are_the_five_of_the_most_months_and_of_those_of_the_most_money() -> None:
    portrait = Portrait()
    for place, (months, minor) in enumerate([(1, 900), (1, 800), (2, 50), (2, 70), (2, 60), (3, 10)]):
        for month in MONTHS[6 - months :]:
            party = Counterparty(account_no=str(place), bank="OTHA")
            portrait.tell(f"{month}-10", "transfer.sent", CURRENT, minor, party=party)
    found = [(one.party, one.months, one.count, one.total_minor) for one in learned(portrait).counterparties]
    assert found == [
        ("OTHA/5", 3, 3, 30), ("OTHA/3", 2, 2, 140), ("OTHA/4", 2, 2, 120), ("OTHA/2", 2, 2, 100),
        ("OTHA/0", 1, 1, 900),
    ]  # fmt: skip


def test_of_few_counterparties_each_is_usual_by_its_direction() -> None:
    shop = Counterparty(account_no="8", bank="CMPA")
    portrait = Portrait().tell("2026-10-01", "transfer.sent", CURRENT, 5, party=shop)
    portrait.tell("2026-10-02", "transfer.received", CURRENT, 7, party=shop)
    found = learned(portrait).counterparties
    assert [(one.direction, one.total_minor, one.party_class) for one in found] == [
        ("credit", 7, "competitor"), ("debit", 5, "competitor"),
    ]  # fmt: skip


def test_whoever_was_paid_by_mistake_alone_is_no_usual_counterparty() -> None:
    portrait = Portrait().tell("2026-09-01", "transfer.sent", CURRENT, 70, party=LANDLORD)
    assert len(learned(portrait).counterparties) == 1
    portrait.tell(
        "2026-09-02", "transaction.reversed", CURRENT, 70, "debit", party=LANDLORD, original_id="m",
        original_type="transfer.sent", original_occurred_at=ms("2026-09-01"),
    )  # fmt: skip
    assert learned(portrait).counterparties == ()


def test_a_month_with_too_many_counterparties_is_missing_and_not_guessed() -> None:
    portrait = tenant()
    for place in range(KEYS_KEPT + 1):
        portrait.tell("2026-09-20", "transfer.sent", CURRENT, 1, party=Counterparty(account_no=str(place), bank="OTHA"))
    found = learned(portrait)
    assert set(found.missing) == {"counterparties", "own_transfers", "regular_payments", "recurring_income"}
    assert MANY not in {one.party for one in found.counterparties}


def test_shortfalls_and_missed_instalments_count_for_half_a_year() -> None:
    portrait = Portrait().tell("2026-02-01", "payment.insufficient_funds", CURRENT)
    portrait.tell("2026-08-01", "payment.insufficient_funds", CURRENT).tell(
        "2026-08-02", "loan.instalment_missed", "loan:1"
    )
    found = learned(portrait)
    assert (found.shortfalls_180d, found.missed_instalments_180d) == (1, 1)


def test_half_a_year_is_its_days_with_today() -> None:
    now = number("2026-10-05")
    for ago, counted in ((179, 1), (180, 0)):
        told = Portrait().tell(date_of(now - ago), "payment.insufficient_funds", CURRENT)
        assert learned(told).shortfalls_180d == counted
