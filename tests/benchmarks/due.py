"""Time alone: how fast precise due times leave their marks, and how long the sweep at the close of a bank day takes."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence

import msgspec

from schemas.events import ChannelEvent
from schemas.instants import HOUR_MS
from services.profile.domain.customers.customer import Completeness
from services.profile.domain.customers.summary import DueTime
from services.profile.domain.shards import SHARDS
from services.profile.timers import fire
from services.simulator.bank import customer_no
from services.sql.database import Database
from tests.benchmarks.bank import openings, traffic
from tests.benchmarks.child import ROOT
from tests.benchmarks.figures import Given, Report
from tests.benchmarks.sweeper import Order, Swept
from tests.benchmarks.workshop import Workshop, new_database, sql_store

PRECISE, AT_ONCE = 100_000, 10_000
EVENTS_EACH, LIVED_HOURS, STEP_HOURS = 10, 60 * 24, 7_919
"""Of each customer, spread over the last two months as they come: with each close some of them leave a window."""
BANK = 1_000_000
"""Customers of the promise; the sweep is measured with fewer, and its time grows with their number."""


async def run(given: Given, report: Report) -> None:
    report.note("SQLite" if given.embedded else "PostgreSQL")
    async with new_database(given.embedded) as database:
        await _precise(Workshop(sql_store(database)), report)
    async with new_database(given.embedded) as database:
        workshop = Workshop(sql_store(database))
        await _live(workshop, given.customers)
        await _sweep(workshop, given.customers, report)
        if not given.embedded:
            await _sweep_together(workshop, database, given, report)


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


async def _live(workshop: Workshop, customers: int) -> None:
    await workshop.apply(openings(customers, workshop.now), AT_ONCE)
    events = traffic(customers, run="sweep")
    lived = (_earlier(next(events), number * STEP_HOURS % LIVED_HOURS) for number in range(customers * EVENTS_EACH))
    await workshop.apply(lived, AT_ONCE)
    await workshop.refresh_all()


def _earlier(event: ChannelEvent, hours: int) -> ChannelEvent:
    return msgspec.structs.replace(event, occurred_at=event.occurred_at - hours * HOUR_MS)


async def _sweep(workshop: Workshop, customers: int, report: Report) -> None:
    """A bank day on: everybody is due, and those have something new to tell for whom something leaves a window."""
    for day in (1, 2):
        workshop.close_bank_day()
        began, cpu = time.perf_counter(), time.process_time()
        fired = await fire(workshop.store, Completeness(), workshop.now)
        marked = time.perf_counter() - began
        told = await workshop.refresh_all()
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        report.note(f"day {day}: {fired.days:,} due times of {customers:,} customers; marks left after {marked:.1f} s")
        _tell(report, f"day {day}, one process", customers, wall, cpu, told)


async def _sweep_together(workshop: Workshop, database: Database, given: Given, report: Report) -> None:
    """The day after: processes that share the shards, as workers do."""
    workshop.close_bank_day()
    await workshop.release()
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    sweepers = [await _sweeper(url, number, given.processes, workshop.ahead_ms) for number in range(given.processes)]
    leased = sum([int(await _line(one)) for one in sweepers])
    if leased != SHARDS:
        raise RuntimeError(f"{leased} of {SHARDS} shards are leased")
    began = time.perf_counter()
    fired = await fire(workshop.store, Completeness(), workshop.now)
    swept = await asyncio.gather(*(_go(one) for one in sweepers))
    wall, cpu = time.perf_counter() - began, sum(one.cpu_s for one in swept)
    report.note(f"day 3: {fired.days:,} due times of {given.customers:,} customers")
    name = f"day 3, {given.processes} processes"
    _tell(report, name, given.customers, wall, cpu, sum(one.published for one in swept))


def _tell(report: Report, name: str, customers: int, wall_s: float, cpu_s: float, told: int) -> None:
    report.tell(f"{name}: swept", customers / wall_s, "customers/s", f"{BANK / 600:,.0f}")
    report.tell(f"{name}: CPU of Python", cpu_s / customers * 1e6, "us/customer")
    report.tell(f"{name}: {BANK:,} customers would take", BANK / customers * wall_s / 60, "min", "10")
    report.tell(f"{name}: published", told / customers * 100, "% of the customers")


async def _sweeper(url: str, number: int, processes: int, ahead_ms: int) -> asyncio.subprocess.Process:
    order = msgspec.json.encode(Order(url=url, name=f"sweeper-{number}", processes=processes, ahead_ms=ahead_ms))
    command: Sequence[str] = (sys.executable, "-m", "tests.benchmarks.sweeper", order.decode())
    return await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )  # fmt: skip


async def _line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    return await process.stdout.readline()


async def _go(process: asyncio.subprocess.Process) -> Swept:
    assert process.stdin is not None
    process.stdin.write(b"\n")
    told = msgspec.json.decode(await _line(process), type=Swept)
    await process.wait()
    return told
