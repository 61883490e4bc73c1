"""What a customer's state counts, by series, over windows of hours and of days."""

from collections.abc import Iterable, Iterator, Mapping

from services.profile.domain.states.combine import join_cells
from services.profile.domain.states.months import ReadableMonth, ReadableState
from services.profile.domain.states.periods import first_day_of
from services.profile.domain.states.state import Cell, Series

_AHEAD = 1 << 40
"""A day after all others: a clock may run ahead."""

Sums = dict[str, list[int]]
"""By series: how often, and how much."""


class Buckets:
    """What a customer's state counts, by series and window. `names`: of all that was counted, `series` or
    `series:currency`."""

    def __init__(self, state: ReadableState) -> None:
        self._state = state
        self._last_days: dict[str, int | None] = {}
        self._months = sorted(state.months.items(), reverse=True)
        self.names: frozenset[str] = frozenset().union(*[month.totals for _, month in self._months])

    def over_days(self, windows: Iterable[tuple[int, frozenset[str]]], today: int) -> Iterator[tuple[int, Sums]]:
        """(length, sums) of each window: what was counted in the last so many days, today included. `windows`:
        (length, names that it or a longer one asks for), ascending: each is the one before it and what lies further
        back. The sums are to be read before the next window is asked for."""
        sums: Sums = {name: [0, 0] for name in self.names}
        spans = [(first_day_of(number), first_day_of(number + 1) - 1, month) for number, month in self._months]
        until = _AHEAD
        for length, names in windows:
            after = today - length
            for first, last, month in spans:
                if last <= after:
                    break
                if first <= until and not names.isdisjoint(month.totals):
                    within = min(last, until) - max(first - 1, after)
                    _add_days(sums, month, after, until, last - first + 1 - within, within)
            yield length, sums
            until = after

    def over_hours(self, name: str, length: int, hour: int) -> tuple[int, int]:
        """The last `length` hours, the running one included."""
        count = total = 0
        for at, series in self._state.head.hours.items():
            if at > hour - length and (cell := series.get(name)) is not None:
                count, total = count + cell.count, total + cell.total
        return count, total

    def by_day(self, name: str, length: int, today: int) -> Mapping[int, Cell]:
        """What was counted on each of the last `length` days, of all subjects together."""
        after = today - length
        counted = dict[int, Cell]()
        for number, month in self._months:
            if name in month.totals and first_day_of(number + 1) > after + 1:
                for day, cell in _cells(month, name):
                    if day > after:
                        known = counted.get(day)
                        counted[day] = cell if known is None else join_cells(known, cell)
        return counted

    def last_day(self, name: str) -> int | None:
        """When it was last counted: a day since 1970."""
        if name not in self._last_days:
            self._last_days[name] = self._last_day(name)
        return self._last_days[name]

    def _last_day(self, name: str) -> int | None:
        for _, month in self._months:
            if name in month.totals:
                counts = dict[int, int]()
                for day, cell in _cells(month, name):
                    counts[day] = counts.get(day, 0) + cell.count
                found = max([day for day, count in counts.items() if count > 0], default=None)
                if found is not None:
                    return found
        return None


def _cells(month: ReadableMonth, name: str) -> list[tuple[int, Cell]]:
    """Day → what one subject counted; several subjects may tell of a day."""
    return [(day, series[name]) for days in month.days_by_part for day, series in days.items() if name in series]


def _add_days(sums: Sums, month: ReadableMonth, after: int, until: int, without: int, within: int) -> None:
    """`without`, `within`: how many days of the month lie outside these bounds, and within. The fewer are added up: the
    total less those outside comes to the same."""
    if without >= within:
        _add(sums, [told for days in month.days_by_part for day, told in days.items() if after < day <= until])
        return
    _add(sums, [month.totals])
    if without:
        _take(sums, [told for days in month.days_by_part for day, told in days.items() if not after < day <= until])


def _add(sums: Sums, told: Iterable[Series]) -> None:
    for series in told:
        for name, cell in series.items():
            known = sums[name]
            known[0] += cell.count
            known[1] += cell.total


def _take(sums: Sums, told: Iterable[Series]) -> None:
    for series in told:
        for name, cell in series.items():
            known = sums[name]
            known[0] -= cell.count
            known[1] -= cell.total
