"""What the log carries: `python -m tests.benchmarks.log embedded:DIR | kafka://HOST:PORT [--records N]`.

Prints records a second, appended and consumed by a handler that does nothing, and the time from append to handler.
"""

import argparse
import asyncio
import os
import platform
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from services.embedded import EmbeddedLog
from services.kafka import KafkaLog
from services.log import Batch, EventLog, Message, Position

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


async def measure(log: EventLog, records: int) -> None:
    topic, singles, clients = f"benchmark-{uuid.uuid4().hex}", 6_400, 64
    await log.ensure_topics({topic: 8})
    ordered = await append_in_order(log, topic, records, 1_000)
    print(f"append, 1,000 records a call, one caller: {ordered:12,.0f} /s")
    at_once = await append_at_once(log, topic, singles, clients)
    print(f"append, 1 record a call, {clients} callers:      {at_once:12,.0f} /s")
    total = sum(end for _, end in (await log.ends(topic)).values())
    counter, began = Counter(), time.perf_counter()
    consuming = asyncio.create_task(log.consume([topic], topic, counter, counter.handle))
    await counter.reaches(1)
    first = time.perf_counter()
    await counter.reaches(total)
    rate, size = total / (time.perf_counter() - first), total / counter.batches
    print(f"consume, {size:,.0f} records a batch:            {rate:12,.0f} /s, {first - began:.1f} s after the start")
    delays = []
    for message in messages(300):
        began = time.perf_counter()
        await log.append(topic, [message])
        total += 1
        await counter.reaches(total)
        delays.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.01)
    delays.sort()
    print(f"append to handler, one record: median {delays[150]:.1f} ms, 99 % within {delays[297]:.1f} ms")
    consuming.cancel()
    await asyncio.wait([consuming])


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log")
    parser.add_argument("--records", type=int, default=200_000)
    arguments = parser.parse_args()
    kind, _, where = arguments.log.partition(":")
    log: EventLog = EmbeddedLog(Path(where)) if kind == "embedded" else KafkaLog(where.removeprefix("//"))
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; 256-byte values; {kind}")
    try:
        await measure(log, arguments.records)
    finally:
        await log.close()


if __name__ == "__main__":
    asyncio.run(main())
