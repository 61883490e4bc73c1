"""When the events of a request are taken: all at once in the present, or hour by hour of a past that is lived by their
own time."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from datetime import datetime, tzinfo

import msgspec

from schemas.instants import HOUR_MS, millis
from services.clock import Clock

Event = bytes | msgspec.Raw
Taking = Callable[[Sequence[Event], tzinfo], AsyncGenerator[tuple[int, Sequence[Event]], None]]
"""Events as sent → portions of them in the same order, at least one, each with the time (ms) at which it is accepted.
The zone is that of times without an offset."""


def at_once(clock: Clock) -> Taking:
    async def take(events: Sequence[Event], zone: tzinfo) -> AsyncGenerator[tuple[int, Sequence[Event]], None]:
        yield clock.now_ms(), events

    return take


def by_event_time(advance: Callable[[int], Awaitable[int]]) -> Taking:
    """One request after the other. `advance` moves the deployment's clock on to a time, once all that is due before is
    done, and returns where it stands; what is late is taken then."""
    turn = asyncio.Lock()

    async def take(events: Sequence[Event], zone: tzinfo) -> AsyncGenerator[tuple[int, Sequence[Event]], None]:
        async with turn:
            for until, some in _by_hour(events, zone):
                yield await advance(until), some

    return take


def _by_hour(events: Sequence[Event], zone: tzinfo) -> Iterator[tuple[int, Sequence[Event]]]:
    """With the latest time in each portion. An event begins another one when it is of a later hour than all before."""
    until, first = 0, 0
    for index, event in enumerate(events):
        at = _occurred_at(event, zone)
        if index > first and at // HOUR_MS > until // HOUR_MS:
            yield until, events[first:index]
            first = index
        until = max(until, at)
    yield until, events[first:]


class _Timed(msgspec.Struct):
    occurred_at: datetime


def _occurred_at(event: Event, zone: tzinfo) -> int:
    """0 where it cannot be read; admission says why."""
    try:
        return millis(msgspec.json.decode(event, type=_Timed).occurred_at, zone)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError):
        return 0
