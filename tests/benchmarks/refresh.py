"""What a refresh costs a customer, by the number of its subjects and the length of its past: summed up alone, and with
the store around it."""

import time
from collections.abc import Sequence
from statistics import median

from services.profile.domain.identity.links import Cluster
from services.profile.domain.summarise import summarise
from services.profile.gathering import Context
from services.profile.ports.refreshing import Member
from services.simulator.bank import customer_no
from tests.benchmarks.bank import openings, paid, subjects_of, traffic
from tests.benchmarks.figures import Given, Report
from tests.benchmarks.lives import lived
from tests.benchmarks.workshop import MARKS_AT_ONCE, Workshop, new_database, sql_store

EVENTS_EACH = 20
PASTS = (120, 547)
"""Days of a simulated bank."""


async def run(given: Given, report: Report) -> None:
    customers = min(given.customers, 5_000)
    async with new_database(given.embedded) as database:
        workshop = Workshop(sql_store(database))
        await workshop.apply(openings(customers, workshop.now), 2_000)
        events = traffic(customers, run="refresh")
        await workshop.apply((next(events) for _ in range(customers * EVENTS_EACH)), 6_000)
        await workshop.refresh_all()
        for subjects in range(3, 7):
            some = [number for number in range(customers) if subjects_of(number) == subjects][:MARKS_AT_ONCE]
            await _alone(workshop, [f"party:{customer_no(number)}" for number in some], subjects, report)
            await _with_store(workshop, some, subjects, given.seconds / 4, report)
    for days in PASTS:
        summed_us = (await lived(days)).summed_us
        report.tell(f"summed up alone, {days} days of a simulated bank", median(summed_us), "us/customer")


async def _alone(workshop: Workshop, roots: Sequence[str], subjects: int, report: Report) -> None:
    async with workshop.store.refreshing() as tx:
        found = await tx.members(roots)
        views = await tx.views(roots)
    policy, now, cpu = workshop.declarations.policy, workshop.now, 0.0
    for root in roots:
        members: Sequence[Member] = found[root]
        began = time.process_time()
        customer = workshop.refresh._gathering.customer(
            root, Cluster(root, (root,)), members, views[root], Context({}, {}, {})
        )
        summarise(customer, policy, now)
        cpu += time.process_time() - began
    report.tell(f"summed up alone, {subjects} subjects, CPU", cpu / len(roots) * 1e6, "us/customer")


async def _with_store(
    workshop: Workshop, numbers: Sequence[int], subjects: int, seconds: float, report: Report
) -> None:
    """Each customer gets a movement before every refresh, so that there is a view to write."""
    wall, cpu, count, rounds = 0.0, 0.0, 0, 0
    while wall < seconds:
        rounds += 1
        now = workshop.now
        await workshop.apply((paid(one, f"{subjects}-{rounds}-{one}", now) for one in numbers), 6_000)
        began, began_cpu = time.perf_counter(), time.process_time()
        count += await workshop.refresh_all()
        wall, cpu = wall + time.perf_counter() - began, cpu + time.process_time() - began_cpu
    report.tell(f"with the store, {subjects} subjects, wall", wall / count * 1e6, "us/customer")
    report.tell(f"with the store, {subjects} subjects, CPU of Python", cpu / count * 1e6, "us/customer")
