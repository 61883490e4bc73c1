"""The load as a process of its own, so that its CPU is told apart: python -m tests.benchmarks.generator ORDER (JSON).

A bare HTTP client: a comfortable one costs more than the service that is measured. Prints one JSON line.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

import msgspec
import uvloop

from services.clock import SystemClock
from services.simulator.bank import customer_no
from tests.benchmarks.figures import percentile
from tests.simulator.load import cases, openings, requests, transactions


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """`kind`: openings (all of them, once), transactions, cases (which are urgent), reads. `size`: events of a request.
    `rate`: requests a second in an open loop; 0: closed, each connection sends when it has its answer."""

    url: str
    token: str
    kind: str
    customers: int
    seconds: float = 10.0
    connections: int = 16
    size: int = 100
    rate: float = 0.0
    run: str = "load"


class Done(msgspec.Struct):
    """`began`, `ended`: seconds since 1970. `statuses`: answer → how many. Times in ms, in an open loop from when the
    request was due."""

    began: float
    ended: float
    requests: int
    events: int
    statuses: dict[str, int]
    cpu_s: float
    p50_ms: float
    p99_ms: float

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    @property
    def failed(self) -> int:
        return self.requests - _taken(self.statuses)


Make = Callable[[], bytes | None]
"""The next request, whole; None when there are no more."""


def requests_of(order: Order) -> Make:
    host, number = urlsplit(order.url).netloc, 0
    head = f"Host: {host}\r\nAuthorization: Bearer {order.token}\r\n"

    def read() -> bytes:
        nonlocal number
        number += 7919
        return f"GET /v1/customers?customer_no={customer_no(number % order.customers)} HTTP/1.1\r\n{head}\r\n".encode()

    if order.kind == "reads":
        return read
    posted = f"POST /v1/events HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: "
    begin, bodies = posted.encode(), _bodies(order)

    def post() -> bytes | None:
        body = next(bodies, None)
        return None if body is None else b"%s%d\r\n\r\n%s" % (begin, len(body), body)

    return post


def _bodies(order: Order) -> Iterator[bytes]:
    clock = SystemClock()
    if order.kind == "openings":
        return requests(map(msgspec.json.encode, openings(order.customers, clock.now_ms())), order.size)
    if order.kind == "cases":
        return requests(map(msgspec.json.encode, cases(order.customers, run=order.run, clock=clock)), order.size)
    return requests(transactions(order.customers, seed=1, run=order.run, clock=clock), order.size)


class Client:
    """One connection that stays open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, request: bytes) -> str:
        """The status."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r")[0]
        await self._reader.readexactly(int(length))
        return head[9:12].decode()

    def close(self) -> None:
        self._writer.close()


async def drive(order: Order) -> Done:
    where = urlsplit(order.url)
    clients = [Client(*await asyncio.open_connection(where.hostname, where.port)) for _ in range(order.connections)]
    make, began, cpu = requests_of(order), time.time(), time.process_time()
    times: list[float] = []
    statuses: Counter[str] = Counter()
    await (_open if order.rate else _closed)(order, clients, make, times, statuses)
    ended = time.time()
    for client in clients:
        client.close()
    return Done(
        began, ended, len(times), _taken(statuses) * order.size, statuses, time.process_time() - cpu,
        percentile(times, 0.5) * 1000, percentile(times, 0.99) * 1000,
    )  # fmt: skip


def _taken(statuses: Mapping[str, int]) -> int:
    return sum(count for status, count in statuses.items() if status.startswith("2"))


async def _closed(
    order: Order, clients: Sequence[Client], make: Make, times: list[float], statuses: Counter[str]
) -> None:
    until = time.perf_counter() + (order.seconds if order.kind != "openings" else 3_600)

    async def work(client: Client) -> None:
        while (began := time.perf_counter()) < until and (request := make()) is not None:
            statuses[await client.ask(request)] += 1
            times.append(time.perf_counter() - began)

    await asyncio.gather(*map(work, clients))


async def _open(
    order: Order, clients: Sequence[Client], make: Make, times: list[float], statuses: Counter[str]
) -> None:
    due: asyncio.Queue[float | None] = asyncio.Queue()

    async def work(client: Client) -> None:
        while (at := await due.get()) is not None and (request := make()) is not None:
            statuses[await client.ask(request)] += 1
            times.append(time.perf_counter() - at)

    working = [asyncio.create_task(work(client)) for client in clients]
    began, count = time.perf_counter(), int(order.seconds * order.rate)
    for number in range(count):
        at = began + number / order.rate
        if (wait := at - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        due.put_nowait(at)
    for _ in clients:
        due.put_nowait(None)
    await asyncio.gather(*working)


def main() -> None:
    order = msgspec.json.decode(sys.argv[1], type=Order)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(msgspec.json.encode(runner.run(drive(order))).decode())


if __name__ == "__main__":
    main()
