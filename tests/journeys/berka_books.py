"""The PKDD'99 files read plainly, apart from everything that the product reads them with: the lines of an account, in
crowns, on the days that the files name."""

import csv
from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterator
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
        months = list(months_between(self.opened, day))[1:][-12:]
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


def months_between(since: date, until: date) -> Iterator[tuple[int, int]]:
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
