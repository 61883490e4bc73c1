"""Profile changes as a process of its own, so that its CPU is told apart: python -m tests.benchmarks.feed ORDER (JSON).

Its statements are those of a simulated bank, told again and again of other customers; one in twenty opens an alert.
Prints one JSON line.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from itertools import count, cycle
from pathlib import Path

import msgspec
import uvloop

from schemas.changes import AT_REST, Moment, ProfileChange
from schemas.codec import decode_change, encode_change
from schemas.moments import MOMENTS
from schemas.topics import PROFILE_CHANGES
from services.kafka.log import KafkaLog
from services.log import EventLog, Message
from tests.benchmarks.child import ROOT

TICK_S, AT_ONCE = 0.01, 2_000
NEW_EVERY, MANAGERS = 20, 50
PATIENCE_S = 30.0


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """`statements`: a file of them, see `keep`. `versions`: how often each of the `customers` has been told of before.
    `rate`: changes a second; 0: one of each customer, as fast as it goes."""

    kafka: str
    statements: str
    customers: int
    versions: int = 0
    rate: float = 0.0
    seconds: float = 0.0


class Done(msgspec.Struct):
    """`cpu_s`: of telling alone, without starting."""

    changes: int
    seconds: float
    cpu_s: float


def keep(statements: Sequence[ProfileChange], path: Path) -> None:
    path.write_bytes(msgspec.msgpack.encode([encode_change(one) for one in statements]))


def _kept(path: Path) -> list[ProfileChange]:
    return [decode_change(one) for one in msgspec.msgpack.decode(path.read_bytes(), type=list[bytes])]


async def fed(order: Order) -> Done:
    """Runs a feed to its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.feed", msgspec.json.encode(order).decode(), cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    told, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the feed has failed: see above")
    return msgspec.json.decode(told.splitlines()[-1], type=Done)


async def feed(log: EventLog, order: Order) -> Done:
    telling = Telling(_kept(Path(order.statements)), order.customers, order.versions)
    await log.ends(PROFILE_CHANGES.name)
    began, cpu = time.perf_counter(), time.process_time()
    if order.rate:
        changes = await _paced(log, telling, int(order.seconds / TICK_S), int(order.rate * TICK_S))
    else:
        for start in range(0, order.customers, AT_ONCE):
            some = min(AT_ONCE, order.customers - start)
            await log.append(PROFILE_CHANGES.name, [telling.known() for _ in range(some)])
        changes = order.customers
    return Done(changes, time.perf_counter() - began, time.process_time() - cpu)


async def _paced(log: EventLog, telling: "Telling", ticks: int, each: int) -> int:
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for tick in range(ticks):
            await asyncio.sleep(max(0.0, began + tick * TICK_S - time.perf_counter()))
            group.create_task(log.append(PROFILE_CHANGES.name, telling.some(each)))
    return ticks * each


class Telling:
    """Statements as they would come now."""

    def __init__(self, statements: Sequence[ProfileChange], customers: int, versions: int) -> None:
        self._numbers, self._told = cycle(range(customers)), count()
        self._statements, self._versions, self._new = statements, [versions] * customers, 0

    def some(self, many: int) -> list[Message]:
        return [self.new() if next(self._told) % NEW_EVERY == 0 else self.known() for _ in range(many)]

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


async def _fed_from(order: Order) -> Done:
    log = KafkaLog(order.kafka, timeout_s=PATIENCE_S)
    try:
        return await feed(log, order)
    finally:
        await log.close()


def main() -> None:
    order = msgspec.json.decode(sys.argv[1], type=Order)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(msgspec.json.encode(runner.run(_fed_from(order))).decode())


if __name__ == "__main__":
    main()
