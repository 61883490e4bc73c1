"""Which bank it is, and the numbers by which it names things. A number says nothing about who carries it."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache

import msgspec

ZONE = timezone(timedelta(hours=8), "CST")
CURRENCY = "CNY"
OWN_BANK = "CPBK"

CURRENT, SAVINGS = 0, 1
"""Which account of a customer; companies have only the first."""


class Bank(msgspec.Struct, frozen=True):
    """`anchor` is the day around which the planted stories lie: history ends on it, live traffic goes on after it."""

    seed: int
    size: int
    anchor: date


def customer_no(number: int) -> str:
    return f"{10_000_000 + number}"


def account_no(number: int, which: int = CURRENT) -> str:
    # eleven digits: too short to be taken for a card number at the door
    return f"80{number:08d}{which + 1}"


def card_no(number: int) -> str:
    return f"card-{number:08d}"


def login(number: int) -> str:
    return f"user{number:08d}"


def device_id(number: int) -> str:
    return f"d-{(number * 2_654_435_761 + 97) % 2**32:08x}"


def phone(number: int) -> str:
    """A mobile number of its own for each of the first hundred million customers (7919 is coprime to ten)."""
    return f"+86139{(number * 7919 + 12_345_678) % 100_000_000:08d}"


def is_company(number: int) -> bool:
    return number % 25 == 24


@lru_cache(maxsize=100)
def start_of(day: date) -> int:
    """Midnight of the bank's day, in ms UTC."""
    return int(datetime.combine(day, time(), ZONE).timestamp()) * 1000


def day_at(now_ms: int) -> date:
    return datetime.fromtimestamp(now_ms / 1000, ZONE).date()


def rfc3339(at_ms: int) -> str:
    """In the bank's zone, to the millisecond."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZONE).isoformat(timespec="milliseconds")


def money(minor: int) -> dict[str, str]:
    return {"value": f"{'-' if minor < 0 else ''}{abs(minor) // 100}.{abs(minor) % 100:02d}", "currency": CURRENCY}


def rounded(minor: float, unit: int = 100) -> int:
    """To whole units of so many fen."""
    return round(minor / unit) * unit
