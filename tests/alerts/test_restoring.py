"""A database went back in time, and what was told of its alerts since then did not."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from schemas import alerts as wire
from schemas.codec import decode_alert
from services import retelling
from services.alerts.adapters.restoring import NOTE, retell
from services.alerts.domain.alert import Alert
from services.alerts.outbox import DESK, alert_record
from services.alerts.ports import AlertStore
from services.retelling import Retold
from services.sql.database import Database, open_database
from tests.alerts.told import NOON
from tests.ports.alert_stores import alert, save, store

__all__ = ["store"]
ON_EACH = pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)


@pytest_asyncio.fixture
async def database(store: AlertStore, store_url: str) -> AsyncIterator[Database]:
    database = open_database(store_url)
    yield database
    await database.close()


def heard(*alerts: Alert) -> dict[str, wire.Alert]:
    return {one.alert_id: alert_record(one) for one in alerts}


async def told(store: AlertStore) -> dict[str, wire.Alert]:
    alerts = [decode_alert(row.message.value) for row in await store.outbox(DESK, 100)]
    return {one.alert_id: one for one in alerts}


@ON_EACH
async def test_alerts_that_were_told_of_since_are_told_as_they_stand_above_every_revision_that_was_heard(
    store: AlertStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retelling, "AT_ONCE", 2)
    await save(
        store,
        alert("al_open", "c1", revision=3, state="routed"),
        alert("al_closed", "c2", revision=9, state="closed"),
        alert("al_ahead", "c3", revision=60),
        alert("al_other", "c4", revision=5),
    )
    since = [alert("al_open", "c1", revision=50, state="claimed"), alert("al_closed", "c2", revision=50),
             alert("al_ahead", "c3", revision=50)]  # fmt: skip
    assert await retell(database, heard(*since), NOON) == Retold(3, 0)
    assert {name: (one.revision, one.state) for name, one in (await told(store)).items()} == {
        "al_open": (51, "routed"), "al_closed": (51, "closed"), "al_ahead": (61, "new"),
    }  # fmt: skip
    kept = [await store.alert(name) for name in ("al_open", "al_closed", "al_ahead", "al_other")]
    assert [one.revision for one in kept if one is not None] == [51, 51, 61, 5]


@ON_EACH
async def test_an_open_alert_that_is_unknown_here_is_told_to_be_over_and_one_that_was_over_is_not_told_again(
    store: AlertStore, database: Database
) -> None:
    since = heard(alert("al_open", "c1", revision=50, state="claimed"), alert("al_over", "c1", state="withdrawn"))
    assert await retell(database, since, NOON) == Retold(0, 1)
    [over] = (await told(store)).values()
    assert (over.alert_id, over.revision, over.state) == ("al_open", 51, "superseded")
    assert over.history == [wire.Step(at=NOON, actor="system", action="supersede", state="superseded", note=NOTE)]
    [row] = await store.outbox(DESK, 100)
    assert row.message.key == b"c1"
    assert await store.alert("al_open") is None
