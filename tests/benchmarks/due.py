"""Time alone: how fast precise due times leave their marks, and how long the sweep at the close of a bank day takes."""

import time

from services.profile.domain.customers.customer import Completeness
from services.profile.ports import DueTime
from services.profile.timers import fire
from services.simulator.bank import customer_no
from tests.benchmarks.bank import openings, traffic
from tests.benchmarks.figures import Given, Report
from tests.benchmarks.workshop import Workshop, new_database, sql_store

PRECISE, AT_ONCE = 100_000, 10_000
EVENTS_EACH = 10
DAY_MS = 86_400_000
BANK = 1_000_000
"""Customers of the promise; the sweep is measured with fewer, and its time grows with their number."""


async def run(given: Given, report: Report) -> None:
    report.note("SQLite" if given.embedded else "PostgreSQL")
    async with new_database(given.embedded) as database:
        await _precise(Workshop(sql_store(database)), report)
    async with new_database(given.embedded) as database:
        await _sweep(Workshop(sql_store(database)), given.customers, report)


async def _precise(workshop: Workshop, report: Report) -> None:
    """All due at the same moment, each of another customer."""
    now = workshop.now
    for start in range(0, PRECISE, AT_ONCE):
        due = {f"party:{customer_no(number)}": [DueTime(now, "case", "hour", ())]
               for number in range(start, start + AT_ONCE)}  # fmt: skip
        async with workshop.store.refreshing() as tx:
            await tx.save_views([], due)
    began = time.perf_counter()
    fired = await fire(workshop.store, Completeness(), now + 1)
    report.tell(
        f"{fired.hours:,} precise due times of one moment: marks left after", time.perf_counter() - began, "s", "2"
    )


async def _sweep(workshop: Workshop, customers: int, report: Report) -> None:
    """A day on: everybody is due, few have anything new to tell."""
    await workshop.apply(openings(customers, workshop.now), AT_ONCE)
    events = traffic(customers, run="sweep")
    await workshop.apply((next(events) for _ in range(customers * EVENTS_EACH)), AT_ONCE)
    await workshop.refresh_all()
    for days in (1, 2):
        workshop.ahead_ms = days * DAY_MS
        began, cpu = time.perf_counter(), time.process_time()
        fired = await fire(workshop.store, Completeness(), workshop.now)
        marked = time.perf_counter() - began
        told = await workshop.refresh_all()
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        report.note(f"day {days}: {fired.days:,} due times of {customers:,} customers; marks left after {marked:.1f} s")
        report.tell(f"day {days}: swept by one process", customers / wall, "customers/s", f"{BANK / 600:,.0f}")
        report.tell(f"day {days}: CPU of Python", cpu / customers * 1e6, "us/customer")
        report.tell(
            f"day {days}: {BANK:,} customers by one process would take", BANK / customers * wall / 60, "min", "10"
        )
        report.tell(f"day {days}: published", told / customers * 100, "% of the customers")
