"""Runs a bank through time: `advance` gives the events up to a moment, in order, from history into live traffic.

The same bank, start and moments give the same events; what must be remembered between processes is `state`.
"""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from datetime import date
from heapq import merge
from itertools import islice
from operator import attrgetter

import msgspec

from schemas.instants import DAY_MS
from services.clock import Clock
from services.simulator.bank import Bank, day_at, start_of
from services.simulator.books import Books, Event
from services.simulator.bustle import bustle
from services.simulator.companies import company_day
from services.simulator.customers import customer
from services.simulator.days import ordinary_day
from services.simulator.moods import mood
from services.simulator.opening import openings
from services.simulator.plan import DayPlan, Planned
from services.simulator.stories import story_of
from services.simulator.story_days import story_day

CATCH_UP_MS = 60_000
"""After a restart the bustle is made again for this long (repeats of what was sent), then it pauses until now."""

_order = attrgetter("at", "number", "place")


class _State(msgspec.Struct):
    start: date
    reached_ms: int
    balances: bytes
    sequences: bytes


class Traffic:
    """`per_second` events of bustle are added on average from `bustle_from_ms` on."""

    def __init__(self, bank: Bank, start: date, *, per_second: float = 0.0, bustle_from_ms: int | None = None) -> None:
        self.bank, self.start = bank, start
        self.reached_ms = start_of(start)
        self._books = Books(bank)
        self._tick_ms = round(1000 / per_second) if per_second else 0
        self._bustle_from_ms = bustle_from_ms
        self._planned: date | None = None
        self._day = _Day([])

    def advance(self, to_ms: int) -> Iterator[Event]:
        """The events from where it stands to before `to_ms`. Take all of them: leaving early loses the rest."""
        while self.reached_ms < to_ms:
            until = min(to_ms, start_of(day_at(self.reached_ms)) + DAY_MS)
            for planned in merge(*self._sources(until), key=_order):
                yield from self._books.post(planned)
            self.reached_ms = until

    def state(self) -> bytes:
        """Everything that is not drawn from the seed."""
        return msgspec.msgpack.encode(_State(self.start, self.reached_ms, *self._books.state()))

    def resume(self, state: bytes) -> None:
        """Goes on from a saved state of the same bank. Raises ValueError when it is of another one."""
        saved = msgspec.msgpack.decode(state, type=_State)
        self._books.restore((saved.balances, saved.sequences))
        self.start, self.reached_ms = saved.start, saved.reached_ms
        self._planned = None

    def _sources(self, until: int) -> Iterator[Iterator[Planned]]:
        day = day_at(self.reached_ms)
        if day == self.start:
            yield openings(self.bank, day, self.reached_ms, until)
        if day != self._planned:
            self._planned, self._day = day, _Day(_plans(self.bank, day))
        yield self._day.between(self.reached_ms, until)
        yield self._bustle(until)

    def _bustle(self, until: int) -> Iterator[Planned]:
        if not self._tick_ms or self._bustle_from_ms is None:
            return
        first = max(self.reached_ms, self._bustle_from_ms)
        last = until if until - first < 2 * CATCH_UP_MS else first + CATCH_UP_MS
        for tick in range(-(-first // self._tick_ms), -(-last // self._tick_ms)):
            if (planned := bustle(self.bank, tick, tick * self._tick_ms)) is not None:
                yield planned


def history(bank: Bank, start: date, end: date) -> Iterator[Event]:
    """Everything from the morning of `start` to the night before `end`, in event-time order."""
    return Traffic(bank, start).advance(start_of(end))


async def live(
    traffic: Traffic, clock: Clock, *, every: float = 0.5, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> AsyncIterator[list[Event]]:
    """What is due by the clock, every so many seconds, never empty. Save `traffic.state()` once it was accepted."""
    while True:
        if due := list(traffic.advance(clock.now_ms())):
            yield due
        await sleep(every)


class _Day:
    """One day of all customers in order; packed, so that a million customers fit into memory."""

    def __init__(self, plans: Iterable[Planned]) -> None:
        encode = msgspec.msgpack.Encoder().encode
        self._packed = sorted((planned.at, planned.number, planned.place, encode(planned)) for planned in plans)

    def between(self, from_ms: int, until_ms: int) -> Iterator[Planned]:
        decode = msgspec.msgpack.Decoder(Planned).decode
        first = bisect_left(self._packed, (from_ms,))
        for at, _, _, packed in islice(self._packed, first, None):
            if at >= until_ms:
                break
            yield decode(packed)


def _plans(bank: Bank, day: date) -> Iterator[Planned]:
    for number in range(bank.size):
        yield from _customer_day(bank, number, day)


def _customer_day(bank: Bank, number: int, day: date) -> list[Planned]:
    who = customer(bank, number)
    plan = DayPlan(bank, who, day)
    feeling = mood(bank, number, day)
    if feeling.is_gone:
        return []
    if who.archetype == "company":
        company_day(plan)
    else:
        ordinary_day(plan, feeling)
        if (story := story_of(bank, number)) is not None:
            story_day(plan, story)
    # what falls past midnight (the end of a late call) belongs to the next day and is left out
    midnight = start_of(day) + DAY_MS
    return [planned for planned in plan.planned if planned.at < midnight]
