"""What an update costs an event, step by step: a batch in one transaction, on a bank whose customers are known."""

import time

from tests.benchmarks.bank import openings, traffic
from tests.benchmarks.figures import Given, Report
from tests.benchmarks.timed import OWN, Spent, TimedStore
from tests.benchmarks.workshop import Workshop, new_database, sql_store

READING = "read: decode, personal values, hashes, links"


async def run(given: Given, report: Report) -> None:
    for size in sorted({given.batch, 3 * given.batch}):
        async with new_database(given.embedded) as database:
            spent = Spent()
            workshop = Workshop(TimedStore(sql_store(database), spent))
            await workshop.apply(openings(given.customers, workshop.now), size)
            await _measure(workshop, spent, given, size, report)


async def _measure(workshop: Workshop, spent: Spent, given: Given, size: int, report: Report) -> None:
    """Batches over customers that were all seen before; the marks are left for nobody."""
    events = traffic(given.customers, run="update")
    await workshop.apply((next(events) for _ in range(size)), size)
    spent.clear()
    count, wall, cpu = 0, 0.0, 0.0
    while wall < given.seconds:
        batch = workshop.batch([next(events) for _ in range(size)])
        began, began_cpu = time.perf_counter(), time.process_time()
        workshop.update._decode(batch, workshop.now)
        spent.add(READING, time.perf_counter() - began, time.process_time() - began_cpu)
        began, began_cpu = time.perf_counter(), time.process_time()
        await workshop.update.apply([batch], workshop.now)
        wall, cpu = wall + time.perf_counter() - began, cpu + time.process_time() - began_cpu
        count += size
    spent.add(OWN, wall - sum(spent.wall.values()), cpu - sum(spent.cpu.values()))
    report.note(f"{size:,} events a transaction, {given.customers:,} customers: wall and CPU of this process")
    for step in sorted(spent.wall, key=lambda one: -spent.wall[one]):
        report.tell(f"{step}, wall", spent.wall[step] / count * 1e6, "us/event")
        report.tell(f"{step}, CPU", spent.cpu[step] / count * 1e6, "us/event")
    report.tell(f"update, {size:,} a transaction, wall", wall / count * 1e6, "us/event")
    report.tell(f"update, {size:,} a transaction, CPU of Python", cpu / count * 1e6, "us/event", "60")
