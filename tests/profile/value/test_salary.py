"""Salary: learned from what came, due by the habit of its days."""

from datetime import date
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Counterparty
from services.profile.domain.customers.behaviour import learn
from services.profile.domain.customers.paydays import habit_of, next_day
from services.profile.domain.customers.recurring import recurring_income
from services.profile.domain.customers.salary import Salary, learn_salary
from services.profile.domain.reference.calendar import date_of, day_number
from tests.profile.domain.happenings import event, fold_of, reversal
from tests.profile.value.portrait import CURRENT, EMPLOYER_KEY, Portrait, ms, number, policy, reference

MONTHS = ["2026-04", "2026-05", "2026-06", "2026-07", "2026-08", "2026-09"]
SECOND = Counterparty(account_no="970002", bank="OTHC", kind="employer")
UNCALLED = Counterparty(account_no="970003", bank="OTHC")


def learned(portrait: Portrait, now: str) -> Salary | None:
    return learn_salary(portrait.customer().state.head.latest.get("income", []), reference(), ms(now))


def paid(days: list[str], minor: int = 1_000_000) -> Portrait:
    portrait = Portrait()
    for day in days:
        portrait.salary(day, minor)
    return portrait


FIFTEENTH = ["2026-05-15", "2026-06-15", "2026-07-15", "2026-08-14", "2026-09-15"]


def test_a_salary_on_the_fifteenth_moves_to_the_working_day_before() -> None:
    salary = learned(paid(FIFTEENTH), "2026-09-20")
    assert salary is not None
    assert (salary.payer, salary.period, salary.habit) == (EMPLOYER_KEY, "monthly", "monthly 15 before")
    assert salary.next_due == number("2026-10-15")
    assert (salary.median_minor, salary.missed, salary.latest_percent) == (1_000_000, 0, 100)


@pytest.mark.parametrize(
    ("days", "habit", "due"),
    [
        (["2026-03-31", "2026-04-30", "2026-05-29", "2026-06-30", "2026-07-31"], "monthly 31 before", "2026-08-31"),
        (["2026-03-30", "2026-04-29", "2026-05-28", "2026-06-29", "2026-07-30"], "monthly 2 from_end", "2026-08-28"),
        (["2026-03-27", "2026-04-28", "2026-05-27", "2026-06-26", "2026-07-29"], "monthly 3 from_end", "2026-08-27"),
    ],
)
def test_a_salary_on_one_of_the_last_working_days_is_due_on_that_one_again(
    days: list[str], habit: str, due: str
) -> None:
    salary = learned(paid(days), "2026-08-05")
    assert salary is not None
    assert (salary.habit, salary.next_due) == (habit, number(due))


@pytest.mark.parametrize(
    ("days", "number"),
    [
        (["2025-02-11", "2025-03-12", "2025-04-10", "2025-05-12"], 12),
        (["2026-04-14", "2026-05-15", "2026-07-13", "2026-08-13"], 13),
        (["2026-04-15", "2026-05-14"], 14),
    ],
)
def test_of_two_days_that_fit_as_well_the_more_frequent_is_the_habit_and_else_the_earlier(
    days: list[str], number: int
) -> None:
    salary = learned(paid(days), f"{days[-1][:8]}20")
    assert salary is not None
    assert salary.habit == f"monthly {number} before"


def test_pay_that_came_two_days_off_says_nothing_for_a_day() -> None:
    """The 11th lies between all of them, and is no better for that than the day of the first."""
    salary = learned(paid(["2025-01-09", "2025-02-13", "2025-03-11"]), "2025-03-20")
    assert salary is not None
    assert (salary.habit, salary.next_due) == ("monthly 9 after", number("2025-04-09"))


@pytest.mark.parametrize(
    ("august", "habit", "due"),
    [("2026-08-17", "monthly 15 after", "2026-11-16"), ("2026-08-15", "monthly 15 none", "2026-11-15")],
)
def test_pay_comes_after_a_free_day_or_on_it_where_it_did_before(august: str, habit: str, due: str) -> None:
    """The 15th of August and of November are of a weekend."""
    salary = learned(paid(["2026-07-15", august, "2026-09-15", "2026-10-15"]), "2026-10-20")
    assert salary is not None
    assert (salary.habit, salary.next_due) == (habit, number(due))


