"""Windowed aggregates over what a customer's state counts by hour and by day, declared as data."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec

from schemas.instants import DAY_MS, HOUR_MS
from services.profile.domain.customers.buckets import Buckets
from services.profile.domain.reference.tables import Reference
from services.profile.domain.rendering import money

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


class Measures(msgspec.Struct, frozen=True, forbid_unknown_fields=True, eq=False):
    """The file `catalogue/measures.yaml`. `summed`: the series that add money; the loader takes them from
    `series.yaml`. Compared by identity, so that its plan can be remembered."""

    measures: tuple[MeasureRule, ...] = ()
    summed: frozenset[str] = frozenset()


class Measured(msgspec.Struct, frozen=True, gc=False):
    """`amount` in minor units of the home currency where the measure is of money, else a count. `unconverted` names
    currencies without a rate, which are left out."""

    amount: int
    is_money: bool
    unconverted: tuple[str, ...] = ()


class PlannedMeasure(NamedTuple):
    """`length` in hours or days. `names`: what its series was counted as, `series` or `series:currency`; `currencies`:
    those of the names."""

    name: str
    aggregate: str
    by_hour: bool
    length: int
    is_money: bool
    names: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()


class Plan(NamedTuple):
    """Measures compiled: what each is where nothing was counted, and the measures of each series."""

    nothing: dict[str, Measured]
    by_series: dict[str, tuple[PlannedMeasure, ...]]


class Window(NamedTuple):
    """`names`: what it or a longer one asks for; `planned`: those of just this length."""

    length: int
    names: frozenset[str]
    planned: tuple[PlannedMeasure, ...]


class Applicable(NamedTuple):
    """Which measures there are for what was counted: all in the order in which they are told, those of windows that end
    at each other by window, and the others."""

    order: tuple[str, ...]
    windows: tuple[Window, ...]
    others: tuple[PlannedMeasure, ...]


@lru_cache(16)
def plan_of(measures: Measures) -> Plan:
    by_series: dict[str, tuple[PlannedMeasure, ...]] = {}
    nothing = {}
    for declared in measures.measures:
        is_money = declared.series in measures.summed and declared.aggregate != "count"
        planned = PlannedMeasure(
            declared.name, declared.aggregate, declared.window[-1] == "h", int(declared.window[:-1]), is_money
        )
        by_series[declared.series] = (*by_series.get(declared.series, ()), planned)
        nothing[declared.name] = Measured(0, is_money)
    return Plan(nothing, by_series)


@lru_cache(4096)
def _applicable(measures: Measures, names: frozenset[str]) -> Applicable:
    """Remembered, since customers are alike in what is counted of them."""
    by_series = plan_of(measures).by_series
    counted_as: dict[str, list[str]] = {}
    for name in sorted(names):
        counted_as.setdefault(name.partition(":")[0], []).append(name)
    planned = [
        measure._replace(names=tuple(told), currencies=tuple([name.partition(":")[2] for name in told]))
        for series, told in counted_as.items()
        for measure in by_series.get(series, ())
    ]
    by_day = [measure for measure in planned if not measure.by_hour and measure.aggregate != "max"]
    windows = [
        Window(
            length,
            frozenset(name for measure in by_day if measure.length >= length for name in measure.names),
            tuple(measure for measure in by_day if measure.length == length),
        )
        for length in sorted({measure.length for measure in by_day})
    ]
    others = tuple(measure for measure in planned if measure.by_hour or measure.aggregate == "max")
    return Applicable(tuple(measure.name for measure in planned), tuple(windows), others)


def counted(measures: Measures, buckets: Buckets, reference: Reference, now: int) -> dict[str, Measured]:
    """The measures of what was counted within their windows. Foreign currencies are converted at today's rate."""
    applicable, today, hour = _applicable(measures, buckets.names), now // DAY_MS, now // HOUR_MS
    measured: dict[str, Measured] = {}
    windows = buckets.over_days([(window.length, window.names) for window in applicable.windows], today)
    for window, (_, sums) in zip(applicable.windows, windows, strict=True):
        for measure in window.planned:
            _note(measured, measure, [sums[name] for name in measure.names], reference, now)
    for measure in applicable.others:
        if measure.by_hour:
            found = [buckets.over_hours(name, measure.length, hour) for name in measure.names]
            _note(measured, measure, found, reference, now)
        else:
            _note_greatest_day(measured, measure, buckets, reference, now)
    return {name: measured[name] for name in applicable.order if name in measured}


def _note(
    measured: dict[str, Measured],
    measure: PlannedMeasure,
    found: Sequence[Sequence[int]],
    reference: Reference,
    now: int,
) -> None:
    """`found`: how often and how much, by each of the measure's names."""
    unknown: tuple[str, ...] = ()
    if not measure.is_money:
        amount = sum([count for count, _ in found])
    elif measure.currencies == (reference.home_currency,):
        amount = found[0][1]
    else:
        amount, unknown = _converted(measure, found, reference, now)
    if amount or unknown:
        told = amount // measure.length if measure.aggregate == "mean" else amount
        measured[measure.name] = Measured(told, measure.is_money, unknown)


def _note_greatest_day(
    measured: dict[str, Measured], measure: PlannedMeasure, buckets: Buckets, reference: Reference, now: int
) -> None:
    """A day's money is that of all currencies together."""
    days: dict[int, int] = {}
    unknown = set[str]()
    for name, currency in zip(measure.names, measure.currencies, strict=True):
        for day, cell in buckets.by_day(name, measure.length, now // DAY_MS).items():
            told = cell.total if measure.is_money else cell.count
            home = reference.home_minor(told, currency, reference.day_of(now)) if measure.is_money else told
            if home is None:
                unknown.add(currency)
            else:
                days[day] = days.get(day, 0) + home
    greatest = max([0, *days.values()])
    if greatest or unknown:
        measured[measure.name] = Measured(greatest, measure.is_money, tuple(sorted(unknown)))


def _converted(
    measure: PlannedMeasure, found: Sequence[Sequence[int]], reference: Reference, now: int
) -> tuple[int, tuple[str, ...]]:
    """The sum over several currencies, and those without a rate."""
    amount, unknown = 0, []
    for currency, (count, total) in zip(measure.currencies, found, strict=True):
        home = reference.home_minor(total, currency, reference.day_of(now))
        amount += home or 0
        if home is None and count:
            unknown.append(currency)
    return amount, tuple(unknown)


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
