"""Customers with a past: those of a simulated bank after some months, as the profile's own steps would tell of them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import ModuleType
from typing import Any, NamedTuple

from schemas.changes import ProfileChange
from schemas.codec import decode_change
from schemas.topics import PROFILE_CHANGES
from services.profile import refresh
from services.profile.domain import summarise as summing
from services.profile.ports.store import ProfileStore
from services.simulator.bank import Bank, day_at
from services.simulator.traffic import history
from tests.benchmarks.workshop import Workshop, new_database, sql_store
from tests.profile.told import admitted

SIZE, SEED = 150, 1
AT_ONCE = 10_000


class Lives(NamedTuple):
    """`statements`: the newest one of each customer. Times of the refresh that made them, a customer each."""

    statements: list[ProfileChange]
    facts_us: list[float]
    summed_us: list[float]


async def lived(days: int) -> Lives:
    async with new_database(embedded=True) as database:
        workshop = Workshop(sql_store(database))
        today, now = day_at(workshop.now), workshop.now
        bank = Bank(SEED, SIZE, today)
        raw = history(bank, today - timedelta(days=days), today)
        await workshop.apply((admitted(one, now=now) for one in raw), AT_ONCE)
        facts_us, summed_us = list[float](), list[float]()
        with _timed(summing, "facts", facts_us), _timed(refresh, "summarise", summed_us):
            await workshop.refresh_all()
        return Lives(await _told(workshop.store), facts_us, summed_us)


@contextmanager
def _timed(module: ModuleType, name: str, into: list[float]) -> Iterator[None]:
    """Meanwhile the module's function notes how many us it takes."""
    function = getattr(module, name)

    def timed(*arguments: Any) -> Any:
        began = time.perf_counter()
        done = function(*arguments)
        into.append((time.perf_counter() - began) * 1e6)
        return done

    setattr(module, name, timed)
    try:
        yield
    finally:
        setattr(module, name, function)


async def _told(store: ProfileStore) -> list[ProfileChange]:
    newest: dict[str, ProfileChange] = {}
    for lane in await store.lanes_waiting():
        for row in await store.outbox(lane, AT_ONCE):
            if row.message.topic == PROFILE_CHANGES.name:
                change = decode_change(row.message.value)
                newest[change.customer_id] = change
    return list(newest.values())