def test_a_habit_may_be_a_day_on_which_pay_has_never_come_yet() -> None:
    """The 21st of December was a Sunday, and in November the pay came a day late."""
    salary = learned(paid(["2025-11-22", "2025-12-19"]), "2025-12-20")
    assert salary is not None
    assert (salary.habit, salary.next_due) == ("monthly 21 before", number("2026-01-21"))


def test_the_next_payday_moves_before_a_public_holiday() -> None:
    salary = learned(paid(["2026-06-05", "2026-07-03", "2026-08-05", "2026-09-04"]), "2026-09-20")
    assert salary is not None
    assert salary.next_due == number("2026-09-30")  # the 5th of October lies in the national holiday


@pytest.mark.parametrize(
    ("now", "missed"),
    [("2026-10-15", 0), ("2026-10-22", 0), ("2026-10-23", 1), ("2026-11-19", 1), ("2026-12-01", 2), ("2029-01-01", 12)],
)
def test_a_payday_counts_as_missed_after_five_working_days(now: str, missed: int) -> None:
    salary = learned(paid(FIFTEENTH), now)
    assert salary is not None
    assert salary.missed == missed
    assert salary.next_due == number("2026-10-15")


def test_weekly_wages_are_due_a_week_later() -> None:
    salary = learned(paid(["2026-10-16", "2026-10-23", "2026-10-30", "2026-11-06"]), "2026-11-08")
    assert salary is not None
    assert (salary.period, salary.next_due) == ("weekly", number("2026-11-13"))


def test_fortnightly_wages_are_due_two_weeks_later() -> None:
    salary = learned(paid(["2026-10-16", "2026-10-30", "2026-11-13"]), "2026-11-15")
    assert salary is not None
    assert (salary.period, salary.habit, salary.next_due) == (
        "fortnightly", "fortnightly 14 after", number("2026-11-27"),
    )  # fmt: skip


def test_two_paydays_make_a_rhythm_and_one_makes_none() -> None:
    periods = [
        salary.period for days in (FIFTEENTH[:1], FIFTEENTH[:2]) if (salary := learned(paid(days), "2026-07-01"))
    ]
    assert periods == ["irregular", "monthly"]


@pytest.mark.parametrize(
    ("gap", "period"),
    [(5, None), (6, "weekly"), (8, "weekly"), (9, None), (12, None), (13, "fortnightly"), (15, "fortnightly"),
     (16, None), (21, None), (22, "monthly"), (40, "monthly"), (41, None)],
)  # fmt: skip
def test_the_usual_gap_says_which_period_it_is(gap: int, period: str | None) -> None:
    start = number("2026-03-02")
    habit = habit_of((start, start + gap, start + 2 * gap), reference().calendar)
    assert (habit.period if habit else None) == period


def test_credits_without_rhythm_are_never_due() -> None:
    salary = learned(paid(["2026-01-03", "2026-01-20", "2026-06-11", "2026-06-12"]), "2026-11-08")
    assert salary is not None
    assert (salary.period, salary.next_due, salary.missed) == ("irregular", None, 0)
    assert not salary.is_regular


def test_half_a_salary_twice_in_a_row_is_reduced() -> None:
    portrait = paid(FIFTEENTH).salary("2026-10-15", 500_000).salary("2026-11-13", 500_000)
    salary = learned(portrait, "2026-11-20")
    assert salary is not None
    assert (salary.reduced_periods, salary.latest_percent, salary.received_percent) == (2, 50, 50)


def test_a_salary_that_comes_in_parts_within_a_few_days_is_paid_in_full() -> None:
    portrait = paid(FIFTEENTH)
    for day in ("2026-10-15", "2026-10-16", "2026-11-13", "2026-11-16"):
        portrait.salary(day, 500_000)
    salary = learned(portrait, "2026-11-20")
    assert salary is not None
    assert (salary.reduced_periods, salary.latest_percent, salary.credits) == (0, 100, 7)


def test_a_salary_that_stays_away_counts_as_nothing_received() -> None:
    salary = learned(paid(FIFTEENTH), "2026-12-01")
    assert salary is not None
    assert salary.received_percent == 0


def test_less_than_half_a_salary_that_comes_in_time_is_reduced_and_not_missed() -> None:
    portrait = paid(FIFTEENTH).salary("2026-10-15", 400_000).salary("2026-11-13", 400_000)
    salary = learned(portrait, "2026-12-01")
    assert salary is not None
    assert (salary.missed, salary.reduced_periods, salary.received_percent) == (0, 2, 40)
    assert salary.next_due == number("2026-12-15")


