"""What alerts cost: judging one statement with the whole catalogue, and from a change to its alert under load.

The service runs in this process, which is one core of Python, and what feeds it in another one (on files in this one,
for they have one writer). Most alerts find no room in their owner's day, as in a bank whose managers have more to do
than they can.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec

from schemas.changes import ProfileChange
from schemas.codec import decode_change, encode_change
from schemas.topics import PROFILE_CHANGES
from services.access import SqlUserStore
from services.alerts.adapters.cel import Cel
from services.alerts.adapters.rule_files import PRODUCT, load_rules
from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.app import FromProfile, open_alerts
from services.alerts.domain.alert import Evidence
from services.alerts.domain.judging import judge
from services.alerts.domain.routing import Staff
from services.alerts.settings import Choices
from services.cli.declared import known_of
from services.clock import SystemClock
from services.declared_files import directories
from services.deployment import calm_collector
from services.embedded.log import EmbeddedLog
from services.kafka.log import KafkaLog
from services.log import EventLog
from services.metrics import CHANGE_TO_ALERT, HistogramMetric, Metrics
from services.notifications import LocalNotifications
from services.plumbing import Plumbing
from services.profile.adapters.policies import load_declarations
from services.sql.database import Database, open_database
from services.sql.migrations import upgrade
from tests.benchmarks.feed import Done, Order, fed, feed, keep
from tests.benchmarks.figures import Given, Report, percentile
from tests.benchmarks.lives import Lives, lived
from tests.benchmarks.usage import between, server_processes, used
from tests.conftest import started_servers

RATE, ROUNDS, LIVED_DAYS = 2_000, 20, 120


async def run(given: Given, report: Report) -> None:
    lives = await lived(LIVED_DAYS)
    report.note(f"{len(lives.statements)} customers of a simulated bank, each with {LIVED_DAYS} days behind it")
    report.tell("a customer's facts, median", median(lives.facts_us), "us")
    report.tell("a customer summed up: view, facts, moments, due times, median", median(lives.summed_us), "us")
    _judging(lives, report)
    async with _service(given) as service:
        await _loaded(service, lives.statements, given, report)


def _judging(lives: Lives, report: Report) -> None:
    expressions, known = Cel(), known_of(load_declarations())
    rules = load_rules(directories(PRODUCT, ""), known, expressions, {}).rule_set
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
    """`kafka`: where its log is; empty on files. `servers`: name → process id, for their CPU."""

    log: EventLog
    kafka: str
    servers: Mapping[str, int]
    store: SqlAlertStore
    metrics: Sampled

    async def fed(self, order: Order) -> Done:
        return await (fed(order) if self.kafka else feed(self.log, order))

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
        log, database, kafka, servers = _opened(closing, given.embedded)
        await upgrade(database)
        metrics, store, declarations = Sampled(), SqlAlertStore(database), load_declarations()
        works = declarations.policy.reference.is_working_day
        profile = FromProfile(known_of(declarations), works, _nobody, _no_staff, _none_left, _no_events, _no_names)
        plumbing = Plumbing(log, database, LocalNotifications(), SystemClock(), metrics)
        alerts = await open_alerts(plumbing, SqlUserStore(database), Choices(), profile)
        calm_collector()
        working = asyncio.ensure_future(alerts.work())
        try:
            yield Service(log, kafka, servers, store, metrics)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await log.close()
            await database.close()


def _opened(closing: AsyncExitStack, embedded: bool) -> tuple[EventLog, Database, str, Mapping[str, int]]:
    if embedded:
        directory = Path(closing.enter_context(TemporaryDirectory(prefix="counterpoint-benchmark-")))
        return EmbeddedLog(directory / "log"), open_database(f"sqlite:{directory / 'alerts.db'}"), "", {}
    servers = closing.enter_context(started_servers())
    urls = servers.up("kafka", "postgres")
    kafka = urls["kafka"].removeprefix("kafka://")
    return KafkaLog(kafka), open_database(urls["postgres"]), kafka, server_processes(servers, urls)


async def _nobody(customer_id: str) -> None:
    return None


async def _no_staff() -> Staff:
    return Staff()


async def _none_left() -> frozenset[str]:
    return frozenset()


async def _no_events(customer_id: str, said: Evidence) -> bytes:
    return b"{}"


async def _no_names(customer_ids: Collection[str]) -> dict[str, str]:
    return {}


async def _loaded(service: Service, statements: Sequence[ProfileChange], given: Given, report: Report) -> None:
    rate = given.rate or RATE
    with TemporaryDirectory(prefix="counterpoint-benchmark-") as name:
        path = Path(name) / "statements"
        keep(statements, path)
        order = Order(kafka=service.kafka, statements=str(path), customers=given.customers)
        await service.fed(order)
        await service.rest()
        service.metrics.alerted.clear()
        before = used(service.servers)
        began, cpu = time.perf_counter(), time.process_time()
        done = await service.fed(msgspec.structs.replace(order, versions=1, rate=rate, seconds=given.seconds))
        behind = await service.waiting()
        await service.rest()
        worked, cpu = time.perf_counter() - began, time.process_time() - cpu
    times = service.metrics.alerted
    name = "Kafka, PostgreSQL" if service.kafka else "embedded"
    report.note(f"{name}: {done.changes:,} changes, {len(times):,} new alerts; behind at the end of the load {behind}")
    report.note(f"load of the machine, all of it, over the last minute: {os.getloadavg()[0]:.1f}")
    report.tell("changes told", done.changes / done.seconds, "changes/s", f"{rate:,.0f}")
    report.tell("changes judged, their alerts told", done.changes / worked, "changes/s")
    if service.kafka:
        report.tell("CPU of the feed", done.cpu_s / done.changes * 1e6, "us/change")
    report.tell(f"CPU of the service{'' if service.kafka else ' and the feed'}", cpu / done.changes * 1e6, "us/change")
    for server, one in between(before, used(service.servers)).items():
        report.tell(f"CPU of {server}", one.cpu_s / done.changes * 1e6, "us/change")
    report.tell("change to alert, p50", percentile(times, 0.5), "ms")
    report.tell("change to alert, p99", percentile(times, 0.99), "ms", "300" if rate >= RATE else "")
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.sleep(given.seconds / 2)
    share = (time.process_time() - cpu) / (time.perf_counter() - began)
    report.tell("of a core when idle, with alerts that wait for room", share * 100, "%", "5")
