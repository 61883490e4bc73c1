"""USE CASE: due times that have come leave marks. So absence is acted on, once the sources that it depends on are
complete."""

from collections.abc import Collection
from typing import NamedTuple

from services.profile.domain.customers.customer import Completeness
from services.profile.ports.store import ProfileStore

FIRED_AT_ONCE = 2_000


class Fired(NamedTuple):
    hours: int
    days: int


async def fire(store: ProfileStore, completeness: Completeness, now: int) -> Fired:
    """Fires the precise due times, then those that stand at the close of a bank day."""
    hours = await _fire_all(store, completeness, now, "hour")
    return Fired(hours, await _fire_all(store, completeness, now, "day"))


async def next_look(store: ProfileStore, now: int, lateness_ms: Collection[int]) -> int | None:
    """When after now something is due, or a source that is so late as usual complete past it. What waits for a silent
    one waits until it is heard."""
    looks = [(await store.next_due(grain, now - late), late) for grain in ("hour", "day") for late in lateness_ms]
    return min((due + late for due, late in looks if due is not None), default=None)


async def _fire_all(store: ProfileStore, completeness: Completeness, now: int, grain: str) -> int:
    fired = 0
    complete = completeness.until | dict.fromkeys(completeness.retired, now)
    while due := await store.fire_due(now, grain, complete, FIRED_AT_ONCE):
        fired += due
        if due < FIRED_AT_ONCE:
            break
    return fired
