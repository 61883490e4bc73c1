"""What the log carries: records a second, appended and consumed by a handler that does nothing, and the time from
append to handler. 256-byte values."""

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from schemas.topics import Topic
from services.embedded.log import EmbeddedLog
from services.kafka.log import KafkaLog
from services.log import Batch, EventLog, Message, Position
from tests.benchmarks.figures import Given, Report, percentile
from tests.conftest import started_servers

_VALUE = bytes(range(256))
_SUBJECTS = 20_000


class Counter:
    """A position store that forgets, and a handler that counts."""

    def __init__(self) -> None:
        self.count = self.batches = 0
        self._stored: dict[int, Position] = {}
        self._moved = asyncio.Event()

    async def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, Position]:
        return {p: self._stored[p] for p in partitions if p in self._stored}

    async def handle(self, batch: Batch) -> None:
        self._stored[batch.partition] = Position(batch.topic_id, batch.until)
        self.count += len(batch.records)
        self.batches += 1
        self._moved.set()

    async def reaches(self, count: int) -> None:
        while self.count < count:
            self._moved.clear()
            await self._moved.wait()


def messages(count: int, begin: int = 0) -> list[Message]:
    return [Message(b"account:%d" % (i % _SUBJECTS), _VALUE) for i in range(begin, begin + count)]


async def append_in_order(log: EventLog, topic: str, records: int, size: int) -> float:
    chunks = [messages(size, begin) for begin in range(0, records, size)]
    began = time.perf_counter()
    for chunk in chunks:
        await log.append(topic, chunk)
    return len(chunks) * size / (time.perf_counter() - began)


async def append_at_once(log: EventLog, topic: str, records: int, clients: int) -> float:
    async def client() -> None:
        for message in messages(records // clients):
            await log.append(topic, [message])

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return records // clients * clients / (time.perf_counter() - began)


async def measure(log: EventLog, kind: str, records: int, report: Report) -> None:
    topic, clients = f"benchmark-{uuid.uuid4().hex}", 64
    await log.ensure_topics([Topic(topic, 8)])
    ordered = await append_in_order(log, topic, records, 1_000)
    report.tell(f"{kind}: append, 1,000 records a call, one caller", ordered, "records/s")
    at_once = await append_at_once(log, topic, records // 20, clients)
    report.tell(f"{kind}: append, 1 record a call, {clients} callers", at_once, "records/s")
    total = sum(end for _, end in (await log.ends(topic)).values())
    counter, began = Counter(), time.perf_counter()
    consuming = asyncio.create_task(log.consume([topic], topic, counter, counter.handle))
    await counter.reaches(1)
    first = time.perf_counter()
    await counter.reaches(total)
    report.tell(f"{kind}: consume", total / (time.perf_counter() - first), "records/s")
    report.tell(f"{kind}: records of a batch", total / counter.batches, "records")
    report.tell(f"{kind}: from start to the first batch", first - began, "s")
    delays = await _delays(log, topic, counter, total)
    for name, share in (("median", 0.5), ("p99", 0.99)):
        report.tell(f"{kind}: append to handler, one record, {name}", percentile(delays, share), "ms")
    consuming.cancel()
    await asyncio.wait([consuming])


async def _delays(log: EventLog, topic: str, counter: Counter, total: int) -> list[float]:
    delays = []
    for count, message in enumerate(messages(300), 1):
        began = time.perf_counter()
        await log.append(topic, [message])
        await counter.reaches(total + count)
        delays.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.01)
    return delays


async def _of(url: str, records: int, report: Report) -> None:
    kind, _, where = url.partition(":")
    log: EventLog = EmbeddedLog(Path(where)) if kind == "embedded" else KafkaLog(where.removeprefix("//"))
    try:
        await measure(log, kind, records, report)
    finally:
        await log.close()


async def run(given: Given, report: Report) -> None:
    records = int(given.seconds * 10_000)
    if given.log:
        await _of(given.log, records, report)
        return
    with TemporaryDirectory(prefix="counterpoint-benchmark-") as directory:
        await _of(f"embedded:{directory}", records, report)
    if not given.embedded:
        with started_servers() as servers:
            await _of(servers.up("kafka")["kafka"], records, report)
