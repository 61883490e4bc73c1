"""The customer's regular income: who pays it, when the next is due, and whether it shrinks or stays away."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Literal

import msgspec

from schemas.instants import DAY_MS
from services.profile.domain.customers.paydays import Habit, Period, habit_of, next_day
from services.profile.domain.customers.rhythm import median
from services.profile.domain.reference.calendar import Calendar
from services.profile.domain.reference.tables import Reference
from services.profile.domain.states.state import Candidate

TOLERANCE_WORKING_DAYS = 5
_DAYS_REMEMBERED = 4_096
PARTS_WITHIN_DAYS = 4
LEAST_PERCENT = 20
"""Of the usual: less, such as an allowance that an employer still pays here, is not the salary."""
REDUCED_PERCENT = 60
RAISED_PERCENT = 110
KEPT = 12
MISSED_BESIDE = 2
"""Paydays of a salary that may stay away before another income, at most half of it, is the salary."""
LATELY_DAYS = 45


class Salary(msgspec.Struct, frozen=True, kw_only=True):
    """`payer` is a counterparty key; `kind` salary, pension, or recurring (one payer's monthly credit that nobody
    called a salary). Days since 1970 in the bank's zone. `habit`: "monthly 10 before", in words of `paydays`.

    `next_due`: the first payday not yet paid, so it lies in the past while a salary is overdue; None where nothing is
    waited for, since the last one came to an account that is the customer's no more. `next_due_by` adds the tolerance.
    `missed`: paydays gone by that nothing met, tolerance included. `latest_percent`: of the median before.
    `reduced_periods`, `raised_periods`: how many of the latest in a row. `received_percent`: what came in the latest
    two periods, missed ones included, of what usually comes.
    """

    payer: str
    kind: Literal["salary", "pension", "recurring"]
    currency: str
    period: Period
    habit: str
    median_minor: int
    credits: int
    first_at: int | None
    last_at: int | None
    last_minor: int
    next_due: int | None
    next_due_by: int | None
    missed: int
    latest_percent: int
    reduced_periods: int
    raised_periods: int
    received_percent: int

    @property
    def is_regular(self) -> bool:
        return self.period != "irregular"


def learn_salary(
    candidates: Iterable[Candidate], reference: Reference, now: int, gone: Collection[str] = ()
) -> Salary | None:
    """Of the payer who still pays regularly and pays most; where nobody does, of the one who paid last. A small income
    beside it takes the place of a salary that stays away only after some paydays. `gone`: events on accounts that are
    the customer's no more."""
    by_payer: dict[tuple[str, str], list[Candidate]] = {}
    for candidate in candidates:
        if candidate.stands and candidate.minor:  # nothing is no pay
            payer = (str(candidate.values.get("party", "")), str(candidate.values["currency"]))
            by_payer.setdefault(payer, []).append(candidate)
    found = [
        _of_payer(*payer, paid, reference, now, is_waited_for=paid[-1].event_id not in gone)
        for payer, paid in by_payer.items()
    ]

    def worth(salary: Salary) -> int:
        return reference.home_minor(salary.median_minor, salary.currency, reference.day_of(now)) or 0

    present = max(found, key=lambda one: _standing(one, worth(one), now), default=None)
    if present is None or not _pays(present, now):
        return present
    stayed_away = [
        one
        for one in found
        if 0 < one.missed <= MISSED_BESIDE
        and worth(one) >= 2 * worth(present)
        and (present.first_at or 0) <= (one.last_at or 0)
    ]
    return max(stayed_away, key=worth, default=present)


def _standing(salary: Salary, worth: int, now: int) -> tuple[int, int, int, str]:
    last, pays = salary.last_at or 0, _pays(salary, now)
    return (pays, worth, last, salary.payer) if pays else (pays, last, worth, salary.payer)


def _pays(salary: Salary, now: int) -> int:
    """2 for who still pays regularly, 1 for who paid lately and shows no rhythm yet, 0 for who pays no more."""
    if salary.is_regular:
        return 2 if salary.next_due is not None and not salary.missed else 0
    return int((salary.last_at or 0) > now - LATELY_DAYS * DAY_MS)


