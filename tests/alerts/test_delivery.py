"""Delivery as it runs: from the topic of alerts to receivers, each in its own time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import pytest_asyncio

from schemas.alerts import Alert
from schemas.codec import encode_alert
from schemas.topics import ALERTS
from services.alerts.adapters.sql_deliveries import SqlDeliveryStore
from services.alerts.delivery.stream import open_delivery
from services.clock import ManualClock
from services.declared_files import PolicyError
from services.embedded.log import EmbeddedLog
from services.log import Message
from services.metrics import DELIVERIES, Metrics
from services.notifications import LocalNotifications
from services.plumbing import Plumbing
from services.sql.database import Database, open_database
from services.sql.migrations import upgrade
from tests.alerts.destined import NOON, SECRET, alert
from tests.receivers import Receiver, Reply, receiver

HANG_S = 20.0


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite:{tmp_path}/bank.db")
    await upgrade(database)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def log(tmp_path: Path) -> AsyncIterator[EmbeddedLog]:
    log = EmbeddedLog(tmp_path / "log")
    await log.ensure_topics([ALERTS])
    yield log
    await log.close()


class Bank:
    """A directory of declarations, and delivery at work with them."""

    def __init__(self, directory: Path, log: EmbeddedLog, database: Database) -> None:
        self._directory, self._log, self._database = directory / "rules", log, database
        self.metrics = Metrics()

    def declare(self, **receivers: Receiver) -> None:
        self._directory.mkdir(exist_ok=True)
        lines = [
            f"- {{id: {name}, kind: webhook, url: '{one.url}', secret: CRM_SECRET, insecure: true, "
            f"networks: [127.0.0.0/8], steps: [routed, raised]}}"
            for name, one in receivers.items()
        ]
        (self._directory / "destinations.yaml").write_text("destinations:\n" + "\n".join(lines) + "\n")

    async def tell(self, *alerts: Alert) -> None:
        await self._log.append(ALERTS.name, [Message(one.customer_id.encode(), encode_alert(one)) for one in alerts])

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[None]:
        plumbing = Plumbing(self._log, self._database, LocalNotifications(), ManualClock(NOON), self.metrics)
        delivery = open_delivery(plumbing, str(self._directory), {"CRM_SECRET": SECRET}, "worker")
        work = asyncio.ensure_future(delivery.work())
        try:
            yield
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
            await delivery.close()


@pytest.fixture
def bank(tmp_path: Path, log: EmbeddedLog, database: Database) -> Bank:
    return Bank(tmp_path, log, database)


async def arrived(there: Receiver, count: int) -> None:
    async with asyncio.timeout(HANG_S):
        while len(there.requests) < count:
            there.arrived.clear()
            await there.arrived.wait()


async def test_a_receiver_that_never_answers_delays_nobody_else(bank: Bank) -> None:
    async with receiver(Reply(never=True)) as dead, receiver() as alive:
        bank.declare(dead=dead, alive=alive)
        async with bank.delivering():
            await bank.tell(*(alert("open", "route", alert_id=f"al_{n}") for n in range(20)))
            await arrived(alive, 20)
            assert len(dead.requests) <= 2
    assert len({one.headers["webhook-id"] for one in alive.requests}) == 20


async def test_after_a_restart_nothing_is_told_twice_and_nothing_is_left_out(bank: Bank, database: Database) -> None:
    async with receiver() as there:
        bank.declare(crm=there)
        await bank.tell(alert("open", "route"))
        async with bank.delivering():
            await arrived(there, 1)
        await bank.tell(alert("open", "route"), alert("open", "route", "raise"))
        async with bank.delivering():
            await arrived(there, 2)
        assert [b"alert.routed" in one.body for one in there.requests] == [True, False]
    assert await SqlDeliveryStore(database).count() == {("crm", "delivered"): 2}


async def test_a_destination_that_is_declared_while_it_runs_is_served(bank: Bank) -> None:
    async with receiver() as first, receiver() as second:
        bank.declare(first=first)
        async with bank.delivering():
            bank.declare(second=second)
            async with asyncio.timeout(HANG_S):
                while not second.requests:
                    # what was told before it was declared is none of its business
                    await bank.tell(alert("open", "route", alert_id=f"al_{asyncio.get_running_loop().time()}"))
                    await asyncio.sleep(0.2)


async def test_what_arrives_is_counted_by_destination(bank: Bank) -> None:
    async with receiver() as there:
        bank.declare(crm=there)
        async with bank.delivering():
            await bank.tell(alert("open", "route"))
            await arrived(there, 1)
    name = f"counterpoint_{DELIVERIES.name}_total"
    assert bank.metrics.registry.get_sample_value(name, {"destination": "crm", "outcome": "delivered"}) == 1


async def test_it_does_not_start_with_a_mistake_in_its_file(bank: Bank) -> None:
    async with receiver() as there:
        bank.declare(Bad=there)
        with pytest.raises(PolicyError, match="Bad id"):
            async with bank.delivering():
                pass
