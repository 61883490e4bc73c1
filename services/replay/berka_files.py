"""Reads a user's own copy of the PKDD'99 Czech bank files as typed rows, in file order.

The files are `;`-separated, quoted, with CRLF and dates as YYMMDD of the 1990s. Nothing is interpreted here.
"""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

ENCODING = "latin-1"  # the published files are seven-bit; copies with Czech letters still read


class Transaction(NamedTuple):
    """`amount` and `balance` (after the transaction) count hellers; a debit's amount is positive here too."""

    trans_id: str
    account_id: str
    day: date
    is_credit: bool
    operation: str
    amount: int
    balance: int
    symbol: str
    bank: str
    account: str

    @property
    def balance_before(self) -> int:
        return self.balance - self.amount if self.is_credit else self.balance + self.amount


class Client(NamedTuple):
    client_id: str
    birth_date: date
    gender: str
    district: str


class Account(NamedTuple):
    account_id: str
    district: str
    opened: date
    frequency: str


class Disposition(NamedTuple):
    """`kind` is OWNER or DISPONENT (may operate the account)."""

    disp_id: str
    client_id: str
    account_id: str
    kind: str


class Card(NamedTuple):
    card_id: str
    disp_id: str
    kind: str
    issued: date


class Loan(NamedTuple):
    """`status`: A finished fine, B finished unpaid, C running fine, D running in debt."""

    loan_id: str
    account_id: str
    granted: date
    amount: str
    months: int
    instalment: str
    status: str


class Order(NamedTuple):
    order_id: str
    account_id: str
    bank: str
    account: str
    amount: str
    symbol: str


def day_of(text: str) -> date:
    """`930101` → 1 January 1993; a trailing time of day (always midnight) is left out."""
    return date(1900 + int(text[:2]), int(text[2:4]), int(text[4:6]))


def minor_of(text: str) -> int:
    """`-2994.60` → -299460. Raises ValueError for anything but a decimal with at most two places."""
    whole, _, cents = text.partition(".")
    if len(cents) > 2:
        raise ValueError(f"more than two decimal places: {text!r}")
    size = int(whole.lstrip("-") or "0") * 100 + int(cents.ljust(2, "0"))
    return -size if whole.startswith("-") else size


def birth_of(number: str) -> tuple[date, str]:
    """Birth date and gender from a Czech birth number YYMMDD; women's months are raised by 50."""
    month = int(number[2:4])
    gender = "female" if month > 50 else "male"
    return date(1900 + int(number[:2]), month - 50 if month > 50 else month, int(number[4:6])), gender


def rows(directory: Path, name: str) -> Iterator[dict[str, str]]:
    """The rows of one file. Raises FileNotFoundError naming the file."""
    with (directory / f"{name}.asc").open(encoding=ENCODING, newline="") as lines:
        for row in csv.DictReader(lines, delimiter=";"):
            yield {column: value.strip() for column, value in row.items()}


def read_transactions(directory: Path) -> Iterator[Transaction]:
    for row in rows(directory, "trans"):
        counter_account = "" if row["account"] == "0" else row["account"]
        yield Transaction(
            row["trans_id"], row["account_id"], day_of(row["date"]), row["type"] == "PRIJEM", row["operation"],
            minor_of(row["amount"]), minor_of(row["balance"]), row["k_symbol"], row["bank"], counter_account,
        )  # fmt: skip


def read_clients(directory: Path) -> Iterator[Client]:
    districts = {row["A1"]: row["A2"] for row in rows(directory, "district")}
    for row in rows(directory, "client"):
        born, gender = birth_of(row["birth_number"])
        yield Client(row["client_id"], born, gender, districts.get(row["district_id"], row["district_id"]))


def read_accounts(directory: Path) -> Iterator[Account]:
    districts = {row["A1"]: row["A2"] for row in rows(directory, "district")}
    for row in rows(directory, "account"):
        district = districts.get(row["district_id"], row["district_id"])
        yield Account(row["account_id"], district, day_of(row["date"]), row["frequency"])


def read_dispositions(directory: Path) -> Iterator[Disposition]:
    for row in rows(directory, "disp"):
        yield Disposition(row["disp_id"], row["client_id"], row["account_id"], row["type"])


def read_cards(directory: Path) -> Iterator[Card]:
    for row in rows(directory, "card"):
        yield Card(row["card_id"], row["disp_id"], row["type"], day_of(row["issued"]))


def read_loans(directory: Path) -> Iterator[Loan]:
    for row in rows(directory, "loan"):
        yield Loan(
            row["loan_id"], row["account_id"], day_of(row["date"]), row["amount"], int(row["duration"]),
            row["payments"], row["status"],
        )  # fmt: skip


def read_orders(directory: Path) -> Iterator[Order]:
    for row in rows(directory, "order"):
        yield Order(
            row["order_id"], row["account_id"], row["bank_to"], row["account_to"], row["amount"], row["k_symbol"]
        )
