"""The habit behind the days on which somebody is paid, and the next day that follows from it."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

from services.profile.domain.customers.rhythm import median
from services.profile.domain.reference.calendar import Calendar, date_of
from services.profile.domain.states.periods import first_day_of, month_of_day

Period = Literal["weekly", "fortnightly", "monthly", "irregular"]
Shift = Literal["before", "after", "none", "from_end"]

DAYS_LOOKED_AT = 8
LEAST_DAYS = 2
# Long holidays move a monthly payday by more than a week.
_PERIODS: tuple[tuple[int, int, Period], ...] = (
    (6, 8, "weekly"), (13, 15, "fortnightly"), (22, 40, "monthly"),
)  # fmt: skip
_REMEMBERED = 65_536


class Habit(NamedTuple):
    """`number`: day of the month, moved to the working day `before` or `after` a free one, or left there (`none`);
    with `from_end` the n-th last working day of the month. For weeks: the length of the period in days."""

    period: Period
    number: int
    shift: Shift


@lru_cache(_REMEMBERED)
def habit_of(days: tuple[int, ...], calendar: Calendar) -> Habit | None:
    """None where the days show no rhythm. Remembered, since everybody of one employer is paid on the same days."""
    if len(days) < LEAST_DAYS:
        return None
    days = days[-DAYS_LOOKED_AT:]
    gap = median([later - earlier for earlier, later in pairwise(days)])
    period = next((name for least, most, name in _PERIODS if least <= gap <= most), None)
    if period is None:
        return None
    if period != "monthly":
        return Habit(period, 7 if period == "weekly" else 14, "after")
    return max(_habits(days), key=lambda habit: _fit(habit, days, calendar))


@lru_cache(_REMEMBERED)
def next_day(habit: Habit, last: int, calendar: Calendar) -> int:
    """The expected payday that follows the one nearest to `last`."""
    if habit.period != "monthly":
        return calendar.working_day_after(last + habit.number)
    month = month_of_day(last)
    served = min((month - 1, month, month + 1), key=lambda number: abs(_payday(habit, number, calendar) - last))
    return _payday(habit, served + 1, calendar)


def _habits(days: Sequence[int]) -> list[Habit]:
    """In order of preference: the most frequent day of the month first, paid before a free day before after it."""
    seen = Counter(date_of(day).day for day in days)
    often = [number for number, _ in sorted(seen.items(), key=lambda pair: (-pair[1], pair[0]))]
    near = sorted({min(31, max(1, number + more)) for number in often for more in range(-3, 4)} - set(often))
    shifts: tuple[Shift, ...] = ("before", "after", "none")
    by_date = [Habit("monthly", number, shift) for number in (*often, *near, 31) for shift in shifts]
    return [*by_date, *(Habit("monthly", number, "from_end") for number in range(1, 6))]


def _fit(habit: Habit, days: Sequence[int], calendar: Calendar) -> int:
    """Two points for the very day, one for the day beside it."""
    points = 0
    for day in days:
        month = month_of_day(day)
        off = min(abs(_payday(habit, number, calendar) - day) for number in (month - 1, month, month + 1))
        points += max(0, 2 - off)
    return points


@lru_cache(_REMEMBERED)
def _payday(habit: Habit, month: int, calendar: Calendar) -> int:
    first, end = first_day_of(month), first_day_of(month + 1) - 1
    if habit.shift == "from_end":
        return calendar.working_days_after(calendar.working_day_before(end), 1 - habit.number)
    nominal = min(first + habit.number - 1, end)
    if habit.shift == "before":
        return calendar.working_day_before(nominal)
    return calendar.working_day_after(nominal) if habit.shift == "after" else nominal