@pytest.mark.parametrize(
    ("day", "missed"), [("2026-10-10", 1), ("2026-10-12", 0), ("2026-10-22", 0), ("2026-10-23", 1)]
)
def test_a_small_salary_meets_its_payday_from_three_days_before_it_to_the_end_of_the_tolerance(
    day: str, missed: int
) -> None:
    salary = learned(paid(FIFTEENTH).salary(day, 400_000), "2026-10-25")
    assert salary is not None
    assert (salary.missed, salary.latest_percent) == (missed, 40)


@pytest.mark.parametrize(("minor", "missed"), [(200_000, 0), (199_990, 1)])
def test_less_than_a_fifth_of_the_usual_is_no_salary_even_on_the_payday(minor: int, missed: int) -> None:
    salary = learned(paid(FIFTEENTH).salary("2026-10-15", minor), "2026-10-25")
    assert salary is not None
    assert salary.missed == missed


def test_a_small_salary_after_one_that_stayed_away_meets_its_own_payday() -> None:
    salary = learned(paid(FIFTEENTH).salary("2026-11-13", 400_000), "2026-12-01")
    assert salary is not None
    assert (salary.missed, salary.next_due) == (0, number("2026-12-15"))


def test_what_follows_a_payday_that_was_met_is_no_further_one() -> None:
    portrait = paid(FIFTEENTH).salary("2026-10-15", 400_000).salary("2026-10-20", 400_000)
    salary = learned(portrait, "2026-12-01")
    assert salary is not None
    assert (salary.missed, salary.next_due) == (1, number("2026-11-13"))


def test_weekly_wages_that_shrink_are_not_missed() -> None:
    portrait = paid(["2026-10-16", "2026-10-23", "2026-10-30", "2026-11-06"])
    portrait.salary("2026-11-13", 300_000).salary("2026-11-20", 300_000)
    salary = learned(portrait, "2026-11-27")
    assert salary is not None
    assert (salary.missed, salary.next_due, salary.reduced_periods) == (0, number("2026-11-27"), 2)


def test_too_little_for_a_payday_is_still_what_was_received() -> None:
    portrait = paid(FIFTEENTH).salary("2026-10-15", 100_000).salary("2026-11-13", 100_000)
    salary = learned(portrait, "2026-12-01")
    assert salary is not None
    assert (salary.missed, salary.reduced_periods, salary.received_percent) == (2, 2, 10)


def test_what_came_in_one_of_two_missed_periods_is_half_of_it() -> None:
    salary = learned(paid(FIFTEENTH).salary("2026-10-15", 100_000), "2026-12-01")
    assert salary is not None
    assert (salary.missed, salary.received_percent) == (2, 5)


def test_of_a_small_salary_and_a_missed_one_a_fifth_was_received() -> None:
    salary = learned(paid(FIFTEENTH).salary("2026-10-15", 400_000), "2026-12-01")
    assert salary is not None
    assert (salary.missed, salary.received_percent) == (1, 20)


@pytest.mark.parametrize(("minor", "due"), [(499_990, "2026-10-15"), (500_000, "2026-11-13")])
def test_a_bonus_on_a_day_of_its_own_is_no_payday_unless_it_is_half_a_salary(minor: int, due: str) -> None:
    salary = learned(paid(FIFTEENTH).salary("2026-10-05", minor), "2026-10-06")
    assert salary is not None
    assert salary.next_due == number(due)


def test_a_new_employer_takes_the_place_of_one_who_no_longer_pays() -> None:
    portrait = paid(["2026-03-13", "2026-04-15", "2026-05-15"], 2_000_000)
    for day in ("2026-08-10", "2026-09-10", "2026-10-10"):
        portrait.salary(day, 1_200_000, SECOND)
    salary = learned(portrait, "2026-10-20")
    assert salary is not None
    assert (salary.payer, salary.median_minor) == ("OTHC/970002", 1_200_000)


def test_of_two_who_still_pay_the_greater_is_the_employer_and_of_two_who_do_not_the_last() -> None:
    both = paid(FIFTEENTH, 2_000_000)
    for day in FIFTEENTH:
        both.salary(f"{day[:8]}20", 300_000, SECOND)
    payers = [salary.payer for now in ("2026-09-25", "2027-02-01") if (salary := learned(both, now))]
    assert payers == [EMPLOYER_KEY, "OTHC/970002"]


