"""A database went back in time, and what was told of its alerts since then did not."""

import pytest

from services.alerts.adapters import restoring
from services.alerts.adapters.restoring import raise_revisions
from services.alerts.ports import AlertStore
from services.sql.database import open_database
from tests.ports.alert_stores import alert, save, store

__all__ = ["store"]


@pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)
async def test_restored_alerts_open_and_closed_go_on_above_every_revision_that_was_told(
    store: AlertStore, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "AT_ONCE", 2)
    told = {f"al_{number}": number for number in range(1, 6)}
    await save(store, *(alert(name, f"c{number}", revision=number) for name, number in told.items()))
    await save(store, alert("al_closed", "c1", revision=9, state="closed"))
    database = open_database(store_url)
    assert await raise_revisions(database, 1_000) == 6
    for name, revision in {**told, "al_closed": 9}.items():
        restored = await store.alert(name)
        assert restored is not None
        assert restored.revision == revision + 1_000
    await database.close()
