"""One small bank's history up to after its last loss, made once: most tests only look at it."""

from collections import defaultdict
from datetime import date, timedelta

import pytest

from services.simulator.bank import Bank
from services.simulator.books import Event
from services.simulator.traffic import history

ANCHOR = date(2026, 11, 22)
START = ANCHOR - timedelta(days=150)


@pytest.fixture(scope="session")
def bank() -> Bank:
    return Bank(seed=7, size=150, anchor=ANCHOR)


@pytest.fixture(scope="session")
def past(bank: Bank) -> list[Event]:
    return list(history(bank, START, ANCHOR + timedelta(days=125)))


@pytest.fixture(scope="session")
def by_type(past: list[Event]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = defaultdict(list)
    for event in past:
        found[event["type"]].append(event)
    return found