@pytest.mark.parametrize(("minor", "missed"), [(500_000, 1), (500_001, 0)])
def test_a_salary_that_stays_away_is_missed_beside_an_income_of_up_to_half_of_it(minor: int, missed: int) -> None:
    portrait = paid(FIFTEENTH)
    for day in (*FIFTEENTH, "2026-10-15"):
        portrait.salary(f"{day[:8]}20", minor, SECOND)
    salary = learned(portrait, "2026-10-25")
    assert salary is not None
    assert (salary.missed, salary.payer == EMPLOYER_KEY) == (missed, bool(missed))


def test_what_somebody_else_pays_is_the_salary_after_two_paydays_that_were_missed_or_if_it_came_in_its_place() -> None:
    beside, instead = paid(FIFTEENTH), paid(FIFTEENTH)
    for day in (*FIFTEENTH, "2026-10-15", "2026-11-15", "2026-12-15"):
        beside.salary(f"{day[:8]}20", 300_000, SECOND)
    for day in ("2026-09-28", "2026-10-20"):
        instead.salary(day, 300_000, SECOND)
    for portrait, now, payer in (
        (beside, "2026-11-24", EMPLOYER_KEY), (beside, "2026-12-24", "OTHC/970002"),
        (instead, "2026-10-25", "OTHC/970002"),
    ):  # fmt: skip
        salary = learned(portrait, now)
        assert salary is not None
        assert salary.payer == payer, now


def test_a_greater_sum_that_came_once_is_no_salary_beside_one_that_comes_every_month() -> None:
    salary = learned(paid(FIFTEENTH).salary("2026-09-10", 9_000_000, SECOND), "2026-09-20")
    assert salary is not None
    assert (salary.payer, salary.is_regular) == (EMPLOYER_KEY, True)


def test_what_came_once_long_ago_takes_no_place_of_a_salary_that_stays_away_and_what_came_lately_does() -> None:
    for day, payer in (("2026-06-20", EMPLOYER_KEY), ("2026-10-14", "OTHC/970002")):
        salary = learned(paid(FIFTEENTH).salary(day, 1_000_000, SECOND), "2026-10-25")
        assert salary is not None
        assert salary.payer == payer


def test_of_two_who_pay_in_different_currencies_the_greater_is_the_one_who_pays_more_at_home() -> None:
    portrait = paid(FIFTEENTH)
    for day in FIFTEENTH:
        portrait.salary(day, 200_000, SECOND, currency="USD")
    salary = learned(portrait, "2026-09-20")
    assert salary is not None
    assert salary.currency == "USD"


def test_a_salary_in_a_currency_without_a_rate_stands_back_behind_one_that_can_be_compared() -> None:
    portrait = paid(FIFTEENTH)
    for day in FIFTEENTH:
        portrait.salary(day, 200_000_000, SECOND, currency="XAF")
    salary = learned(portrait, "2026-09-20")
    assert salary is not None
    assert salary.currency == "CNY"


def test_what_comes_four_days_later_is_a_payday_of_its_own() -> None:
    for later, paydays in (("2026-09-18", 5), ("2026-09-19", 6)):
        salary = learned(paid(FIFTEENTH).salary(later, 900_000), "2026-09-26")
        assert salary is not None
        assert salary.credits == paydays


@pytest.mark.parametrize(
    ("minor", "reduced", "raised"), [(600_000, 1, 0), (600_010, 0, 0), (1_099_990, 0, 0), (1_100_000, 0, 1)]
)
def test_six_tenths_of_the_usual_is_reduced_and_a_tenth_more_is_a_rise(minor: int, reduced: int, raised: int) -> None:
    salary = learned(paid(FIFTEENTH).salary("2026-10-15", minor), "2026-10-20")
    assert salary is not None
    assert (salary.reduced_periods, salary.raised_periods) == (reduced, raised)


