"""What alerts cost: judging one statement with the whole catalogue, and from a change to its alert under load.

The service runs in this process, and so does what feeds it: one core for both. Its statements are those of a simulated
bank, told again and again of other customers; one in twenty opens an alert, and most alerts find no room in their
owner's day, as in a bank whose managers have more to do than they can.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec

from schemas.changes import AT_REST, Moment, ProfileChange
from schemas.codec import decode_change, encode_change
from schemas.moments import MOMENTS
from schemas.topics import PROFILE_CHANGES
from services.access import SqlUserStore
from services.alerts.adapters.cel import Cel
from services.alerts.adapters.rule_files import PRODUCT, load_rules
from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.app import FromProfile, open_alerts
from services.alerts.domain.judging import judge
from services.alerts.settings import Choices
from services.cli.declared import known_of
from services.clock import SystemClock
from services.database import Database, open_database
from services.declared_files import place
from services.deployment import calm_collector
from services.embedded import EmbeddedLog
from services.kafka import KafkaLog
from services.log import EventLog, Message
from services.metrics import CHANGE_TO_ALERT, HistogramMetric, Metrics
from services.migrations import upgrade
from services.notifications import LocalNotifications
from services.profile.adapters.policies import load_declarations
from tests.benchmarks.figures import Given, Report, percentile
from tests.benchmarks.lives import Lives, lived
from tests.conftest import started_servers

RATE, TICK_S = 2_000, 0.01
NEW_EVERY, MANAGERS, ROUNDS = 20, 50, 20


async def run(given: Given, report: Report) -> None:
    lives = await lived()
    report.note(f"{len(lives.statements)} customers of a simulated bank, each with {lives.days} days behind it")
    report.tell("a customer's facts, median", median(lives.facts_us), "us")
    report.tell("a customer summed up: view, facts, moments, due times, median", median(lives.summed_us), "us")
    _judging(lives, report)
    async with _service(given) as service:
        await _loaded(service, lives.statements, given, report)


def _judging(lives: Lives, report: Report) -> None:
    expressions, known = Cel(), known_of(load_declarations())
    rules = load_rules(place(PRODUCT, ""), known, expressions, {}).rule_set
    encoded = [encode_change(one) for one in lives.statements]
    spent: dict[str, list[float]] = {"read": [], "judge": []}
    for body in encoded * ROUNDS:
        began = time.perf_counter()
        change = decode_change(body)
        read = time.perf_counter()
        judge(change, rules, expressions)
        spent["judge"].append((time.perf_counter() - read) * 1e6)
        spent["read"].append((read - began) * 1e6)
    moments = median(len(one.moments) for one in lives.statements)
    report.note(f"{len(rules.rules)} rules; in a statement {moments:.0f} moments")
    report.tell("a change judged by the whole catalogue, median", median(spent["judge"]), "us", "100")
    report.tell("a change judged by the whole catalogue, p99", percentile(spent["judge"], 0.99), "us")
    report.tell("a change read from its bytes, median", median(spent["read"]), "us")


class Sampled(Metrics):
    """Keeps every time from change to alert, in ms."""

    def __init__(self) -> None:
        super().__init__()
        self.alerted: list[float] = []

    def observe(self, metric: HistogramMetric, value: float, *labels: str) -> None:
        if metric is CHANGE_TO_ALERT:
            self.alerted.append(value * 1000)
        super().observe(metric, value, *labels)


class Service(NamedTuple):
    log: EventLog
    store: SqlAlertStore
    metrics: Sampled

    async def rest(self) -> None:
        """Until every statement is judged and every alert told."""
        while await self.waiting() or await self.store.lanes_waiting():  # noqa: ASYNC110 - no event of ours
            await asyncio.sleep(0.05)

    async def waiting(self) -> int:
        ends = await self.log.ends(PROFILE_CHANGES.name)
        reached = await self.store.positions(PROFILE_CHANGES.name, list(ends))
        return sum(end - (reached[at].next if at in reached else 0) for at, (_, end) in ends.items())


@asynccontextmanager
async def _service(given: Given) -> AsyncIterator[Service]:
    async with AsyncExitStack() as closing:
        log, database = _opened(closing, given.embedded)
        await upgrade(database)
        metrics, store, declarations = Sampled(), SqlAlertStore(database), load_declarations()
        profile = FromProfile(known_of(declarations), declarations.policy.reference.is_working_day, _nobody)
        alerts = await open_alerts(
            log, database, LocalNotifications(), SqlUserStore(database), SystemClock(), metrics, Choices(), profile
        )
        calm_collector()
        working = asyncio.ensure_future(alerts.work())
        yield Service(log, store, metrics)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await log.close()
        await database.close()


def _opened(closing: AsyncExitStack, embedded: bool) -> tuple[EventLog, Database]:
    if embedded:
        directory = Path(closing.enter_context(TemporaryDirectory(prefix="counterpoint-benchmark-")))
        return EmbeddedLog(directory / "log"), open_database(f"sqlite:{directory / 'alerts.db'}")
    urls = closing.enter_context(started_servers()).up("kafka", "postgres")
    return KafkaLog(urls["kafka"].removeprefix("kafka://")), open_database(urls["postgres"])


async def _nobody(customer_id: str) -> None:
    return None


async def _loaded(service: Service, statements: Sequence[ProfileChange], given: Given, report: Report) -> None:
    feed = Feed(statements, given.customers)
    for _ in range(0, given.customers, RATE):
        await service.log.append(PROFILE_CHANGES.name, [feed.known() for _ in range(RATE)])
    await service.rest()
    service.metrics.alerted.clear()
    began, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for tick in range(int(given.seconds / TICK_S)):
            await asyncio.sleep(max(0.0, began + tick * TICK_S - time.perf_counter()))
            group.create_task(service.log.append(PROFILE_CHANGES.name, feed.some(int(RATE * TICK_S))))
        told, behind = time.perf_counter() - began, await service.waiting()
    await service.rest()
    worked, cpu = time.perf_counter() - began, time.process_time() - cpu
    count, times = int(given.seconds / TICK_S) * int(RATE * TICK_S), service.metrics.alerted
    name = "embedded" if given.embedded else "Kafka, PostgreSQL"
    report.note(f"{name}: {count:,} changes, {len(times):,} new alerts; behind at the end of the load {behind}")
    report.tell("changes told", count / told, "changes/s", f"{RATE:,}")
    report.tell("changes judged, their alerts told", count / worked, "changes/s")
    report.tell("CPU of service and feed", cpu / count * 1e6, "us/change")
    report.tell("change to alert, p50", percentile(times, 0.5), "ms")
    report.tell("change to alert, p99", percentile(times, 0.99), "ms", "300")
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.sleep(given.seconds / 2)
    share = (time.process_time() - cpu) / (time.perf_counter() - began)
    report.tell("of a core when idle, with alerts that wait for room", share * 100, "%", "5")


class Feed:
    """Statements as they would come now."""

    def __init__(self, statements: Sequence[ProfileChange], customers: int) -> None:
        self._numbers = cycle(range(customers))
        self._statements, self._versions, self._new = statements, [0] * customers, 0

    def some(self, count: int) -> list[Message]:
        return list(self._some(count))

    def _some(self, count: int) -> Iterator[Message]:
        for place_ in range(count):
            yield self.new() if place_ % NEW_EVERY == 0 else self.known()

    def known(self) -> Message:
        number = next(self._numbers)
        self._versions[number] += 1
        base = self._statements[number % len(self._statements)]
        return self._message(base, f"cus_known{number}", number, self._versions[number], base.moments)

    def new(self) -> Message:
        """Of somebody whose money has just left."""
        self._new += 1
        base, now = self._statements[self._new % len(self._statements)], time.time_ns() // 1_000_000
        values = {field: AT_REST[kind] for field, kind in MOMENTS["large_debit"].fields.items()}
        values |= {"external": True, "amount_home": 50_000.0, "percent_of_balance": 60.0}
        left = Moment(moment_id=f"m{self._new}", kind="large_debit", occurred_at=now, event_id="e", values=values)
        return self._message(base, f"cus_new{self._new}", self._new, 1, [left])

    def _message(
        self, base: ProfileChange, customer_id: str, number: int, version: int, moments: list[Moment]
    ) -> Message:
        change = msgspec.structs.replace(
            base, customer_id=customer_id, version=version, changed_at=time.time_ns() // 1_000_000, moments=moments,
            facts={**base.facts, "owner": f"M{number % MANAGERS}", "acting_owner": f"M{number % MANAGERS}"},
        )  # fmt: skip
        return Message(customer_id.encode(), encode_change(change))
