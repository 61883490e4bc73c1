"""The profile's full work: update and refresh to the published change, by one worker and by two.

The events stand in Kafka before the workers start; time runs from their first movement until every view is published.
A customer whose marks wait together is refreshed once: how often that happens is told, too.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from schemas.topics import CHANNEL_EVENTS, PROFILE_CHANGES, TOPICS
from services.kafka.log import KafkaLog
from services.log import Message
from services.profile.adapters.sql import SqlProfileStore
from services.sql.database import open_database
from services.sql.migrations import upgrade
from services.sql.session import reading
from tests.benchmarks.bank import messages, openings, traffic
from tests.benchmarks.child import Child
from tests.benchmarks.figures import Given, Report
from tests.benchmarks.usage import between, server_processes, tell_usage, used
from tests.benchmarks.workshop import SECRET, sql_store
from tests.conftest import started_servers

EXPECTED_RATE = 6_000
AT_ONCE = 5_000
SAMPLED_EVERY_S = 0.02
_WAITING = """
select count(*) filter (where wait_event_type = 'Lock'), count(*) from pg_stat_activity
where application_name = 'counterpoint' and state <> 'idle' and xact_start is not null and pid <> pg_backend_pid()"""


class Bench(NamedTuple):
    """Servers with topics and tables, and what workers are started with."""

    log: KafkaLog
    store: SqlProfileStore
    environment: Mapping[str, str]
    servers: Mapping[str, int]
    directory: Path


async def run(given: Given, report: Report) -> None:
    async with _bench(given) as bench:
        report.note(f"{given.customers:,} customers of 3 to 6 subjects, batches of {given.batch:,}")
        opened = messages(openings(given.customers, time.time_ns() // 1_000_000), sys.maxsize)
        await _append(bench, opened)
        async with _workers(bench, 2):
            await _rest(bench)
        for workers in (1, 2):
            await _measure(bench, workers, given, report)


async def _measure(bench: Bench, workers: int, given: Given, report: Report) -> None:
    count, name = int(given.seconds * EXPECTED_RATE), f"{workers} worker{'s' * (workers > 1)}"
    await _append(bench, messages(traffic(given.customers, run=f"traffic-{workers}"), count))
    changes, applied = await _ends(bench, PROFILE_CHANGES.name), await _applied(bench)
    async with _workers(bench, workers) as processes:
        while await _applied(bench) == applied:  # noqa: ASYNC110 - another process moves it
            await asyncio.sleep(0.02)
        began, before = time.perf_counter(), used(processes)
        late = count - (await _applied(bench) - applied)
        waiting = asyncio.create_task(_share_of_waiting(bench))
        await _rest(bench)
        seconds, usage = time.perf_counter() - began, between(before, used(processes))
        waiting.cancel()
        share = await waiting
    published = await _ends(bench, PROFILE_CHANGES.name) - changes
    report.tell(f"{name}: updated, refreshed and published", late / seconds, "events/s", "6,000 at least, 12,000")
    report.tell(f"{name}: views published for an event", published / count, "views/event")
    report.tell(f"{name}: share of the transactions' time waiting for locks", share * 100, "%", "5" * (workers > 1))
    tell_usage(report, usage, late)


@asynccontextmanager
async def _bench(given: Given) -> AsyncIterator[Bench]:
    with TemporaryDirectory(prefix="counterpoint-benchmark-") as directory, started_servers() as servers:
        urls = servers.up("kafka", "postgres")
        log, database = KafkaLog(urls["kafka"].removeprefix("kafka://")), open_database(urls["postgres"])
        environment = {
            "COUNTERPOINT_LOG": urls["kafka"], "COUNTERPOINT_DATABASE": urls["postgres"], "COUNTERPOINT_PORT": "0",
            "COUNTERPOINT_SECRET": SECRET.decode(), "COUNTERPOINT_BATCH_EVENTS": str(given.batch),
            "COUNTERPOINT_LOG_LEVEL": "warning", "COUNTERPOINT_DATA": directory,
        }  # fmt: skip
        try:
            await log.ensure_topics(TOPICS)
            await upgrade(database)
            yield Bench(log, sql_store(database), environment, server_processes(servers, urls), Path(directory))
        finally:
            await log.close()
            await database.close()


@asynccontextmanager
async def _workers(bench: Bench, count: int) -> AsyncIterator[Mapping[str, int]]:
    """Yields the processes whose use is measured: workers and servers."""
    with ExitStack() as closing:
        children = {}
        for number in range(1, count + 1):
            name = f"worker {number}"
            children[name] = Child(["services.profile"], bench.environment, bench.directory / f"{name}.log")
            closing.callback(children[name].stop)
        yield {**{name: child.pid for name, child in children.items()}, **bench.servers}


async def _append(bench: Bench, some: list[Message]) -> None:
    iterator = iter(some)
    while chunk := list(islice(iterator, AT_ONCE)):
        await bench.log.append(CHANNEL_EVENTS.name, chunk)


async def _ends(bench: Bench, topic: str) -> int:
    return sum(end for _, end in (await bench.log.ends(topic)).values())


async def _applied(bench: Bench) -> int:
    partitions = range(CHANNEL_EVENTS.partitions)
    return sum(one.next for one in (await bench.store.positions(CHANNEL_EVENTS.name, partitions)).values())


async def _rest(bench: Bench) -> None:
    """Until every event is applied, no mark is left and every lane is published."""
    end = await _ends(bench, CHANNEL_EVENTS.name)
    while await _applied(bench) < end or await _unfinished(bench):  # noqa: ASYNC110 - other processes work it off
        await asyncio.sleep(0.2)  # a look at the queue costs the server a few milliseconds


async def _unfinished(bench: Bench) -> bool:
    if await bench.store.marks_waiting(most=1):  # counting all that wait would take of what is measured
        return True
    async with reading(bench.store._database) as session:
        return bool(await session.rows("select 1 from lanes where published < last_n limit 1"))


async def _share_of_waiting(bench: Bench) -> float:
    """Of all workers' transactions, sampled until cancelled, those that waited for a row another one held."""
    waiting, open_ = 0, 0
    with suppress(asyncio.CancelledError):
        while True:
            async with reading(bench.store._database) as session:
                found = await session.rows(_WAITING)
            waiting, open_ = waiting + found[0][0], open_ + found[0][1]
            await asyncio.sleep(SAMPLED_EVERY_S)
    return waiting / open_ if open_ else 0.0
