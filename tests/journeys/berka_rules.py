"""What each rule asks, said again in plain Python over the lines of an account: apart from rule files and facts."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import NamedTuple

from tests.journeys.berka_books import Account, is_pension
from tests.journeys.berka_facts import FACTS

BOOKED = 11
"""The hour (UTC) at which the replay lets the bank book."""
CET = timezone(timedelta(hours=1))
NOT_IN_THE_FILES = frozenset({"tier", "value_score", "product_families", "next_product", "loan_outstanding"})
"""What the bank's own scales say, and what no line tells."""
NEVER = frozenset({
    "shortfalls_30d", "shortfalls_90d", "gambling_payments_30d", "short_term_loans_60d", "friction_fees_30d",
    "mortgages_open", "loan_arrears", "loan_repaid_percent",
})  # fmt: skip
"""The files know nothing of the kind: these stay 0."""


class Seen(NamedTuple):
    """An account as it was known at an instant; `day` by UTC, `bank_day` by the bank's own clock. `booked`: the last
    day of which the bank has booked the lines."""

    account: Account
    day: date
    bank_day: date
    booked: date

    def fact(self, name: str) -> float | bool | str | None:
        if name in NEVER:
            return 0.0
        return OF_BANK_DAYS[name](self) if name in OF_BANK_DAYS else FACTS[name](self.account, self.day)

    def number(self, name: str) -> float:
        told = self.fact(name)
        assert not isinstance(told, str)
        return float(told or 0.0)


def seen_at(account: Account, at_ms: int) -> Seen:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    booked = at.date() if at.hour >= BOOKED else at.date() - timedelta(days=1)
    return Seen(account.until(booked), at.date(), at.astimezone(CET).date(), booked)


def missed_paydays(seen: Seen) -> Iterator[date]:
    """Pensions come on the same day of every month: those days that went by without one, and five working days more."""
    last = max(one.day for one in seen.account.lines if is_pension(one))
    while working_days_after(last := _month_later(last), 5) < seen.bank_day:
        yield last


def _first_pension(account: Account) -> date:
    return min(one.day for one in account.lines if is_pension(one))


def _month_later(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, day.day)


def working_days_after(day: date, days: int) -> date:
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < 5
    return day


def _next(day: date, today: date) -> date:
    """Its day of the year, today or later."""
    this_year = day.replace(year=today.year)
    return this_year if this_year >= today else this_year.replace(year=today.year + 1)


def _first_pension_after(seen: Seen) -> int:
    """Whoever opened the account within the files has begun with it, or brought it later: U6 asks for either."""
    return (_first_pension(seen.account) - seen.account.opened).days


OF_BANK_DAYS: Mapping[str, Callable[[Seen], float]] = {
    "tenure_days": lambda seen: (seen.bank_day - seen.account.opened).days,
    "salary_missed": lambda seen: len(list(missed_paydays(seen))),
    "salary_known_days": lambda seen: (seen.booked - _first_pension(seen.account)).days,
    "salary_first_after_days": _first_pension_after,
    "began_with_salary": lambda seen: _first_pension_after(seen) <= 90,
    "salary_days_overdue": lambda seen: (seen.bank_day - next(missed_paydays(seen))).days,
    "birthday_in_days": lambda seen: (_next(seen.account.born, seen.bank_day) - seen.bank_day).days,
    "anniversary_in_days": lambda seen: (_next(seen.account.opened, seen.bank_day) - seen.bank_day).days,
    "anniversary_years": lambda seen: _next(seen.account.opened, seen.bank_day).year - seen.account.opened.year,
    "loan_ends_in_days": lambda seen: min((one.ends - seen.bank_day).days for one in seen.account.loans),
    "age": lambda seen: (seen.bank_day.toordinal() - seen.account.born.toordinal()) // 365.25,
}


def money_is_leaving(seen: Seen) -> bool:
    return any(
        seen.number(f"balance_{ago}_ago") >= 20_000
        and seen.number(f"external_outflow_{ago}") >= 0.4 * seen.number(f"balance_{ago}_ago")
        and seen.number(f"external_outflow_{ago}") > 1.5 * seen.number("usual_monthly_outflow")
        for ago in ("7d", "30d")
    )


def is_in_trouble(seen: Seen) -> bool:
    return seen.number("missed_instalments_90d") >= 1 or (
        bool(seen.fact("overdrawn")) and seen.number("penalties_30d") >= 1
    )


def much_arrived(seen: Seen) -> bool:
    came = seen.number("external_inflow_30d") - seen.number("income_30d")
    return (
        came >= 50_000
        and seen.number("external_inflow_30d") > 1.5 * seen.number("usual_monthly_inflow")
        and seen.number("assets_change_30d") >= 0.7 * came
    )


def lies_idle(seen: Seen) -> bool:
    lowest, usual = seen.number("current_lowest_60d"), seen.number("usual_monthly_outflow")
    return seen.number("tenure_days") >= 60 and usual > 0 and lowest >= 20_000 and lowest > 6 * usual


def rents_and_saves(seen: Seen) -> bool:
    return (
        seen.number("rent_months_in_a_row") >= 6
        and seen.number("housing_payments_190d") >= 6
        and seen.number("assets") >= 20_000
        and seen.number("assets_change_90d") >= 0.02 * seen.number("assets")
    )


def fees_annoy(seen: Seen) -> bool:
    if seen.number("penalties_30d") >= 2:
        return True
    recent, year = seen.number("fees_30d"), seen.number("fees_365d")
    return seen.number("tenure_days") >= 365 and recent >= 50 and recent > 3 * (year - recent) / 11


def is_new_and_quiet(seen: Seen) -> bool:
    return 30 <= seen.number("tenure_days") < 180 and (
        seen.number("customer_debits_30d") < (4 if seen.number("assets") < 1_000 else 2)
    )


def comes_of_age(seen: Seen) -> bool:
    age, in_days = seen.number("age"), seen.number("birthday_in_days")
    return (age == 17 and 0 < in_days <= 30) or (age == 18 and in_days == 0)


RULES: Mapping[str, Callable[[Seen], bool]] = {
    "R2": money_is_leaving,
    "R4": lambda seen: seen.number("salary_credits") >= 2 and seen.number("salary_missed") >= 1,
    "R15": fees_annoy,
    "R17": lambda seen: seen.number("days_since_customer_debit") >= 30 and seen.number("customer_debits_180d") >= 6,
    "R22": is_new_and_quiet,
    "U2": much_arrived,
    "U3": lies_idle,
    "U6": lambda seen: seen.number("salary_credits") >= 1 and seen.number("salary_known_days") <= 75,
    "U9": rents_and_saves,
    "U11": lambda seen: seen.number("loans_open") >= 1 and 0 < seen.number("loan_ends_in_days") <= 90,
    "U14": comes_of_age,
    "U18": lambda seen: not seen.fact("overdrawn") and seen.number("days_since_overdrawn") >= 90,
    "U20": lambda seen: seen.number("customer_debits_90d") >= 12,
    "U21": lambda seen: seen.number("birthday_in_days") <= 7,
    "U21B": lambda seen: seen.number("tenure_days") >= 358 and seen.number("anniversary_in_days") <= 7,
    "G2": is_in_trouble,
}  # fmt: skip
"""Those that speak of how an account stands."""


def stands_out(seen: Seen, amount: float) -> bool:
    """Of money that came at once."""
    usual, spread = seen.number("usual_monthly_inflow"), seen.number("usual_monthly_inflow_spread")
    return amount >= max(50_000, 0.5 * usual) or (amount >= 10_000 and usual > 0 and amount > usual + 4.5 * spread)
