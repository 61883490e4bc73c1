"""The PKDD'99 files read plainly, apart from everything that the product reads them with: what rules may say of an
account's money, worked out from its lines alone. Amounts in crowns, days as the files name them."""

import csv
from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import NamedTuple

OWN_BEGINNING = ("VYBER", "VYBER KARTOU", "PREVOD NA UCET")
FEES = ("SLUZBY", "SANKC. UROK")
PENALTY = "SANKC. UROK"


def rows(directory: Path, name: str) -> Iterator[dict[str, str]]:
    with (directory / f"{name}.asc").open(encoding="latin-1", newline="") as lines:
        for row in csv.DictReader(lines, delimiter=";"):
            yield {column: value.strip() for column, value in row.items()}


def day_of(text: str) -> date:
    return date(1900 + int(text[:2]), int(text[2:4]), int(text[4:6]))


class Line(NamedTuple):
    """`change`: what it does to the balance, which is `balance` afterwards."""

    number: str
    day: date
    change: float
    balance: float
    operation: str
    symbol: str
    bank: str


class Loan(NamedTuple):
    """`ends`: the day of its last instalment."""

    granted: date
    ends: date
    status: str


class Account:
    def __init__(self, number: str, opened: date, born: date) -> None:
        self.number, self.opened, self.born = number, opened, born
        self.lines: list[Line] = []
        self.loans: list[Loan] = []
        self._closings: dict[date, float] = {}

    def closings(self) -> dict[date, float]:
        """Day → balance after its last line: the one that all the day's changes lead to."""
        if not self._closings and self.lines:
            by_day: dict[date, list[Line]] = defaultdict(list)
            for line in self.lines:
                by_day[line.day].append(line)
            held = 0.0
            for day, found in sorted(by_day.items()):
                sought = held + sum(line.change for line in found)
                held = min((line.balance for line in found), key=lambda balance: abs(balance - sought))
                self._closings[day] = held
        return self._closings

    def until(self, day: date) -> "Account":
        """As its lines told by the close of that day."""
        known = Account(self.number, self.opened, self.born)
        known.lines = [line for line in self.lines if line.day <= day]
        known.loans = self.loans
        known._closings = {one: balance for one, balance in self.closings().items() if one <= day}
        return known

    def balance(self, day: date) -> float | None:
        """At the close of a day; None before the first line."""
        days = [one for one in self.closings() if one <= day]
        return self.closings()[max(days)] if days else None

    def lowest(self, day: date, days: int) -> float:
        known = self.closings()
        since = day - timedelta(days=days - 1)
        carried = max((one for one in known if one <= since), default=since)
        return min(balance for one, balance in known.items() if carried <= one <= day)

    def within(self, day: date, days: int, wanted: Callable[[Line], bool]) -> list[Line]:
        return [one for one in self.lines if day - timedelta(days=days) < one.day <= day and wanted(one)]

    def usual_month(self, day: date, sign: int) -> tuple[float, float]:
        """Median of what the last twelve full months moved that way, and of how far each is from it; 0 before there
        is a full one."""
        months = list(_months(self.opened, day))[1:][-12:]
        moved = dict.fromkeys(months, 0.0)
        for line in self.lines:
            month = line.day.year, line.day.month
            if month in moved and line.change * sign > 0:
                moved[month] += abs(line.change)
        sums = list(moved.values())
        if not sums:
            return 0.0, 0.0
        middle = median(sums)
        return middle, median(abs(one - middle) for one in sums)


def _months(since: date, until: date) -> Iterator[tuple[int, int]]:
    """From the month of one day up to the one before that of the other."""
    year, month = since.year, since.month
    while (year, month) < (until.year, until.month):
        yield year, month
        year, month = year + month // 12, month % 12 + 1


def read_books(directory: Path) -> dict[str, Account]:
    born = {row["client_id"]: _born(row["birth_number"]) for row in rows(directory, "client")}
    owner = {row["account_id"]: row["client_id"] for row in rows(directory, "disp") if row["type"] == "OWNER"}
    books = {row["account_id"]: Account(row["account_id"], day_of(row["date"]), born[owner[row["account_id"]]])
             for row in rows(directory, "account")}  # fmt: skip
    for row in rows(directory, "trans"):
        sign = 1 if row["type"] == "PRIJEM" else -1
        books[row["account_id"]].lines.append(
            Line(row["trans_id"], day_of(row["date"]), sign * float(row["amount"]), float(row["balance"]),
                 row["operation"], row["k_symbol"], row["bank"])
        )  # fmt: skip
    for row in rows(directory, "loan"):
        granted, months = day_of(row["date"]), int(row["duration"])
        years, month = divmod(granted.month - 1 + months, 12)
        lacks_day = granted.day > monthrange(granted.year + years, month + 1)[1]
        ends = date(granted.year + years, month + 1, 28 if lacks_day else granted.day)
        books[row["account_id"]].loans.append(Loan(granted, ends, row["status"]))
    return {number: one for number, one in books.items() if one.lines}


def _born(number: str) -> date:
    month = int(number[2:4])
    return date(1900 + int(number[:2]), month - 50 if month > 50 else month, int(number[4:6]))


def is_pension(line: Line) -> bool:
    return line.symbol == "DUCHOD"


def is_own_payment(line: Line) -> bool:
    return line.operation in OWN_BEGINNING and not line.symbol


def left_the_bank(line: Line) -> bool:
    return line.change < 0 and bool(line.bank)


def came_from_a_bank(line: Line) -> bool:
    return line.change > 0 and bool(line.bank)


def is_fee(line: Line) -> bool:
    return line.symbol in FEES and line.change < 0


def is_household(line: Line) -> bool:
    return line.symbol == "SIPO"


def is_penalty(line: Line) -> bool:
    return line.symbol == PENALTY


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
    months = list(_months(account.opened, day))[:0:-1][:5]
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
