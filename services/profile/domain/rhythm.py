"""How a customer's days and months usually are: one pass over the day buckets of the last year."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from services.profile.domain.calendar import DAY_MS
from services.profile.domain.combine import month_of
from services.profile.domain.reference import Reference
from services.profile.domain.state import Series, State

BASELINE_MONTHS = 12
LOGIN_DAYS = 30
RECENT_DAYS = 180


class Logins(msgspec.Struct, frozen=True):
    """Of distinct days with a sign-in (UTC), at most the last 30. The gap is None for fewer than three days."""

    median_gap_days: int | None
    last_day: int | None
    days: int


class Spread(msgspec.Struct, frozen=True):
    """Median and median absolute deviation over full months (UTC), in minor units of the home currency."""

    median_minor: int
    spread_minor: int
    months: int


class Rhythm(msgspec.Struct, frozen=True):
    logins: Logins
    inflow: Spread | None
    outflow: Spread | None
    shortfalls_180d: int
    missed_instalments_180d: int


def median(values: Sequence[int]) -> int:
    """Rounded down between the two in the middle; `values` must not be empty."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) // 2


def rhythm_of(state: State, currencies: Sequence[str], reference: Reference, now: int) -> Rhythm:
    """`currencies`: those whose series are looked at."""
    this_month, recent_from = month_of(now), now // DAY_MS - RECENT_DAYS
    money_in, money_out = (
        [(f"inflow:{one}", one) for one in currencies],
        [(f"outflow:{one}", one) for one in currencies],
    )
    inflows: dict[int, int] = {}
    outflows: dict[int, int] = {}
    logins: list[int] = []
    shortfalls = missed = 0
    for number, month in state.months.items():
        if not this_month - BASELINE_MONTHS <= number <= this_month:
            continue
        came = went = 0
        for day, series in month.days.items():
            came += _summed(series, money_in, day, reference)
            went += _summed(series, money_out, day, reference)
            if "logins" in series:
                logins.append(day)
            if day > recent_from:
                shortfalls += series["shortfalls"].count if "shortfalls" in series else 0
                missed += series["missed_instalments"].count if "missed_instalments" in series else 0
        inflows[number], outflows[number] = came, went
    first = month_of(state.head.first_at) + 1 if state.head.count else this_month
    full = range(max(this_month - BASELINE_MONTHS, first), this_month)
    return Rhythm(_logins(logins), _spread(inflows, full), _spread(outflows, full), shortfalls, missed)


def _summed(series: Series, names: Sequence[tuple[str, str]], day: int, reference: Reference) -> int:
    total = 0
    for name, currency in names:
        cell = series.get(name)
        if cell is not None:
            total += reference.home_minor(cell.total, currency, day) or 0
    return total


def _spread(sums: dict[int, int], full: range) -> Spread | None:
    """Months without any event count as nothing; None before there is a full month."""
    if not full:
        return None
    values = [sums.get(number, 0) for number in full]
    middle = median(values)
    return Spread(middle, median([abs(value - middle) for value in values]), len(values))


def _logins(days: list[int]) -> Logins:
    days = sorted(days)[-LOGIN_DAYS:]
    gaps = [later - earlier for earlier, later in pairwise(days)]
    return Logins(median(gaps) if len(gaps) >= 2 else None, days[-1] if days else None, len(days))
