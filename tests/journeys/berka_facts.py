"""What rules may ask of an account's money, worked out from its lines alone and apart from the product's own facts."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from statistics import median

from tests.journeys.berka_books import (
    Account,
    Line,
    came_from_a_bank,
    is_fee,
    is_household,
    is_own_payment,
    is_penalty,
    is_pension,
    left_the_bank,
    months_between,
)

Fact = Callable[[Account, date], float | bool | str | None]


def _sum(days: int, wanted: Callable[[Line], bool]) -> Fact:
    return lambda account, day: sum(abs(one.change) for one in account.within(day, days, wanted))


def _count(days: int, wanted: Callable[[Line], bool]) -> Fact:
    return lambda account, day: len(account.within(day, days, wanted))


def _ago(days: int) -> Fact:
    return lambda account, day: account.balance(day - timedelta(days=days))


def _risen(days: int) -> Fact:
    return lambda account, day: _assets(account, day) - _assets(account, day - timedelta(days=days))


def _assets(account: Account, day: date) -> float:
    """A balance below nothing is none."""
    return max(0.0, account.balance(day) or 0.0)


def _last(account: Account, day: date, wanted: Callable[[Line], bool]) -> date:
    return max((one.day for one in account.lines if one.day <= day and wanted(one)), default=day)


def _last_overdrawn(account: Account, day: date) -> int:
    """Days since it last closed a day below nothing, carried until the next line."""
    one, known = day, account.closings()
    while one >= min(known):
        if (account.balance(one) or 0.0) < 0:
            return (day - one).days
        one -= timedelta(days=1)
    return 0


def _months_of_rent(account: Account, day: date) -> int:
    """In a row up to the last full month, the running one where it is paid already."""
    paid = {(one.day.year, one.day.month) for one in account.lines if is_household(one) and one.day <= day}
    months = list(months_between(account.opened, day))[:0:-1][:5]
    in_a_row = next((count for count, month in enumerate(months) if month not in paid), len(months))
    return in_a_row + ((day.year, day.month) in paid)


def _unpaid(account: Account, day: date) -> int:
    return sum(one.status in "BD" and day - timedelta(days=90) < one.ends <= day for one in account.loans)


FACTS: Mapping[str, Fact] = {
    "balance_total": _ago(0),
    "balance_7d_ago": _ago(7),
    "balance_30d_ago": _ago(30),
    "current_lowest_60d": lambda account, day: account.lowest(day, 60),
    "assets": _assets,
    "assets_band": lambda account, day: "below" if _assets(account, day) < 5_000_000 else "near",
    "assets_change_30d": _risen(30),
    "assets_change_90d": _risen(90),
    "external_outflow_7d": _sum(7, left_the_bank),
    "external_outflow_30d": _sum(30, left_the_bank),
    "external_inflow_30d": _sum(30, came_from_a_bank),
    "income_30d": _sum(30, is_pension),
    "usual_monthly_outflow": lambda account, day: account.usual_month(day, -1)[0],
    "usual_monthly_inflow": lambda account, day: account.usual_month(day, 1)[0],
    "usual_monthly_inflow_spread": lambda account, day: account.usual_month(day, 1)[1],
    "customer_debits_30d": _count(30, is_own_payment),
    "customer_debits_90d": _count(90, is_own_payment),
    "customer_debits_180d": _count(180, is_own_payment),
    "days_since_customer_debit": lambda account, day: (day - _last(account, day, is_own_payment)).days,
    "housing_payments_190d": _count(190, is_household),
    "rent_months_in_a_row": _months_of_rent,
    "fees_30d": _sum(30, is_fee),
    "fees_365d": _sum(365, is_fee),
    "penalties_30d": _count(30, is_penalty),
    "overdrawn": lambda account, day: (account.balance(day) or 0.0) < 0,
    "days_since_overdrawn": _last_overdrawn,
    "missed_instalments_90d": _unpaid,
    "loans_open": lambda account, day: sum(one.granted <= day for one in account.loans),
    "has_salary": lambda account, day: len(account.within(day, 10_000, is_pension)) >= 2,
    "salary_usual": lambda account, day: median(one.change for one in account.lines
                                                if is_pension(one) and one.day <= day),
    "salary_credits": _count(10_000, is_pension),
}  # fmt: skip
"""What evidence names, as of the close of a day."""
