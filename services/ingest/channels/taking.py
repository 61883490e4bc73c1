"""When the events of a request are taken: all at once in the present, or hour by hour of a past that is lived by their
own time."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager

import msgspec

from schemas.instants import HOUR_MS
from services.clock import Clock, SystemClock

Event = bytes | msgspec.Raw
Times = Callable[[int], Sequence[int]]
"""Now (ms) → when each event of the request occurred, 0 for one that would be refused."""
Portions = AsyncGenerator[tuple[int, Sequence[Event]], None]
"""Of the events in their order, at least one, each with the time (ms) at which it is accepted."""
Taking = Callable[[Sequence[Event], Times], Portions]


def at_once(clock: Clock) -> Taking:
    async def take(events: Sequence[Event], times: Times) -> Portions:
        yield clock.now_ms(), events

    return take


def by_event_time(at: Callable[[int], AbstractAsyncContextManager[int]]) -> Taking:
    """One request after the other. `at` moves the deployment's clock on to a time, once all that is due before is
    done, and says where it stands; what is late is taken then. What is in the future is so by the system's clock."""
    turn = asyncio.Lock()

    async def take(events: Sequence[Event], times: Times) -> Portions:
        async with turn:
            for until, some in _by_hour(events, times(SystemClock().now_ms())):
                async with at(until) as now:
                    yield now, some

    return take


def _by_hour(events: Sequence[Event], times: Sequence[int]) -> Iterator[tuple[int, Sequence[Event]]]:
    """With the latest time so far. An event begins another portion when it is of a later hour than all before."""
    until, first = 0, 0
    for index, at in enumerate(times):
        if index > first and at // HOUR_MS > until // HOUR_MS:
            yield until, events[first:index]
            first = index
        until = max(until, at)
    yield until, events[first:]
