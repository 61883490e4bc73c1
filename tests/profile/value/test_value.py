"""Value: declared, explained, the same for the same customer."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.declared_files import PolicyError
from services.profile.adapters.policies import PRODUCT, load_declarations
from services.profile.domain.customers.assets import assets_of
from services.profile.domain.customers.behaviour import learn
from services.profile.domain.value.value import Judged, JudgedTerm, judge, points_of
from services.profile.domain.value.worth import known_of
from tests.profile.value.portrait import CURRENT, ME, SAVINGS, Portrait, ms, policy, reference

NOW = ms("2026-10-20")
STEPS = ((0, 0), (100, 50), (200, 100))


def judged(portrait: Portrait) -> Judged:
    whole = portrait.whole()
    return judge(whole, assets_of(whole, reference(), NOW), learn(whole, reference(), NOW), policy(), NOW)


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
    whole = portrait.whole()
    assets, behaviour = assets_of(whole, reference(), NOW), learn(whole, reference(), NOW)
    assert known_of(whole, assets, behaviour, reference(), NOW).families == {
        "current", "savings", "card", "mortgage", "payments", "payroll", "insurance",
    }  # fmt: skip


def test_companies_are_judged_by_a_scale_of_their_own() -> None:
    company = Portrait().tell("2020-01-01", "customer.registered", ME, kind="company")
    found = judged(company.tell("2026-01-01", "cash.deposited", CURRENT, 1_000, balance=1_000))
    assert found.kind == "company"
    assert {one.measure for dimension in found.dimensions for one in dimension.terms}.isdisjoint({"salary"})


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
