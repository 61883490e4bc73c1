"""One of several processes that sweep together: python -m tests.benchmarks.sweeper ORDER (JSON).

Prints how many shards it has leased; told to go by a line, works their marks off and prints what that took.
"""

import asyncio
import sys
import time

import msgspec
import uvloop

from services.deployment import calm_collector
from services.profile.domain.shards import fair_share
from services.sql.database import open_database
from tests.benchmarks.workshop import Workshop, sql_store


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """`ahead_ms`: how much later than the system's clock says."""

    url: str
    name: str
    processes: int
    ahead_ms: int


class Swept(msgspec.Struct):
    cpu_s: float
    published: int


async def main(order: Order) -> None:
    database = open_database(order.url)
    try:
        workshop = Workshop(sql_store(database), order.name)
        workshop.ahead_ms = order.ahead_ms
        while not 0 < (held := await workshop.lease()) <= fair_share(order.processes):  # noqa: ASYNC110 - others are still coming
            await asyncio.sleep(0.1)
        calm_collector()
        print(held, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        cpu = time.process_time()
        published = await workshop.refresh_all()
        print(msgspec.json.encode(Swept(time.process_time() - cpu, published)).decode(), flush=True)
    finally:
        await database.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(msgspec.json.decode(sys.argv[1], type=Order)))
