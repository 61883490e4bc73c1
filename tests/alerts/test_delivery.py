"""Delivery as it runs: from the topic of alerts to receivers, each in its own time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from schemas.alerts import Alert
from schemas.codec import CodecError, encode_alert
from schemas.topics import ALERTS
from services.alerts.adapters.destination_files import Destinations, Loaded
from services.alerts.adapters.rule_files import PRODUCT
from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.adapters.sql_deliveries import SqlDeliveryStore
from services.alerts.delivery import stream
from services.alerts.delivery.app import open_delivery
from services.alerts.delivery.deliver import Deliver, Served
from services.alerts.domain.destinations import Destination
from services.declared_files import PolicyError, directories
from services.embedded.log import EmbeddedLog
from services.failures import Contended, Unavailable
from services.log import Handler, Message, Record
from services.metrics import DELIVERIES, DELIVERIES_KEPT, Metrics
from services.notifications import LocalNotifications
from services.plumbing import Plumbing
from services.sql.database import Database, open_database
from services.sql.migrations import upgrade
from tests.alerts.destined import DAY, NOON, SECRET, alert, batch, destination
from tests.alerts.memory_deliveries import MemoryDeliveryStore
from tests.clocks import ManualClock
from tests.patience import HANG_S
from tests.receivers import Receiver, Reply, receiver


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

    def declare(self, author: str = "", /, **receivers: Receiver) -> None:
        self._directory.mkdir(exist_ok=True)
        lines = [
            f"- {{id: {name}, kind: webhook, url: '{one.url}', secret: CRM_SECRET, insecure: true, "
            f"networks: [127.0.0.0/8], steps: [routed, raised]}}"
            for name, one in receivers.items()
        ]
        head = f"changed_by: {author}\n" if author else ""
        (self._directory / "destinations.yaml").write_text(head + "destinations:\n" + "\n".join(lines) + "\n")

    def switch_off(self, destination_id: str) -> None:
        declared = self._directory / "destinations.yaml"
        told = declared.read_text()
        declared.write_text(told.replace(f"{{id: {destination_id},", f"{{id: {destination_id}, enabled: false,"))

    async def tell(self, *alerts: Alert) -> None:
        await self._log.append(ALERTS.name, [Message(one.customer_id.encode(), encode_alert(one)) for one in alerts])

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[None]:
        plumbing = Plumbing(self._log, self._database, LocalNotifications(), ManualClock(NOON), self.metrics)
        delivery = open_delivery(plumbing, str(self._directory), {"CRM_SECRET": SECRET}, "worker", delivers=True)
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
    assert [one.state for one in await SqlDeliveryStore(database).find(None, "crm", 9)] == ["delivered"] * 2


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


async def test_who_changed_the_file_of_destinations_is_written_down_once_for_each_change(
    bank: Bank, database: Database
) -> None:
    store = SqlAlertStore(database)

    async def written(count: int) -> list[tuple[str, str, list[str]]]:
        async with asyncio.timeout(HANG_S):
            while len(found := await store.editions("destinations.yaml", 9)) < count:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.05)
        return [(one.change, one.actor, [to["id"] for to in (one.settings or {})["destinations"]]) for one in found]

    async with receiver() as first, receiver() as second:
        bank.declare(first=first)
        async with bank.delivering():
            assert [what for what, *_ in await written(1)] == ["added"]
        async with bank.delivering():
            bank.declare("Wang Lei", first=first, second=second)
            assert (await written(2))[0] == ("changed", "Wang Lei", ["first", "second"])
    assert len(await written(2)) == 2


@pytest.mark.usefixtures("once")
async def test_what_could_not_be_written_down_is_tried_again(tmp_path: Path) -> None:
    destinations, tried = Destinations(directories(PRODUCT, ""), {}), list[str]()

    async def record(loaded: Loaded) -> None:
        tried.append(loaded.author)
        if len(tried) == 1:
            raise Unavailable("the database is away", 3.0)

    worker = cast("Any", SimpleNamespace(destinations=destinations, record=record))
    destinations.read()
    with pytest.raises(Unavailable):
        await stream.recording(worker)
    for _ in range(2):
        await stream.recording(worker)
    assert len(tried) == 2


async def test_what_arrives_is_counted_by_destination(bank: Bank) -> None:
    async with receiver() as there:
        bank.declare(crm=there)
        async with bank.delivering():
            await bank.tell(alert("open", "route"))
            await arrived(there, 1)
    name = f"counterpoint_{DELIVERIES.name}_total"
    assert bank.metrics.registry.get_sample_value(name, {"destination": "crm", "outcome": "delivered"}) == 1


class Queue:
    """What a loop of delivery asks of a worker: passes over one queue, and the time. `crm` is declared until all passes
    are over."""

    def __init__(self, *passes: Served | Exception) -> None:
        self.passes, self.dropped = list(passes), list[int]()
        self.kept: dict[tuple[str, str], int] = {}
        self.worker = cast("Any", SimpleNamespace(
            destinations=self, deliver=self, store=self, metrics=Metrics(), clock=ManualClock(NOON),
            queued=asyncio.Event(),
        ))  # fmt: skip

    def find(self, destination_id: str) -> Destination | None:
        return destination(destination_id) if self.passes else None

    async def serve(self, to: Destination) -> Served:
        done = self.passes.pop(0)
        if isinstance(done, Exception):
            raise done
        return done

    async def drop(self, before: int) -> int:
        self.dropped.append(before)
        return 0

    async def count(self) -> dict[tuple[str, str], int]:
        return self.kept


async def test_a_queue_rests_while_its_receiver_or_the_database_is_away_or_nothing_went_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rests = list[str]()

    async def sleep(seconds: float) -> None:
        rests.append(f"{seconds:g} s")

    async def woken(event: asyncio.Event, seconds: float) -> None:
        rests.append(f"until woken, was {event.is_set()}")

    away = Served(delivered=1, missed=3, away=True)
    passes = (
        Unavailable("the database is away", 3.0),
        Contended(),
        away,
        Served(delivered=1),
        Served(delivered=1),
        Served(),
    )
    queue = Queue(*passes)
    queue.worker.queued.set()
    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(stream, "woken", woken)
    await stream.queue_of(queue.worker, "crm")
    assert rests == ["3 s", f"{stream.AWAY_PAUSE_S:g} s", "until woken, was False"]


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def once(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        await work()

    monkeypatch.setattr(stream, "every", once)


@pytest.mark.usefixtures("once")
async def test_what_ended_long_ago_is_forgotten_later_than_the_topic_forgets_it() -> None:
    queue = Queue()
    await stream.forgetting(queue.worker)
    assert queue.dropped == [NOON - stream.KEEP_MS]
    assert ALERTS.retention_days * DAY < stream.KEEP_MS


async def test_what_waits_and_what_is_dead_is_counted_by_destination_until_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue, told = Queue(), list[tuple[float | None, float | None]]()
    metrics: Metrics = queue.worker.metrics

    def kept(state: str) -> float | None:
        labels = {"destination": "crm", "state": state}
        return metrics.registry.get_sample_value(f"counterpoint_{DELIVERIES_KEPT.name}", labels)

    async def thrice(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        for queue.kept in ({("crm", "waiting"): 3, ("crm", "dead"): 2}, {("crm", "waiting"): 1}, {}):
            await work()
            told.append((kept("waiting"), kept("dead")))

    monkeypatch.setattr(stream, "every", thrice)
    await stream.counting(queue.worker)
    assert told == [(3, 2), (1, 0), (0, 0)]


async def test_what_is_queued_is_sent_at_once_and_what_cannot_be_read_is_left_out() -> None:
    store, clock, handlers = MemoryDeliveryStore(), ManualClock(NOON), list[Handler]()

    async def consume(topics: Sequence[str], group: str, positions: object, handler: Handler) -> None:
        handlers.append(handler)

    deliver = Deliver(store, cast("Any", None), lambda: [destination()], clock, "worker")
    worker = cast("Any", SimpleNamespace(
        log=SimpleNamespace(consume=consume), store=store, deliver=deliver, metrics=Metrics(), queued=asyncio.Event()
    ))  # fmt: skip
    await stream.accepting(worker)
    [handler] = handlers
    await handler(batch(alert("open", alert_id="al_1")))
    assert not worker.queued.is_set(), "nobody hears of it"
    unreadable = batch(alert(), start=1)._replace(records=[Record(1, NOON, b"c_1", b"no alert")])
    with pytest.raises(CodecError):
        await handler(unreadable)
    await handler(unreadable)
    await handler(batch(alert("route", alert_id="al_2"), start=2))
    assert worker.queued.is_set()
    assert (await store.positions(ALERTS.name, [0]))[0].next == 3


async def test_each_destination_has_one_loop_which_begins_anew_where_it_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = list[str]()

    async def queue_of(worker: object, destination_id: str) -> None:
        begun.append(destination_id)
        if len(begun) > 1:
            await asyncio.Event().wait()

    monkeypatch.setattr(stream, "queue_of", queue_of)
    monkeypatch.setattr(stream, "RELOAD_S", 0)
    declared = SimpleNamespace(destinations=[destination(), destination("off", enabled=False)])
    files = SimpleNamespace(read=lambda: ["line 3 is wrong"], declared=declared)
    with capture_logs() as logs:
        serving = asyncio.create_task(stream.serving(cast("Any", SimpleNamespace(destinations=files))))
        for _ in range(20):
            await asyncio.sleep(0)
        serving.cancel()
        await asyncio.wait([serving])
    assert begun == ["crm", "crm"]
    assert {one["mistake"] for one in logs} == {"line 3 is wrong"}


async def test_that_deliveries_are_dead_is_told_to_operators_when_it_happens() -> None:
    queue = Queue(Served(delivered=1, missed=1), Served(dead=2))
    with capture_logs() as logs:
        for _ in range(2):
            await stream.served_by(queue.worker, destination())
    assert [(one["log_level"], one["destination"]) for one in logs] == [("error", "crm")]


def test_who_is_switched_off_while_it_runs_is_found_no_longer(bank: Bank, tmp_path: Path) -> None:
    bank.declare(crm=cast("Any", SimpleNamespace(url="http://127.0.0.1:1/hook")))
    destinations = Destinations(directories(PRODUCT, str(tmp_path / "rules")), {"CRM_SECRET": SECRET})
    assert destinations.read() == []
    assert destinations.find("crm") is not None
    bank.switch_off("crm")
    assert destinations.read() == []
    assert destinations.find("crm") is None


async def test_a_destination_that_is_switched_off_is_not_served(bank: Bank) -> None:
    async with receiver() as off, receiver() as on:
        bank.declare(off=off, on=on)
        bank.switch_off("off")
        async with bank.delivering():
            await bank.tell(alert("open", "route"))
            await arrived(on, 1)
    assert off.requests == []


async def test_it_does_not_start_with_a_mistake_in_its_file(bank: Bank) -> None:
    async with receiver() as there:
        bank.declare(Bad=there)
        with pytest.raises(PolicyError, match="Bad id"):
            async with bank.delivering():
                pass
