"""What a customer's state counts, by series, over windows of hours and of days."""

from collections.abc import Mapping, Sequence

from services.profile.domain.combine import first_day_of
from services.profile.domain.months import Counted
from services.profile.domain.state import Cell

_AHEAD = 1 << 40
"""A day after all others: a clock may run ahead."""

Sums = dict[str, tuple[int, int]]
"""By series: how often, and how much."""


class Buckets:
    """What a customer's state counts, by series and window. `series`: name → currencies, of all that was counted."""

    def __init__(self, state: Counted) -> None:
        self._state = state
        self._months = sorted(state.months.items(), reverse=True)
        self._spans = [(first_day_of(n), first_day_of(n + 1) - 1, month) for n, month in self._months]
        self.series: dict[str, list[str]] = {}
        for name in sorted({name for _, month in self._months for name in month.totals}):
            series, _, currency = name.partition(":")
            self.series.setdefault(series, []).append(currency)

    def over_days(self, lengths: Sequence[int], today: int) -> dict[int, Sums]:
        """Length → what was counted in the last so many days, today included. `lengths` ascend: each window is the one
        before it and what lies further back, whole months taken whole."""
        found: dict[int, Sums] = {}
        sums: dict[str, list[int]] = {}
        latest: Sums = {}
        until = _AHEAD
        for length in lengths:
            between = self._between(today - length, until)
            for series in between:
                for name, cell in series.items():
                    known = sums.get(name)
                    if known is None:
                        sums[name] = [cell.count, cell.total]
                    else:
                        known[0] += cell.count
                        known[1] += cell.total
            if between:
                latest = {name: (count, total) for name, (count, total) in sums.items()}
            found[length], until = latest, today - length
        return found

    def _between(self, after: int, until: int) -> list[Mapping[str, Cell]]:
        """What was counted on the days from `after` (exclusive) to `until` (inclusive)."""
        found: list[Mapping[str, Cell]] = []
        for first, last, month in self._spans:
            if first > after and last <= until:
                found.append(month.totals)
            elif first <= until and last > after:
                found += [series for day, series in month.days.items() if after < day <= until]
        return found

    def over_hours(self, name: str, length: int, hour: int) -> tuple[int, int]:
        """The last `length` hours, the running one included."""
        count = total = 0
        for at, series in self._state.head.hours.items():
            if at > hour - length and (cell := series.get(name)) is not None:
                count, total = count + cell.count, total + cell.total
        return count, total

    def greatest_day(self, name: str, length: int, today: int) -> tuple[int, int]:
        """The greatest count and the greatest sum of a day."""
        count = total = 0
        for number, month in self._months:
            if name in month.totals and first_day_of(number + 1) > today - length + 1:
                for day, series in month.days.items():
                    if day > today - length and (cell := series.get(name)) is not None:
                        count, total = max(count, cell.count), max(total, cell.total)
        return count, total

    def last_day(self, name: str) -> int | None:
        """When it was last counted: a day since 1970."""
        for _, month in self._months:
            if name in month.totals:
                days = [day for day, series in month.days.items() if name in series and series[name].count > 0]
                if days:
                    return max(days)
        return None
