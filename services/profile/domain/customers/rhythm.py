"""How a customer's days and months usually are: their sums and days over the last year."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from schemas.instants import DAY_MS
from services.profile.domain.reference.tables import Reference
from services.profile.domain.states.months import ReadableMonth, ReadableState
from services.profile.domain.states.periods import month_of
from services.profile.domain.states.state import Series

BASELINE_MONTHS = 12
LOGIN_DAYS = 30
RECENT_DAYS, RECENT_MONTHS = 180, 7


class Logins(msgspec.Struct, frozen=True):
    """Of distinct days with a sign-in (UTC), at most the last 30. The gaps are None for fewer than three days."""

    median_gap_days: int | None
    longest_gap_days: int | None
    last_day: int | None
    days: int


class Spread(msgspec.Struct, frozen=True):
    """Median and median absolute deviation over full months (UTC), in minor units of the home currency."""

    median_minor: int
    spread_minor: int
    months: int


class Rhythm(msgspec.Struct, frozen=True):
    """`missing` names the flows of which a part has no rate."""

    logins: Logins
    inflow: Spread | None
    outflow: Spread | None
    shortfalls_180d: int
    missed_instalments_180d: int
    missing: tuple[str, ...]


def median(values: Sequence[int]) -> int:
    """Rounded down between the two in the middle; `values` must not be empty."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) // 2


def rhythm_of(state: ReadableState, reference: Reference, now: int) -> Rhythm:
    this_month, today = month_of(now), now // DAY_MS
    first = month_of(state.head.first_at) + 1 if state.head.count else this_month
    full = range(max(this_month - BASELINE_MONTHS, first), this_month)
    recent = [
        state.months[number] for number in range(this_month, this_month - RECENT_MONTHS, -1) if number in state.months
    ]
    totals = [month.totals for number in full if (month := state.months.get(number)) is not None]
    counted = frozenset[str]().union(*totals)
    flows = {flow: _spread(f"{flow}:", counted, totals, len(full), reference, today) for flow in ("inflow", "outflow")}
    return Rhythm(
        _logins(_days_of("logins", state, this_month)),
        **flows,
        shortfalls_180d=_counted("shortfalls", recent, today - RECENT_DAYS),
        missed_instalments_180d=_counted("missed_instalments", recent, today - RECENT_DAYS),
        missing=tuple([flow for flow, spread in flows.items() if full and spread is None]),
    )


def _spread(
    series: str, counted: Iterable[str], totals: Sequence[Series], months: int, reference: Reference, today: int
) -> Spread | None:
    """At today's rates. Of `months`, those without any event count as nothing; None before there is a full month,
    and where a part has no rate."""
    if not months:
        return None
    names = [(name, name.removeprefix(series)) for name in counted if name.startswith(series)]
    sums = [0] * (months - len(totals))
    for told in totals:
        total = 0
        for name, currency in names:
            cell = told.get(name)
            if cell is not None:
                home = reference.home_minor(cell.total, currency, today)
                if home is None:
                    return None
                total += home
        sums.append(total)
    middle = median(sums)
    return Spread(middle, median([abs(one - middle) for one in sums]), len(sums))


def _days_of(series: str, state: ReadableState, this_month: int) -> list[int]:
    """The latest days on which it was counted, ascending."""
    found: set[int] = set()
    for number in range(this_month, this_month - BASELINE_MONTHS - 1, -1):
        month = state.months.get(number)
        if month is not None and series in month.totals:
            found |= {day for days in month.days_by_part for day, counted in days.items() if series in counted}
            if len(found) >= LOGIN_DAYS:
                break
    return sorted(found)[-LOGIN_DAYS:]


def _counted(series: str, months: Sequence[ReadableMonth], after: int) -> int:
    count = 0
    for month in months:
        if series in month.totals:
            for days in month.days_by_part:
                count += sum([told[series].count for day, told in days.items() if day > after and series in told])
    return count


def _logins(days: Sequence[int]) -> Logins:
    gaps = [later - earlier for earlier, later in pairwise(days)]
    usual, longest = (median(gaps), max(gaps)) if len(gaps) >= 2 else (None, None)
    return Logins(usual, longest, days[-1] if days else None, len(days))
