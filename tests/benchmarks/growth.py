"""A long past and a wide account: what one further event costs beside that of a new customer.

An event is updated and every view that it changes is refreshed; alone in its transaction, and a hundred together.
"""

import time
from collections.abc import Callable, Iterator

from schemas.events import ChannelEvent
from schemas.instants import DAY_MS
from services.simulator.bank import account_no, customer_no
from tests.benchmarks.bank import event, openings, paid
from tests.benchmarks.figures import Given, Report
from tests.benchmarks.workshop import Workshop, new_database, sql_store

PAST = 100_000
HOLDERS = 10
OLD, WIDE, FIRST_NEW = 0, 1, 100
Next = Callable[[int], ChannelEvent]


async def run(given: Given, report: Report) -> None:
    past = min(PAST, int(given.seconds * PAST / 60))
    async with new_database(given.embedded) as database:
        workshop = Workshop(sql_store(database))
        await workshop.apply(openings(2_000, workshop.now), 2_000)
        await workshop.apply(_past(past, workshop.now), 2_000)
        await workshop.apply(_holders(workshop.now), 2_000)
        await workshop.refresh_all()
        for size in (1, 100):
            new = await _cost(workshop, lambda n: FIRST_NEW + n % 1_000, "new", size, given.seconds / 8)
            old = await _cost(workshop, lambda n: OLD, "old", size, given.seconds / 8)
            wide = await _cost(workshop, lambda n: WIDE, "wide", size, given.seconds / 8)
            same = await _cost(workshop, lambda n: FIRST_NEW, "same", size, given.seconds / 8)
            told = "alone in its transaction" if size == 1 else f"{size} in a transaction"
            report.tell(f"an event of a new customer, {told}", new * 1e6, "us/event")
            report.tell(f"{size} of one new customer, {told}", same * 1e6, "us/event")
            report.tell(f"after {past:,} events, times one new customer's, {told}", old / same, "x", "2")
            report.tell(f"an account of {HOLDERS} holders, times one new customer's, {told}", wide / same, "x", "2")


def _past(count: int, now: int) -> Iterator[ChannelEvent]:
    """Over the last 400 days, in order."""
    for number in range(count):
        at = now - 400 * DAY_MS + number * 400 * DAY_MS // count
        yield paid(OLD, f"past-{number}", at, 100 + number % 5_000, shop=number % 40)


def _holders(now: int) -> Iterator[ChannelEvent]:
    for number in range(HOLDERS - 1):
        named = {"account_no": account_no(WIDE), "customer_no": customer_no(10 + number)}
        yield event("holder.added", f"h-{number}", f"account:{account_no(WIDE)}", now - 300 * DAY_MS, named,
                    accepted_at=now, attributes=b'{"role":"joint"}')  # fmt: skip


async def _cost(workshop: Workshop, whose: Callable[[int], int], run: str, size: int, seconds: float) -> float:
    """Seconds an event, from batch to view."""
    count, spent = 0, 0.0
    while spent < seconds:
        now = workshop.now
        events = [paid(whose(count + place), f"{run}-{size}-{count + place}", now) for place in range(size)]
        began = time.perf_counter()
        await workshop.apply(events, size)
        await workshop.refresh_all()
        spent, count = spent + time.perf_counter() - began, count + size
    return spent / count