@pytest.mark.parametrize(("before", "percent"), [([100_000], 300), ([100_000, 100_000, 200_000, 200_000], 200)])
def test_the_latest_salary_is_told_with_its_share_of_what_was_usual_before_it(before: list[int], percent: int) -> None:
    portrait = Portrait()
    for day, minor in zip(FIFTEENTH, [*before, 300_000], strict=False):
        portrait.salary(day, minor)
    salary = learned(portrait, "2026-09-20")
    assert salary is not None
    last = FIFTEENTH[len(before)]
    assert (salary.latest_percent, salary.last_minor) == (percent, 300_000)
    assert (salary.first_at, salary.last_at) == (ms(FIFTEENTH[0]), ms(last))


def test_a_payment_of_nothing_is_no_pay() -> None:
    assert learned(paid(FIFTEENTH, 0), "2026-09-20") is None
    salary = learned(paid(FIFTEENTH).salary("2026-10-15", 0), "2026-12-01")
    assert salary is not None
    assert (salary.missed, salary.next_due) == (2, number("2026-10-15"))


@pytest.mark.parametrize("kind", ["salary", "pension"])
def test_a_pension_is_called_one(kind: str) -> None:
    portrait = Portrait()
    for day in FIFTEENTH:
        portrait.tell(day, "transfer.received", CURRENT, 1_000_000, party=SECOND, purpose=kind)
    salary = learned(portrait, "2026-09-20")
    assert salary is not None
    assert (salary.kind, salary.payer) == (kind, "OTHC/970002")


def test_a_reversed_salary_was_never_paid() -> None:
    portrait = paid(FIFTEENTH)
    portrait.tell(
        "2026-09-16", "transaction.reversed", CURRENT, 1_000_000, "credit",
        original_id="e5", original_occurred_at=ms("2026-09-15"), original_type="salary.credited", purpose="salary",
    )  # fmt: skip
    salary = learned(portrait, "2026-09-26")
    assert salary is not None
    assert (salary.credits, salary.next_due, salary.missed) == (4, number("2026-09-15"), 1)


def test_a_salary_that_is_waited_for_no_more_stands_back_behind_one_that_still_comes() -> None:
    portrait = paid(FIFTEENTH)
    for day in FIFTEENTH:
        portrait.salary(day, 400_000, SECOND)
    found = portrait.customer().state.head.latest["income"]
    gone = {one.event_id for one in found if one.values["party"] == EMPLOYER_KEY}
    payers = [learn_salary(found, reference(), ms("2026-09-20"), lost) for lost in (set(), gone)]
    assert [one.median_minor for one in payers if one is not None] == [1_000_000, 400_000]


def test_one_payers_monthly_credit_is_income_even_if_nobody_calls_it_salary() -> None:
    portrait = Portrait()
    for month in MONTHS:
        portrait.tell(f"{month}-09", "transfer.received", CURRENT, 300_000, party=UNCALLED)
    salary = learn(portrait.customer(), reference(), ms("2026-10-05")).salary
    assert salary is not None
    assert (salary.kind, salary.median_minor, salary.next_due) == ("recurring", 300_000, None)


OTHER = Counterparty(account_no="970004", bank="OTHC")


def monthly(*minors: int, party: Counterparty = UNCALLED, portrait: Portrait | None = None) -> Portrait:
    """In the last of the full months before October."""
    portrait = portrait or Portrait()
    for month, minor in zip(MONTHS[-len(minors) :], minors, strict=True):
        portrait.tell(f"{month}-09", "transfer.received", CURRENT, minor, party=party)
    return portrait


def recurring(portrait: Portrait, now: str = "2026-10-05", own: tuple[str, ...] = ()) -> Salary | None:
    return recurring_income(portrait.customer().state, own, ms(now))


def test_what_came_once_in_each_of_three_full_months_is_income_with_what_is_usual_and_what_came_last() -> None:
    salary = recurring(monthly(300_000, 310_000, 330_000))
    assert salary is not None
    assert (salary.median_minor, salary.last_minor, salary.latest_percent) == (310_000, 330_000, 106)
    assert (salary.missed, salary.reduced_periods, salary.raised_periods, salary.received_percent) == (0, 0, 0, 100)
    assert recurring(monthly(300_000, 310_000, 330_000), "2026-09-29") is None, "of September it is not known yet"
    assert recurring(monthly(310_000, 330_000)) is None


def test_of_several_who_send_money_every_month_the_one_who_sends_most_is_the_income() -> None:
    for more, payer in ((200_000, "OTHC/970003"), (400_000, "OTHC/970004")):
        salary = recurring(monthly(more, more, more, party=OTHER, portrait=monthly(300_000, 300_000, 300_000)))
        assert salary is not None
        assert salary.payer == payer


