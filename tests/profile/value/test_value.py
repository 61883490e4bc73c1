"""Value: declared, explained, the same for the same customer."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Counterparty
from services.declared_files import PolicyError
from services.profile.adapters.policies import PRODUCT, load_declarations
from services.profile.domain.customers.assets import assets_of
from services.profile.domain.customers.behaviour import learn
from services.profile.domain.states.state import KEYS_KEPT
from services.profile.domain.value.value import Judged, JudgedTerm, judge, points_of
from services.profile.domain.value.worth import MEASURES, known_of
from tests.profile.value.portrait import CURRENT, ME, SAVINGS, Portrait, ms, policy, reference

NOW = ms("2026-10-20")
STEPS = ((0, 0), (100, 50), (200, 100))


def judged(portrait: Portrait) -> Judged:
    customer = portrait.customer()
    return judge(customer, assets_of(customer, reference(), NOW), learn(customer, reference(), NOW), policy(), NOW)


def term(found: Judged, measure: str) -> JudgedTerm:
    return next(term for dimension in found.dimensions for term in dimension.terms if term.measure == measure)


def earner(income: int, savings: int) -> Portrait:
    portrait = Portrait().tell("2024-01-01", "account.opened", CURRENT, account_kind="current")
    portrait.tell("2026-01-02", "cash.deposited", SAVINGS, savings, balance=savings)
    for month in range(1, 11):
        portrait.salary(f"2026-{month:02d}-15", income, balance=income)
    return portrait


@pytest.mark.parametrize(
    ("measured", "points"), [(-5, 0), (0, 0), (1, 0), (50, 25), (100, 50), (199, 99), (200, 100), (999, 100)]
)
def test_points_rise_linearly_between_the_steps(measured: int, points: int) -> None:
    assert points_of(measured, STEPS) == points


@given(st.integers(-(2**60), 2**60), st.integers(0, 2**40))
def test_more_of_a_good_thing_never_gives_fewer_points(measured: int, more: int) -> None:
    assert 0 <= points_of(measured, STEPS) <= points_of(measured + more, STEPS) <= 100


def test_a_customer_nobody_knows_anything_of_is_judged_low_and_not_refused() -> None:
    found = judged(Portrait())
    assert found.score is not None
    assert found.score < 36


def test_only_money_that_is_known_grounds_a_judgement_and_a_balance_of_nothing_is_known() -> None:
    linked = Portrait().tell("2026-10-01", "account.opened", CURRENT, account_kind="current")
    assert [judged(one).grounded for one in (Portrait(), linked)] == [False, False]
    untold = Portrait().tell("2026-10-02", "cash.withdrawn", CURRENT, 100)
    assert not judged(untold).grounded, "money was moved, and how much is left nobody told"
    told = linked.tell("2026-10-02", "cash.withdrawn", CURRENT, 100, balance=0)
    owing = Portrait().tell("2026-10-01", "loan.granted", "loan:1", 10_000_000, loan_kind="consumer")
    assert [judged(one).grounded for one in (told, owing)] == [True, True]


def test_wealth_and_income_make_gold_and_an_ordinary_salary_does_not() -> None:
    wealthy, worker = judged(earner(9_000_000, 400_000_000)), judged(earner(900_000, 5_000_000))
    assert wealthy.score is not None
    assert worker.score is not None
    assert wealthy.score >= 65 > 42 > worker.score


def test_arrears_cost_points() -> None:
    debtor = earner(900_000, 5_000_000).tell("2026-09-20", "loan.granted", "loan:1", 10_000_000, loan_kind="consumer")
    before = judged(debtor)
    debtor.tell("2026-10-10", "loan.instalment_missed", "loan:1", 100_000)
    after = judged(debtor)
    assert term(after, "loans_in_arrears").measured == 1
    assert after.score is not None
    assert before.score is not None
    assert after.score < before.score


def test_every_term_says_what_was_measured_and_what_it_gave() -> None:
    found = judged(earner(900_000, 5_000_000))
    salary = term(found, "salary")
    assert (salary.measured, salary.unit, salary.points, salary.weight) == (900_000, "money", 32, 35)
    weights = {one.name: one.weight for one in found.dimensions}
    assert weights == {"contribution": 50, "risk": 15, "breadth": 15, "potential": 20}
    known = [one for one in found.dimensions if one.points is not None]
    assert found.score == sum(one.weight * (one.points or 0) for one in known) // sum(one.weight for one in known)


def test_what_is_unknown_is_left_out_visibly() -> None:
    new = Portrait().tell("2026-10-10", "cash.deposited", CURRENT, 100, balance=100)
    rising = term(judged(new), "assets_rising")
    assert (rising.measured, rising.points) == (None, None)


def test_needs_are_counted_once_for_each_family() -> None:
    portrait = earner(900_000, 5_000_000).tell("2026-01-01", "card.issued", "card:1", card_kind="debit", role="self")
    portrait.tell("2026-01-01", "card.issued", "card:2", card_kind="debit", role="self")
    portrait.tell("2026-01-01", "loan.granted", "loan:1", 10_000, loan_kind="mortgage")
    portrait.tell("2026-01-01", "direct_debit.mandate_set_up", "mandate:1", role="self")
    portrait.tell("2026-01-01", "product.opened", ME, product="insurance")
    portrait.tell("2026-01-01", "account.opened", SAVINGS, account_kind="savings")
    customer = portrait.customer()
    assets, behaviour = assets_of(customer, reference(), NOW), learn(customer, reference(), NOW)
    assert known_of(customer, assets, behaviour, reference(), NOW).families == {
        "current", "savings", "card", "mortgage", "payments", "payroll", "insurance",
    }  # fmt: skip


def measured(name: str, portrait: Portrait, now: int = NOW, household: float | None = None) -> int | None:
    collectives = {} if household is None else {"household:h": {"assets": household}}
    customer = portrait.customer(collectives=collectives)
    assets, behaviour = assets_of(customer, reference(), now), learn(customer, reference(), now)
    return MEASURES[name](known_of(customer, assets, behaviour, reference(), now))


@pytest.mark.parametrize(
    ("days", "income"),
    [(["2026-10-02", "2026-10-09", "2026-10-16"], 433_333), (["2026-09-18", "2026-10-02", "2026-10-16"], 216_666),
     (["2026-08-14", "2026-09-15", "2026-10-15"], 100_000), (["2026-10-16"], 0)],
)  # fmt: skip
def test_a_regular_income_counts_for_a_month_however_often_it_is_paid(days: list[str], income: int) -> None:
    portrait = Portrait()
    for day in days:
        portrait.salary(day, 100_000)
    assert measured("salary", portrait) == income


@pytest.mark.parametrize(("now", "income"), [("2026-11-25", 900_000), ("2026-12-25", 0)])
def test_an_income_counts_until_two_paydays_were_missed(now: str, income: int) -> None:
    assert measured("salary", earner(900_000, 0), ms(now)) == income


def test_what_is_owed_is_what_was_told_last_of_it_and_nothing_once_it_is_repaid() -> None:
    portrait = Portrait().tell("2026-01-05", "loan.granted", "loan:1", 50_000, loan_kind="consumer")
    portrait.tell("2026-01-05", "loan.granted", "loan:2", 1_000, currency="USD", loan_kind="consumer")
    assert measured("lending", portrait) == 50_000 + 7_030
    owed = {"minor": 40_000, "currency": "CNY"}
    portrait.tell("2026-02-05", "loan.instalment_paid", "loan:1", 10_000, outstanding=owed)
    assert measured("lending", portrait) == 40_000 + 7_030
    assert measured("lending", portrait.tell("2026-03-05", "loan.repaid", "loan:1")) == 7_030


def test_an_income_or_a_loan_without_a_rate_is_unknown_and_not_nothing() -> None:
    portrait = Portrait().tell("2026-01-05", "loan.granted", "loan:1", 50_000, loan_kind="consumer")
    portrait.tell("2026-01-05", "loan.granted", "loan:2", 1_000, currency="BRL", loan_kind="consumer")
    for month in range(1, 11):
        portrait.salary(f"2026-{month:02d}-15", 100_000, currency="BRL")
    assert (measured("lending", portrait), measured("salary", portrait)) == (None, None)


def test_only_what_is_the_customer_s_own_and_still_is_counts() -> None:
    portrait = Portrait().tell("2026-01-05", "loan.granted", "loan:1", 50_000, loan_kind="consumer")
    portrait.tell("2026-01-05", "loan.granted", "loan:2", 1_000, loan_kind="consumer", role="attorney")
    portrait.tell("2026-01-05", "loan.granted", "loan:3", 1_000, loan_kind="consumer")
    portrait.spans["loan:3"] = (0, ms("2026-06-01"))
    assert measured("lending", portrait) == 50_000
    customer = portrait.customer()
    twice = msgspec.structs.replace(customer, parts=[*customer.parts, *customer.parts])
    known = known_of(twice, assets_of(twice, reference(), NOW), learn(twice, reference(), NOW), reference(), NOW)
    assert MEASURES["lending"](known) == 50_000, "once, in however many ways it is held"


def test_an_account_below_nothing_is_overdrawn_and_one_at_nothing_is_not() -> None:
    portrait = Portrait().tell("2026-01-05", "cash.withdrawn", CURRENT, 5_000, balance=-1)
    portrait.tell("2026-01-05", "cash.withdrawn", SAVINGS, 5_000, balance=0)
    assert measured("overdrawn_accounts", portrait) == 1
    portrait.tell("2026-02-05", "account.closed", CURRENT)
    assert measured("overdrawn_accounts", portrait) == 0, "whatever was told of it last"


def test_what_is_held_or_owed_on_an_account_whose_balance_nobody_told_is_unknown() -> None:
    portrait = Portrait().tell("2026-01-05", "cash.deposited", SAVINGS, 100_000, balance=100_000)
    portrait.tell("2026-01-05", "cash.withdrawn", CURRENT, 5_000)
    names = ("assets", "overdrawn_accounts", "assets_rising", "threshold_percent")
    assert [measured(one, portrait) for one in names] == [None] * 4


def test_a_deposit_whose_amount_nobody_told_is_a_deposit_all_the_same_and_no_overdraft() -> None:
    portrait = Portrait().tell("2026-10-01", "term_deposit.opened", "contract:7", matures_on="2030-01-01")
    found = judged(portrait)
    assert (found.grounded, "term_deposit" in found.families) == (False, True)
    assert (measured("assets", portrait), measured("overdrawn_accounts", portrait)) == (None, 0)


@pytest.mark.parametrize(("household", "assets"), [(None, 100_000), (500.0, 100_000), (2_000.0, 200_000)])
def test_the_household_s_assets_count_where_they_are_greater(household: float | None, assets: int) -> None:
    saver = Portrait().tell("2026-01-05", "cash.deposited", SAVINGS, 100_000, balance=100_000)
    assert measured("household_assets", saver, household=household) == assets
    assert (
        measured("threshold_percent", saver, household=household)
        == assets * 100 // reference().private_banking_threshold
    )


@pytest.mark.parametrize(
    ("before", "after", "percent"), [(100_000, 130_000, 30), (100_000, 60_000, -40), (100, 900, 100), (100, 0, -100)]
)
def test_assets_rise_in_percent_of_what_there_was_ninety_days_ago(before: int, after: int, percent: int) -> None:
    saver = Portrait().tell("2026-01-05", "cash.deposited", SAVINGS, before, balance=before)
    assert measured("assets_rising", saver) == 0
    assert measured("assets_rising", saver.tell("2026-10-01", "cash.deposited", SAVINGS, 1, balance=after)) == percent


def test_a_product_counts_as_a_need_while_it_is_open() -> None:
    portrait = Portrait().tell("2026-01-01", "product.opened", ME, product="insurance")
    assert measured("families", portrait) == 1
    assert measured("families", portrait.tell("2026-02-01", "product.closed", ME, product="insurance")) == 0
    assert measured("families", portrait.tell("2026-03-01", "card.issued", "card:1", card_kind="credit")) == 1
    assert measured("families", portrait.tell("2026-03-02", "card.blocked", "card:1")) == 0


def test_what_goes_to_competitors_and_lenders_in_a_quarter_counts_for_a_month() -> None:
    portrait = Portrait()
    for month in ("2026-08", "2026-09", "2026-10"):
        portrait.tell(f"{month}-01", "transfer.sent", CURRENT, 100, party=Counterparty(account_no="9", bank="CMPA"))
        portrait.tell(f"{month}-02", "transfer.sent", CURRENT, 50, party=Counterparty(account_no="1", bank="LNDA"))
    assert measured("elsewhere", portrait) == 150


def test_rent_counts_for_who_has_no_mortgage() -> None:
    portrait = Portrait()
    for month in range(4, 10):
        party = Counterparty("p_landlord", "42", "OTHD")
        portrait.tell(f"2026-{month:02d}-03", "standing_order.executed", CURRENT, 300_000, party=party)
    assert measured("rent_without_mortgage", portrait) == 300_000
    portrait.tell("2026-01-01", "loan.granted", "loan:1", 10_000, loan_kind="mortgage")
    assert measured("rent_without_mortgage", portrait) == 0


def test_companies_are_judged_by_a_scale_of_their_own() -> None:
    company = Portrait().tell("2020-01-01", "customer.registered", ME, kind="company")
    found = judged(company.tell("2026-01-01", "cash.deposited", CURRENT, 1_000, balance=1_000))
    assert found.kind == "company"
    assert {one.measure for dimension in found.dimensions for one in dimension.terms}.isdisjoint({"salary"})


def test_a_company_is_served_with_payroll_where_it_pays_salaries_and_not_because_somebody_buys_from_it() -> None:
    company = Portrait().tell("2020-01-01", "customer.registered", ME, kind="company")
    company.tell("2020-01-02", "account.opened", CURRENT, account_kind="company")
    for month in range(4, 11):
        buyer = Counterparty("p_buyer", "42", "OTHD")
        company.tell(f"2026-{month:02d}-03", "transfer.received", CURRENT, 300_000, balance=900_000, party=buyer)
    assert judged(company).families == {"current"}
    company.tell("2020-01-02", "account.opened", SAVINGS, account_kind="payroll")
    assert judged(company).families == {"current", "payroll"}
    company.tell("2026-10-30", "account.closed", SAVINGS)
    assert judged(company).families == {"current"}


def test_who_has_no_scale_is_not_judged() -> None:
    household = Portrait("household:h").tell("2026-01-01", "cash.deposited", CURRENT, 1_000, balance=1_000)
    assert judged(household) == Judged("household", None, ())


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("measure: salary", "measure: luck", "luck is no measure"),
        ("{measure: salary, unit: money,", "{measure: salary,", "unit money"),
        ("[8000, 30]", "[0, 30]", "rising steps"),
        ("[8000, 30]", "[8000, 130]", "points from 0 to 100"),
        ("enter: 42", "enter: 62", "left below where it is entered"),
        ("tier: profit", "tier: silver", "thresholds name"),
        ("hold_days", "holds_days", "value.yaml"),
    ],
)
def test_a_scale_that_contradicts_itself_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    content = (PRODUCT / "catalogue" / "value.yaml").read_text()
    assert old in content
    (tmp_path / "value.yaml").write_text(content.replace(old, new))
    with pytest.raises(PolicyError, match=says):
        load_declarations(catalogue=str(tmp_path))


def test_assets_of_which_a_part_has_no_rate_leave_their_weight_out() -> None:
    rich = earner(9_000_000, 400_000_000)
    known, measures = judged(rich), ("household_assets", "threshold_percent", "assets_rising")
    unrated = judged(rich.tell("2026-10-01", "cash.deposited", "account:300", 1, currency="BRL", balance=1))
    assert [term(unrated, one).measured for one in measures] == [None] * 3
    assert all(term(known, one).measured is not None for one in measures)


def test_each_need_that_is_served_is_a_family_by_what_the_thing_is() -> None:
    def families(told: tuple[str, str, dict[str, Any]]) -> frozenset[str]:
        kind, subject, said = told
        customer = Portrait().tell("2026-05-01", kind, subject, 100, **said).customer()
        assets, behaviour = assets_of(customer, reference(), NOW), learn(customer, reference(), NOW)
        return known_of(customer, assets, behaviour, reference(), NOW).families

    assert families(("card.issued", "card:1", {"card_kind": "credit"})) == {"credit_card"}
    assert families(("card.issued", "card:1", {"card_kind": "debit"})) == {"card"}
    assert families(("loan.granted", "loan:1", {"loan_kind": "mortgage"})) == {"mortgage"}
    assert families(("loan.granted", "loan:1", {"loan_kind": "consumer"})) == {"loan"}
    assert families(("wealth.purchased", "contract:9", {})) == {"wealth"}
    assert families(("term_deposit.opened", "contract:1", {"matures_on": "2027-01-01"})) == {"term_deposit"}
    assert families(("term_deposit.opened", "contract:1", {"matures_on": "2026-10-01"})) == set()


def test_what_is_unknown_is_measured_as_unknown_and_not_as_nothing() -> None:
    unrated = Portrait().tell("2026-10-01", "cash.deposited", SAVINGS, 100, currency="BRL", balance=100)
    saved = Portrait().tell("2026-10-01", "cash.deposited", SAVINGS, 100, balance=100)
    assert [measured("assets", one) for one in (unrated, saved)] == [None, 100]
    many = Portrait()
    for number in range(KEYS_KEPT + 1):
        many.tell("2026-10-01", "transfer.sent", CURRENT, 1, party=Counterparty(account_no=str(number), bank="OTHA"))
    few = Portrait().tell("2026-10-01", "transfer.sent", CURRENT, 300, party=Counterparty(account_no="1", bank="CMPA"))
    assert [measured("elsewhere", one) for one in (many, few)] == [None, 100]
    assert [measured("rent_without_mortgage", one) for one in (many, few)] == [None, 0]
    abroad = Portrait().tell(
        "2026-10-01", "transfer.sent", CURRENT, 1, party=Counterparty(account_no="1", bank="CMPA"), currency="BRL"
    )
    assert measured("elsewhere", abroad) is None


def test_assets_rise_by_a_hundred_percent_at_most_and_a_loan_is_in_arrears_until_it_is_paid() -> None:
    rising = Portrait().tell("2026-01-02", "cash.deposited", SAVINGS, 100, balance=100)
    assert measured("assets_rising", rising) == 0
    rising.tell("2026-10-01", "cash.deposited", SAVINGS, 900, balance=1_000)
    assert measured("assets_rising", rising) == 100
    owing = Portrait().tell("2026-01-02", "loan.granted", "loan:1", 100).tell("2026-01-02", "loan.granted", "loan:2", 9)
    owing.tell("2026-09-01", "loan.instalment_missed", "loan:1", 1)
    assert measured("loans_in_arrears", owing) == 1
    assert measured("loans_in_arrears", owing.tell("2026-09-02", "loan.instalment_paid", "loan:1", 1)) == 0


def test_a_monthly_inflow_is_measured_once_a_full_month_has_passed() -> None:
    portrait = Portrait().tell("2026-07-20", "cash.deposited", SAVINGS, 100, balance=100)
    for day in ("2026-08-02", "2026-09-02"):
        portrait.tell(day, "cash.deposited", SAVINGS, 400, balance=100)
    assert measured("monthly_inflow", portrait) == 400
    assert measured("monthly_inflow", Portrait()) is None