def _of_payer(
    payer: str, currency: str, paid: Sequence[Candidate], reference: Reference, now: int, *, is_waited_for: bool
) -> Salary:
    by_day = _by_payday(paid, reference)
    amounts = list(by_day.values())[-KEPT:]
    usual = median(amounts)
    # a bonus or a settlement on a day of its own is no payday
    days = tuple(day for day, minor in by_day.items() if minor * 2 >= usual)
    habit = habit_of(days, reference.calendar)
    last = _last_met(habit, days[-1], by_day, usual, reference.calendar) if habit else days[-1]
    due = next_day(habit, last, reference.calendar) if habit and is_waited_for else None
    missed = _missed(habit, due, reference, now) if habit and due is not None else 0
    before = median(amounts[:-1]) if len(amounts) > 1 else amounts[-1]
    return Salary(
        payer=payer,
        kind="pension" if paid[-1].values.get("flow") == "pension" else "salary",
        currency=currency,
        period=habit.period if habit else "irregular",
        habit=f"{habit.period} {habit.number} {habit.shift}" if habit else "",
        median_minor=usual,
        credits=len(by_day),
        first_at=paid[0].at,
        last_at=paid[-1].at,
        last_minor=amounts[-1],
        next_due=due,
        next_due_by=tolerated(due, reference.calendar) if due is not None else None,
        missed=missed,
        latest_percent=percent_of(amounts[-1], before),
        reduced_periods=_in_a_row(amounts, lambda minor: minor * 100 <= usual * REDUCED_PERCENT),
        raised_periods=_in_a_row(amounts, lambda minor: minor * 100 >= usual * RAISED_PERCENT),
        received_percent=_received(amounts, missed, sum(day > last for day in by_day), usual),
    )


@lru_cache(_DAYS_REMEMBERED)
def tolerated(due: int, calendar: Calendar) -> int:
    """The last day on which what was due is not yet missed."""
    return calendar.working_days_after(due, TOLERANCE_WORKING_DAYS)


def _by_payday(paid: Sequence[Candidate], reference: Reference) -> dict[int, int]:
    """What came of a payday within a few days is one salary."""
    by_day: dict[int, int] = {}
    payday = -PARTS_WITHIN_DAYS
    for credit in paid:
        day = reference.day_of(credit.at)
        payday = payday if day - payday < PARTS_WITHIN_DAYS else day
        by_day[payday] = by_day.get(payday, 0) + credit.minor
    return by_day


def _last_met(habit: Habit, last: int, by_day: Mapping[int, int], usual: int, calendar: Calendar) -> int:
    """The day of the last payday that was met: by half a salary on any day (`last`), by less of it in time."""
    due = next_day(habit, last, calendar)
    for day, minor in by_day.items():
        if day <= last or minor * 100 < usual * LEAST_PERCENT:
            continue
        while tolerated(due, calendar) < day:
            due = next_day(habit, due, calendar)
        if due - day < PARTS_WITHIN_DAYS:
            last, due = day, next_day(habit, day, calendar)
    return last


def _missed(habit: Habit, due: int, reference: Reference, now: int) -> int:
    today, missed = reference.day_of(now), 0
    while missed < KEPT and tolerated(due, reference.calendar) < today:
        missed, due = missed + 1, next_day(habit, due, reference.calendar)
    return missed


def _received(amounts: Sequence[int], missed: int, since_payday: int, usual: int) -> int:
    """`since_payday`: how many of the amounts, too little for a payday, have come instead of what was missed."""
    periods = ([0] * (missed - since_payday) + list(amounts[::-1]))[:2]
    return percent_of(sum(periods), usual * len(periods))


def percent_of(part: int, whole: int) -> int:
    return part * 100 // whole if whole > 0 else 0


def _in_a_row(amounts: Sequence[int], holds: Callable[[int], bool]) -> int:
    count = 0
    while count < len(amounts) and holds(amounts[-1 - count]):
        count += 1
    return count
