"""Working days and bank days. Days are counted since 1970 in the bank's own zone, so that they can be subtracted."""

from bisect import bisect_left, bisect_right
from datetime import date

EPOCH = date(1970, 1, 1).toordinal()


def day_number(day: date) -> int:
    return day.toordinal() - EPOCH


def date_of(day: int) -> date:
    return date.fromordinal(day + EPOCH)


def iso(day: int) -> str:
    return date_of(day).isoformat()


def is_weekend(day: int) -> bool:
    """Day 0 was a Thursday."""
    return (day + 3) % 7 > 4


class Calendar:
    """Monday to Friday, less `holidays`, plus `make_up_days` (weekend days on which the country works).

    `known_until`: the last day for which holidays were announced; after it only weekends are known.
    Compared by identity, so that what was learned with one calendar can be remembered.
    """

    def __init__(self, name: str, holidays: frozenset[int], make_up_days: frozenset[int], known_until: int) -> None:
        self.name, self.known_until = name, known_until
        self._free = frozenset(day for day in holidays if not is_weekend(day))
        self._worked = frozenset(day for day in make_up_days if is_weekend(day))
        self._free_sorted, self._worked_sorted = sorted(self._free), sorted(self._worked)

    def is_working_day(self, day: int) -> bool:
        return day in self._worked if is_weekend(day) else day not in self._free

    def working_day_before(self, day: int) -> int:
        """The last working day at or before `day`."""
        while not self.is_working_day(day):
            day -= 1
        return day

    def working_day_after(self, day: int) -> int:
        """The first working day at or after `day`."""
        while not self.is_working_day(day):
            day += 1
        return day

    def working_days_after(self, day: int, count: int) -> int:
        """The `count`-th working day after `day`; for 0 the day itself, for negative counts before it."""
        step = 1 if count > 0 else -1
        for _ in range(abs(count)):
            day += step
            while not self.is_working_day(day):
                day += step
        return day

    def working_days_between(self, after: int, until: int) -> int:
        """How many working days lie in (after, until]; 0 where `until` is not later."""
        return max(0, self._counted(until) - self._counted(after))

    def _counted(self, day: int) -> int:
        weeks, rest = divmod(day + 3, 7)
        weekdays = weeks * 5 + min(rest + 1, 5)
        return weekdays - bisect_right(self._free_sorted, day) + bisect_left(self._worked_sorted, day + 1)
