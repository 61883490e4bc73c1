"""Income that nobody called a salary: what one payer sends every month."""

from collections.abc import Sequence

from services.profile.domain.customers.rhythm import median
from services.profile.domain.customers.salary import Salary, percent_of
from services.profile.domain.states.months import ReadableState
from services.profile.domain.states.periods import month_of
from services.profile.domain.states.state import MANY

RECURRING_MONTHS = 3
ALIKE_PERCENT = 75


def recurring_income(state: ReadableState, own_parties: Sequence[str], now: int) -> Salary | None:
    """The largest credit that one payer sends once in each of the last full months. Months know no days, so nothing is
    due. None also where a month told too many payers apart."""
    latest = month_of(now) - 1
    recent = [state.months.get(number) for number in range(latest - RECURRING_MONTHS + 1, latest + 1)]
    months = [month for month in recent if month is not None]
    if len(months) < RECURRING_MONTHS:
        return None
    found = []
    for series, payers in months[-1].parties.items():
        direction, _, currency = series.partition(":")
        for payer in payers if direction == "credit" else ():
            cells = [month.parties.get(series, {}).get(payer) for month in months]
            totals = [cell.total for cell in cells if cell is not None and cell.count == 1]
            if payer != MANY and payer not in own_parties and len(totals) == len(months) and _alike(totals):
                found.append((median(totals), payer, currency, totals[-1]))
    return _recurring(*max(found)) if found else None


def _alike(totals: Sequence[int]) -> bool:
    return min(totals) * 100 >= max(totals) * ALIKE_PERCENT


def _recurring(usual: int, payer: str, currency: str, last: int) -> Salary:
    return Salary(
        payer=payer, kind="recurring", currency=currency, period="monthly", habit="", median_minor=usual,
        credits=RECURRING_MONTHS, first_at=None, last_at=None, last_minor=last, next_due=None, next_due_by=None,
        missed=0, latest_percent=percent_of(last, usual), reduced_periods=0, raised_periods=0, received_percent=100,
    )  # fmt: skip
