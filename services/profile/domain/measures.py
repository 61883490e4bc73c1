"""Windowed aggregates over what a customer's state counts by hour and by day, declared as data."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from services.profile.domain.combine import DAY_MS, HOUR_MS
from services.profile.domain.reference import Reference
from services.profile.domain.rendering import money
from services.profile.domain.state import Cell, Series, State

MAX_DAYS, MAX_HOURS = 400, 7 * 24
_WINDOW = re.compile(r"([1-9][0-9]{0,2})([hd])")


class MeasureRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`series` as declared in `series.yaml`. `window` is `24h` (1 to 168) or `30d` (1 to 400): that many buckets, the
    running one included. `mean` and `max` are of a day's sum (or count, where the series sums nothing)."""

    name: str
    series: str
    window: str
    aggregate: Literal["count", "sum", "mean", "max"]
    meaning: str = ""

    def __post_init__(self) -> None:
        match = _WINDOW.fullmatch(self.window)
        if match is None or int(match[1]) > (MAX_HOURS if match[2] == "h" else MAX_DAYS):
            raise ValueError(f"measure {self.name}: a window from 1h to {MAX_HOURS}h or 1d to {MAX_DAYS}d is expected")
        if match[2] == "h" and self.aggregate in ("mean", "max"):
            raise ValueError(f"measure {self.name}: {self.aggregate} is of days; its window must be in days")


class Measures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file `catalogue/measures.yaml`. `summed`: the series that add money; the loader takes them from
    `series.yaml`."""

    version: int = 0
    measures: tuple[MeasureRule, ...] = ()
    summed: frozenset[str] = frozenset()


class Measured(NamedTuple):
    """`amount` in minor units of the home currency where the measure is of money, else a count. `unconverted` names
    currencies without a rate, which are left out."""

    amount: int
    is_money: bool
    unconverted: tuple[str, ...] = ()


Bucket = tuple[int, Cell]


class Buckets:
    """The cells of each series, newest first: turned round once, so that a window is the front of a list."""

    def __init__(self, state: State) -> None:
        self._days: dict[str, list[Bucket]] = {}
        self._hours: dict[str, list[Bucket]] = {}
        for number in sorted(state.months, reverse=True):
            _turn(state.months[number].days, self._days)
        _turn(state.head.hours, self._hours)

    def days(self, series: str) -> Sequence[Bucket]:
        return self._days.get(series, ())

    def window(self, series: str, window: str, now: int) -> Sequence[Bucket]:
        length = int(window[:-1])
        if window[-1] == "h":
            return _since(self._hours.get(series, ()), now // HOUR_MS - length)
        return _since(self._days.get(series, ()), now // DAY_MS - length)

    def currencies(self, series: str) -> list[str]:
        """Of a series that sums money: its parts are named `series:currency`."""
        mark = f"{series}:"
        return sorted({name[len(mark) :] for name in self._days if name.startswith(mark)})


def _turn(buckets: Mapping[int, Series], turned: dict[str, list[Bucket]]) -> None:
    for at in sorted(buckets, reverse=True):
        for name, cell in buckets[at].items():
            known = turned.get(name)
            if known is None:
                turned[name] = [(at, cell)]
            else:
                known.append((at, cell))


def _since(buckets: Sequence[Bucket], after: int) -> Sequence[Bucket]:
    for place, bucket in enumerate(buckets):
        if bucket[0] <= after:
            return buckets[:place]
    return buckets


def measure_all(measures: Measures, buckets: Buckets, reference: Reference, now: int) -> dict[str, Measured]:
    return {rule.name: _measure(rule, buckets, measures.summed, reference, now) for rule in measures.measures}


def _measure(rule: MeasureRule, buckets: Buckets, summed: frozenset[str], reference: Reference, now: int) -> Measured:
    if rule.series not in summed:
        counts = [cell.count for _, cell in buckets.window(rule.series, rule.window, now)]
        return Measured(_aggregate(rule, counts), is_money=False)
    by_bucket: dict[int, int] = {}
    unknown = []
    count = 0
    for currency in buckets.currencies(rule.series):
        for at, cell in buckets.window(f"{rule.series}:{currency}", rule.window, now):
            day = at if rule.window[-1] == "d" else at // 24
            home = reference.home_minor(cell.total, currency, day)
            count += cell.count
            if home is None:
                unknown.append(currency)
            else:
                by_bucket[at] = by_bucket.get(at, 0) + home
    if rule.aggregate == "count":
        return Measured(count, is_money=False)
    return Measured(_aggregate(rule, list(by_bucket.values())), True, tuple(sorted(set(unknown))))


def _aggregate(rule: MeasureRule, values: list[int]) -> int:
    if not values:
        return 0
    if rule.aggregate == "max":
        return max(values)
    if rule.aggregate == "mean":
        return sum(values) // int(rule.window[:-1])
    return sum(values)


def shown(measured: Mapping[str, Measured], currency: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, one in measured.items():
        found[name] = money(one.amount, currency) if one.is_money else one.amount
        if one.unconverted:
            found[name]["unconverted"] = list(one.unconverted)
    return found
