"""The alert stores under test, each empty: in memory, on SQLite, on PostgreSQL; and what they are given."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from services.alerts.adapters.memory import MemoryAlertStore
from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.domain.alert import Alert, Evidence
from services.alerts.domain.rules import Text
from services.alerts.ports import AlertStore
from tests.ports.emptied import emptied, opened


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[AlertStore]:
    if not store_url:
        yield MemoryAlertStore()
        return
    async with emptied(store_url, "counterpoint_alerts") as database:
        yield SqlAlertStore(database)


@pytest_asyncio.fixture
async def other(store_url: str, store: AlertStore) -> AsyncIterator[AlertStore]:
    """A second worker on the same data: another process, where there can be one."""
    if not store_url:
        yield store
        return
    async with opened(store_url, "counterpoint_alerts") as database:
        yield SqlAlertStore(database)


def evidence(rule: str, version: int = 1, **told: Any) -> Evidence:
    plain = {"key": rule, "name": Text(rule, rule), "kind": "retention", "occurred_at": 1, "seen_at": 2, "statement": 3}
    return Evidence(rule=rule, rule_version=version, **{**plain, **told})


def alert(alert_id: str, customer_id: str = "c1", situation: str = "leaving", **told: Any) -> Alert:
    plain: dict[str, Any] = {"kind": "retention", "owner": "M-1", "opened_at": 5, "evidence": [evidence("R1")]}
    return Alert(alert_id=alert_id, customer_id=customer_id, situation=situation, **{**plain, **told})


async def save(store: AlertStore, *alerts: Alert, **look_at: int) -> None:
    async with store.working() as tx:
        await tx.lock([one.customer_id for one in alerts])
        await tx.save_alerts(alerts, look_at)
