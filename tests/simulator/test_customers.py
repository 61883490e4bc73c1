"""Who the simulated customers are, and that every draw can be repeated anywhere."""

from collections import Counter
from datetime import date

from schemas.identifiers import KINDS
from services.simulator.bank import Bank, account_no, customer_no, device_id, is_company, phone
from services.simulator.chance import chance, draw, times
from services.simulator.customers import customer
from services.simulator.days import pays_today
from services.simulator.holdings import deposit, household_no
from tests.simulator.conftest import ANCHOR

BANK = Bank(seed=1, size=3000, anchor=ANCHOR)


def test_the_same_key_draws_the_same_on_every_machine() -> None:
    # fixed values: a change of the generator would change every bank ever simulated
    assert chance(1, "day", 2, 3).getrandbits(32) == 1922843086
    assert round(draw(1, "day", 2, 3), 6) == 0.621863
    assert chance(1, "day", 2, 3).random() != chance(1, "day", 3, 2).random()


def test_something_happens_as_often_as_it_should_on_average() -> None:
    random = chance(1, "times")
    assert 0.27 < sum(times(random, 0.3) for _ in range(20_000)) / 20_000 < 0.33


def test_numbers_are_given_to_one_customer_each() -> None:
    numbers = range(20_000)
    for name in (customer_no, account_no, phone, device_id):
        assert len({name(number) for number in numbers}) == 20_000
    assert set(KINDS) >= {"customer_no", "account_no", "phone", "device_id"}


def test_people_are_drawn_as_the_country_is_made() -> None:
    people = [customer(BANK, number) for number in range(BANK.size)]
    counts = Counter(who.archetype for who in people)
    assert counts["company"] == 120
    assert counts["worker"] > counts["professional"] > counts["wealthy"] > 0
    retired = [who for who in people if who.archetype == "retiree"]
    students = [who for who in people if who.archetype == "student"]
    assert all(who.birth_date.year <= ANCHOR.year - 60 for who in retired)
    assert sum(who.cash for who in retired) / len(retired) > 5 * sum(who.cash for who in students) / len(students)


def test_everybody_has_a_manager_and_no_portfolio_is_beyond_reach() -> None:
    bank = Bank(5, 20_000, ANCHOR)
    portfolios = Counter(customer(bank, number).manager_id for number in range(bank.size))
    assert max(portfolios.values()) <= 300
    assert sum(portfolios.values()) == bank.size


def test_a_customer_does_not_depend_on_the_size_of_the_bank() -> None:
    assert customer(BANK, 17).name == customer(Bank(1, 150, ANCHOR), 17).name


def test_households_hold_two_people() -> None:
    households = Counter(household_no(BANK, number) for number in range(BANK.size))
    del households[None]
    assert set(households.values()) == {2}
    assert not any(household_no(BANK, number) for number in range(BANK.size) if is_company(number))


def test_salaries_due_on_a_weekend_come_on_the_friday_before() -> None:
    # 28 November 2026 is a Saturday
    assert pays_today(28, date(2026, 11, 27))
    assert not pays_today(28, date(2026, 11, 28))
    assert pays_today(25, date(2026, 11, 25))
    assert not pays_today(25, date(2026, 11, 26))


def test_an_ordinary_term_deposit_is_rolled_over_every_year() -> None:
    held = [deposit(BANK, number, ANCHOR) for number in range(300)]
    ordinary = [one for one in held if one is not None and one.is_instructed]
    assert ordinary
    for one in ordinary:
        assert one.opened_on < ANCHOR <= one.matures_on
        assert one.matures_on.replace(year=one.opened_on.year) == one.opened_on
