"""The alert stores under test, each empty: in memory, on SQLite, on PostgreSQL; and what they are given."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from services.alerts.adapters.memory import MemoryAlertStore
from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.domain.alert import Alert, Evidence
from services.alerts.domain.rules import Text
from services.alerts.ports import AlertStore
from services.database import Database, open_database
from services.engines import Timeouts
from services.migrations import upgrade

IMPATIENT = Timeouts(lock=1_500, statement=5_000, idle_in_transaction=3_000)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("alerts") / "template.db"
    database = open_database(f"sqlite:{path}")
    await upgrade(database)
    await database.close()
    return path


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database URL; empty for memory."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "alerts.db")
        return f"sqlite:{tmp_path}/alerts.db"
    return str(request.getfixturevalue("postgres_url")) if request.param == "postgresql" else ""


@pytest_asyncio.fixture
async def store(place: str) -> AsyncIterator[AlertStore]:
    if not place:
        yield MemoryAlertStore()
        return
    database = open_database(place, timeouts=IMPATIENT)
    if database.dialect == "postgresql":
        await _empty(database)
    yield SqlAlertStore(database)
    await database.close()


@pytest_asyncio.fixture
async def other(place: str, store: AlertStore) -> AsyncIterator[AlertStore]:
    """A second worker on the same data: another process, where there can be one."""
    if not place:
        yield store
        return
    database = open_database(place, timeouts=IMPATIENT)
    yield SqlAlertStore(database)
    await database.close()


async def _empty(database: Database) -> None:
    await upgrade(database)
    async with database.transaction() as connection:
        tables = set(await connection.scalars(text("select tablename from pg_tables where schemaname = 'public'")))
        ours = sorted(one for one in tables if one.startswith(("alert", "rule_")) and one != "alembic_version")
        await connection.execute(text(f"truncate {', '.join(ours)} restart identity"))


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
