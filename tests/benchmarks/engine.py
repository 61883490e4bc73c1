"""The engine alone: Kafka → a minimal fold per key → PostgreSQL with ledger and position, all durable.

Our log adapter and database plumbing under a handler that does nothing else; beside it Kafka Streams on the same
events and the same fold (`tests/benchmarks/peer`).
"""

import asyncio
import time
import uuid
from collections.abc import Iterator
from itertools import islice
from random import Random

import msgspec

from deploy.local_servers import SetupError
from schemas.topics import Topic
from services.kafka.log import KafkaLog
from services.log import Batch, Message
from services.sql.database import Database, open_database
from services.sql.session import writing
from tests.benchmarks.engine_fold import Engine, Movement, folded
from tests.benchmarks.figures import Given, Report
from tests.benchmarks.peer import run_peer
from tests.benchmarks.usage import between, server_processes, tell_usage, used
from tests.conftest import started_servers

PARTITIONS = 8
EXPECTED_RATE = 20_000
"""Events a second of the measurement that are laid ready."""

BATCH = 6_000
TUNED = {
    "num.stream.threads": "2",
    "producer.batch.size": "131072",
    "producer.compression.type": "lz4",
    "cache": "true",
}
VARIANTS: tuple[dict[str, str], ...] = ({}, TUNED)


def movements(customers: int, count: int) -> Iterator[Message]:
    random, now, balances = Random(1), time.time_ns() // 1_000_000, [1_000_000] * customers
    encode = msgspec.json.Encoder().encode
    for number in range(count):
        customer = random.randrange(customers)
        direction, amount = ("credit", 9_000) if number % 4 == 0 else ("debit", random.randrange(1, 6_000))
        balances[customer] += amount if direction == "credit" else -amount
        channel = ("pos", "atm", "mobile", "online")[number % 4]
        movement = Movement(
            f"movement-{number}", f"80{customer:08d}1", channel, direction, amount, balances[customer], now + number
        )
        yield Message(f"{10_000_000 + customer}".encode(), encode(movement))


async def run(given: Given, report: Report) -> None:
    count = int(given.seconds * EXPECTED_RATE)
    with started_servers() as servers:
        urls = servers.up("kafka", "postgres")
        topic = f"movements-{uuid.uuid4().hex}"
        brokers = urls["kafka"].removeprefix("kafka://")
        log, database = KafkaLog(brokers, batch_records=BATCH), open_database(urls["postgres"])
        try:
            await _fill(log, topic, given.customers, count, report)
            processes = server_processes(servers, urls)
            before, own = used(processes), time.process_time()
            await _drain(log, database, topic, count, report)
            report.tell("CPU of the engine's process", (time.process_time() - own) / count * 1e6, "us/event")
            tell_usage(report, between(before, used(processes)), count)
        finally:
            await log.close()
            await database.close()
        if given.peer:
            for options in VARIANTS:
                _beside(brokers, topic, count, options, report)
        else:
            report.note("Kafka Streams was left out: --no-peer")


async def _fill(log: KafkaLog, topic: str, customers: int, count: int, report: Report) -> None:
    cpu = time.process_time()
    await log.ensure_topics([Topic(topic, PARTITIONS)])
    messages = movements(customers, count)
    while some := list(islice(messages, 5_000)):
        await log.append(topic, some)
    report.tell("CPU of the generator, before", (time.process_time() - cpu) / count * 1e6, "us/event")


async def _drain(log: KafkaLog, database: Database, topic: str, count: int, report: Report) -> None:
    """From the first batch handed to the engine to the commit of the last one."""
    async with writing(database) as session:
        for statement in Engine.tables():
            await session.run(statement)
    engine, done, began, sizes = Engine(database), asyncio.Event(), [0.0], [0]

    async def handle(batch: Batch) -> None:
        began[0] = began[0] or time.perf_counter()
        await engine.apply(batch)
        sizes.append(len(batch.records))
        if sum(sizes) >= count:
            done.set()

    consuming = asyncio.create_task(log.consume([topic], topic, engine, handle))
    await asyncio.wait([consuming, asyncio.create_task(done.wait())], return_when=asyncio.FIRST_COMPLETED)
    rate = count / (time.perf_counter() - began[0])
    consuming.cancel()
    await asyncio.wait([consuming])
    report.tell("engine: events folded, ledger and position durable", rate, "events/s", "22,000")
    report.tell("engine: events of a transaction", count / (len(sizes) - 1), "events")
    async with writing(database) as session:
        states = [row[0] for row in await session.rows("select body from engine_states")]
    if folded(states) != count:
        raise AssertionError(f"{count} events were sent, {folded(states)} are in the states")


def _beside(brokers: str, topic: str, count: int, options: dict[str, str], report: Report) -> None:
    told = ", ".join(f"{name}={value}" for name, value in options.items()) or "default settings"
    try:
        peer = run_peer(brokers, topic, count, options)
    except SetupError as missing:
        report.note(f"Kafka Streams could not run: {missing}")
        return
    if peer.folded != count:
        raise AssertionError(f"{count} events were sent, {peer.folded} are in the peer's states")
    report.tell("Kafka Streams 4.1, RocksDB, exactly once", count / peer.seconds, "events/s")
    report.tell("Kafka Streams 4.1, its second half alone", count / 2 / peer.warm_s, "events/s")
    report.tell("CPU of Kafka Streams' process", peer.cpu_s / count * 1e6, "us/event")
    report.note(f"with {told}")
