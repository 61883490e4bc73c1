"""Windowed aggregates over what a customer's state counts by hour and by day, declared as data."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec

from services.profile.domain.buckets import Buckets, Sums
from services.profile.domain.combine import DAY_MS, HOUR_MS
from services.profile.domain.reference import Reference
from services.profile.domain.rendering import money

MAX_DAYS, MAX_HOURS = 400, 7 * 24
_NOTHING = (0, 0)
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


class Measures(msgspec.Struct, frozen=True, forbid_unknown_fields=True, eq=False):
    """The file `catalogue/measures.yaml`. `summed`: the series that add money; the loader takes them from
    `series.yaml`. Compared by identity, so that its plan can be remembered."""

    version: int = 0
    measures: tuple[MeasureRule, ...] = ()
    summed: frozenset[str] = frozenset()


class Measured(NamedTuple):
    """`amount` in minor units of the home currency where the measure is of money, else a count. `unconverted` names
    currencies without a rate, which are left out."""

    amount: int
    is_money: bool
    unconverted: tuple[str, ...] = ()


class Planned(NamedTuple):
    """`length` in hours or days."""

    name: str
    aggregate: str
    by_hour: bool
    length: int


class Plan(NamedTuple):
    """Measures compiled: what each is where nothing was counted, and the rules of each series. `money`: series that
    add money. `days`: the windows of days, ascending."""

    nothing: dict[str, Measured]
    by_series: dict[str, tuple[Planned, ...]]
    money: frozenset[str]
    days: tuple[int, ...]


@lru_cache(16)
def plan_of(measures: Measures) -> Plan:
    by_series: dict[str, tuple[Planned, ...]] = {}
    nothing = {}
    for rule in measures.measures:
        planned = Planned(rule.name, rule.aggregate, rule.window[-1] == "h", int(rule.window[:-1]))
        by_series[rule.series] = (*by_series.get(rule.series, ()), planned)
        nothing[rule.name] = Measured(0, rule.series in measures.summed and rule.aggregate != "count")
    all_planned = [planned for rules in by_series.values() for planned in rules]
    days = tuple(sorted({one.length for one in all_planned if not one.by_hour and one.aggregate != "max"}))
    return Plan(nothing, by_series, measures.summed, days)


def counted(measures: Measures, buckets: Buckets, reference: Reference, now: int) -> dict[str, Measured]:
    """The measures of what was counted within their windows. Foreign currencies are converted at today's rate."""
    plan = plan_of(measures)
    measured: dict[str, Measured] = {}
    windows = buckets.over_days(plan.days, now // DAY_MS) if buckets.series else {}
    for series, currencies in buckets.series.items():
        is_summed = series in plan.money
        name = f"{series}:{currencies[0]}" if is_summed else series
        in_one = not is_summed or currencies == [reference.home_currency]
        for rule in plan.by_series.get(series, ()):
            if in_one:
                count, total = _sum(rule, name, buckets, windows, now)
                is_money = is_summed and rule.aggregate != "count"
                if count:
                    measured[rule.name] = Measured(_aggregate(rule, total if is_money else count), is_money)
            else:
                sums = {one: _sum(rule, f"{series}:{one}", buckets, windows, now) for one in currencies}
                measured[rule.name] = _of_money(rule, sums, reference, now)
    return measured


def _of_money(rule: Planned, sums: Mapping[str, tuple[int, int]], reference: Reference, now: int) -> Measured:
    if rule.aggregate == "count":
        return Measured(sum(count for count, _ in sums.values()), is_money=False)
    added = 0
    unknown = []
    for currency, (count, total) in sums.items():
        home = reference.home_minor(total, currency, reference.day_of(now))
        added += home or 0
        if home is None and count:
            unknown.append(currency)
    return Measured(_aggregate(rule, added), True, tuple(unknown))


def _sum(rule: Planned, name: str, buckets: Buckets, windows: Mapping[int, Sums], now: int) -> tuple[int, int]:
    """How often, and how much."""
    if rule.by_hour:
        return buckets.over_hours(name, rule.length, now // HOUR_MS)
    if rule.aggregate == "max":
        return buckets.greatest_day(name, rule.length, now // DAY_MS)
    return windows[rule.length].get(name, _NOTHING)


def _aggregate(rule: Planned, amount: int) -> int:
    return amount // rule.length if rule.aggregate == "mean" else amount


@lru_cache(16)
def nothing_shown(measures: Measures, currency: str) -> dict[str, Any]:
    """Every measure as a view shows it where nothing was counted."""
    return {name: _shown(one, currency) for name, one in plan_of(measures).nothing.items()}


def _shown(measured: Measured, currency: str) -> Any:
    if not measured.is_money:
        return measured.amount
    unconverted = {"unconverted": list(measured.unconverted)} if measured.unconverted else {}
    return money(measured.amount, currency) | unconverted


def shown(measured: Mapping[str, Measured], currency: str) -> dict[str, Any]:
    """Those of which something was counted; a view is written with them alone."""
    return {name: _shown(one, currency) for name, one in measured.items() if one.amount or one.unconverted}