@pytest.mark.parametrize(("least", "is_income"), [(225_000, True), (224_999, False)])
def test_amounts_of_which_the_least_is_three_quarters_of_the_greatest_are_alike(least: int, is_income: bool) -> None:
    assert (recurring(monthly(least, 300_000, 300_000)) is not None) is is_income


def test_what_comes_twice_in_a_month_or_not_in_each_or_from_oneself_is_no_income() -> None:
    regular = monthly(300_000, 300_000, 300_000)
    assert recurring(regular, own=("OTHC/970003",)) is None
    assert recurring(regular.tell("2026-08-20", "transfer.received", CURRENT, 1, party=UNCALLED)) is None
    late = monthly(300_000, 300_000, party=UNCALLED, portrait=monthly(1, 300_000, 300_000, party=OTHER))
    assert recurring(late) is None


def test_what_is_paid_every_month_is_no_income() -> None:
    portrait = Portrait()
    for month in MONTHS:
        portrait.tell(f"{month}-09", "transfer.sent", CURRENT, 300_000, party=UNCALLED)
    assert recurring(portrait) is None


def test_income_that_nobody_told_is_not_made_up() -> None:
    portrait = Portrait().tell("2026-05-09", "transfer.received", CURRENT, 300_000, party=UNCALLED)
    assert learn(portrait.customer(), policy().reference, ms("2026-10-05")).salary is None


def paydays(payday: int, shift: str, months: int) -> list[int]:
    """Of the months from January 2025 on, in the bank's calendar."""
    calendar, found = reference().calendar, []
    for month in range(2025 * 12, 2025 * 12 + months):
        first = day_number(date(month // 12, month % 12 + 1, 1))
        end = day_number(date((month + 1) // 12, (month + 1) % 12 + 1, 1)) - 1
        nominal = min(first + payday - 1, end)
        before, after = calendar.working_day_before(nominal), calendar.working_day_after(nominal)
        found.append({"before": before, "after": after, "none": nominal}[shift])
    return found


PAYDAYS = st.integers(1, 31), st.sampled_from(["before", "after", "none"])


@given(*PAYDAYS, st.integers(3, 12))
def test_a_habit_that_was_kept_foretells_the_next_payday(payday: int, shift: str, months: int) -> None:
    """Whatever the habit, the next payday foretold lies no further off than a long holiday moves one."""
    calendar, expected = reference().calendar, paydays(payday, shift, months + 1)
    habit = habit_of(tuple(expected[:-1]), calendar)
    assert habit is not None
    assert abs(next_day(habit, expected[-2], calendar) - expected[-1]) <= 10, date_of(expected[-1])


@given(*PAYDAYS, st.integers(8, 18))
def test_a_habit_foretells_each_payday_from_the_one_before_it(payday: int, shift: str, months: int) -> None:
    calendar, days = reference().calendar, paydays(payday, shift, months)[-8:]
    habit = habit_of(tuple(days), calendar)
    assert habit is not None
    assert [next_day(habit, day, calendar) for day in days[:-1]] == days[1:]


GAPS = st.sampled_from([(6, 8), (13, 15), (22, 40)]).flatmap(lambda ends: st.lists(st.integers(*ends), min_size=1))


@given(st.integers(18_000, 21_000), GAPS)
def test_the_next_payday_always_lies_ahead(first: int, gaps: list[int]) -> None:
    """However unevenly somebody is paid, as long as some rhythm is seen in it."""
    calendar, days = reference().calendar, list(accumulate(gaps, initial=first))
    habit = habit_of(tuple(days), calendar)
    assert habit is not None
    assert next_day(habit, days[-1], calendar) > days[-1]


def test_what_was_taken_back_of_a_salary_was_not_paid() -> None:
    came = [event("salary.credited", ms(day), id=day, minor=1_000_000, direction="credit") for day in FIFTEENTH]
    for part, left in ((600_000, 400_000), (1_000_000, 1_000_000)):
        told = [*came, reversal(came[-1], ms("2026-09-16"), part=part)]
        salary = learn_salary(fold_of(told).head.latest["income"], reference(), ms("2026-09-20"))
        assert salary is not None
        assert (salary.last_minor, salary.median_minor) == (left, 1_000_000)
        assert salary.credits == (5 if left < 1_000_000 else 4)
