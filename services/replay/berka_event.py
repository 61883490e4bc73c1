"""The shape that the PKDD'99 replay gives its events: ids, times and money, the same for every file.

The files name days only. What a bank registers happens at 08:00, what it books at 12:00, Central European Time.
"""

from datetime import date, datetime, time, timedelta, timezone
from typing import Any

Event = dict[str, Any]

ZONE = timezone(timedelta(hours=1), "CET")
REGISTERED_AT, BOOKED_AT = time(8), time(12)

PURPOSES = {
    "SIPO": "household_payment",
    "POJISTNE": "insurance",
    "UVER": "loan_payment",
    "DUCHOD": "pension",
    "UROK": "interest",
    "SLUZBY": "fee",
    "SANKC. UROK": "penalty",
    "LEASING": "other",
}


def event(name: str, number: str, kind: str, day: date, at: time, channel: str, **fields: Any) -> Event:
    occurred_at = datetime.combine(day, at, ZONE).isoformat()
    return {"id": f"berka-{name}-{number}", "type": kind, "occurred_at": occurred_at, "channel": channel, **fields}


def crowns(value: str) -> dict[str, str]:
    return {"value": value, "currency": "CZK"}


def decimal(minor: int) -> str:
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100}.{abs(minor) % 100:02d}"
