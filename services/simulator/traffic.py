"""Runs a bank through time: `advance` gives the events up to a moment, in order, from history into live traffic.

The same bank, start and moments give the same events; what must be remembered between processes is `state`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import date, timedelta
from heapq import merge
from itertools import chain

import msgspec

from schemas.instants import DAY_MS, HOUR_MS
from services.clock import Clock
from services.simulator.agenda import WAKES_MS, Agenda
from services.simulator.bank import Bank, day_at, start_of
from services.simulator.books import Books, Event
from services.simulator.bustle import bustle
from services.simulator.opening import apart_ms, openings
from services.simulator.packed import order
from services.simulator.plan import Planned
from services.simulator.scenes import scenes

CATCH_UP_MS = 60_000
"""After a restart the bustle is made again for this long (repeats of what was sent), then it pauses until now."""

_BUSY_MS = 6 * HOUR_MS
"""Into the day: from here on tomorrow is planned beside today's events."""


class _State(msgspec.Struct):
    start: date
    reached_ms: int
    balances: bytes
    sequences: bytes


class Traffic:
    """`per_second` events of bustle are added on average from `bustle_from_ms` on; with `plays` scenes, too."""

    def __init__(
        self,
        bank: Bank,
        start: date,
        *,
        per_second: float = 0.0,
        bustle_from_ms: int | None = None,
        plays: bool = False,
    ) -> None:
        self.bank, self.start = bank, start
        self.reached_ms = start_of(start)
        self._books = Books(bank)
        self._tick_us = _tick_us(per_second)
        self._bustle_from_ms, self._plays = bustle_from_ms, plays
        self._today: Agenda | None = None
        self._ahead = self._first()

    def advance(self, to_ms: int) -> Iterator[Event]:
        """The events from where it stands to before `to_ms`. Take all of them: leaving early loses the rest."""
        while self.reached_ms < to_ms:
            midnight = start_of(day_at(self.reached_ms))
            until = min(to_ms, midnight + DAY_MS)
            bustle_until = self._bustle_until(until)
            for stop in (min(until, midnight + WAKES_MS), until):
                for planned in merge(*self._sources(stop, bustle_until), key=order):
                    self._ahead.prepare(planned.at)
                    yield from self._books.post(planned)
                self.reached_ms = max(self.reached_ms, stop)

    def prepare(self, at_once: int) -> Iterator[None]:
        """Plans today, so many customers a step, if it must be known by now: for whoever resumes a large bank and may
        not wait for all of it in the first `advance`."""
        while self._is_awake() and not self._agenda().plan(at_once):
            yield

    def state(self) -> bytes:
        """Everything that is not drawn from the seed."""
        return msgspec.msgpack.encode(_State(self.start, self.reached_ms, *self._books.state()))

    def resume(self, state: bytes) -> None:
        """Goes on from a saved state of the same bank. Raises ValueError when it is of another one."""
        saved = msgspec.msgpack.decode(state, type=_State)
        self._books.restore((saved.balances, saved.sequences))
        self.start, self.reached_ms = saved.start, saved.reached_ms
        self._today, self._ahead = None, self._first()

    def _sources(self, until: int, bustle_until: int) -> Iterator[Iterator[Planned]]:
        if until <= self.reached_ms:
            return
        if (day := day_at(self.reached_ms)) == self.start:
            yield openings(self.bank, day, self.reached_ms, until)
        if self._is_awake():
            yield self._agenda().take(until)
        yield self._bustle(min(until, bustle_until))
        if self._plays and self._bustle_from_ms is not None:
            yield scenes(self.bank, self._bustle_from_ms, self.reached_ms, min(until, bustle_until))

    def _is_awake(self) -> bool:
        return self.reached_ms >= start_of(day_at(self.reached_ms)) + WAKES_MS

    def _first(self) -> Agenda:
        day = day_at(self.reached_ms)
        due_ms = start_of(day) + min(apart_ms(self.bank) * self.bank.size, WAKES_MS)
        return Agenda(self.bank, day, self.reached_ms, self.reached_ms, due_ms)

    def _agenda(self) -> Agenda:
        """Today's. The first time that a day is asked for, the next one begins to be planned."""
        day = day_at(self.reached_ms)
        if self._today is None or self._today.day != day:
            next_day = start_of(day) + DAY_MS
            begins_ms = max(self.reached_ms, start_of(day) + _BUSY_MS)
            due_ms = begins_ms + (next_day + WAKES_MS - begins_ms) * 5 // 6
            self._today = self._ahead
            self._ahead = Agenda(self.bank, day + timedelta(days=1), next_day, begins_ms, due_ms)
        return self._today

    def _bustle_until(self, until: int) -> int:
        first = max(self.reached_ms, self._bustle_from_ms or 0)
        return until if until - first < 2 * CATCH_UP_MS else first + CATCH_UP_MS

    def _bustle(self, until: int) -> Iterator[Planned]:
        if not self._tick_us or self._bustle_from_ms is None:
            return
        first = max(self.reached_ms, self._bustle_from_ms)
        for tick in range(-(-first * 1000 // self._tick_us), -(-until * 1000 // self._tick_us)):
            if (planned := bustle(self.bank, tick, tick * self._tick_us // 1000)) is not None:
                yield planned


def _tick_us(per_second: float) -> int:
    """None as 0. Ticks of seldom events are whole milliseconds; those of a load may be much shorter."""
    if not per_second:
        return 0
    return round(1000 / per_second) * 1000 if per_second <= 10 else max(round(1_000_000 / per_second), 1)


def history(bank: Bank, start: date, end: date) -> Iterator[Event]:
    """Everything from the morning of `start` to the night before `end`, in event-time order."""
    return Traffic(bank, start).advance(start_of(end))


async def live(
    traffic: Traffic, clock: Clock, *, every: float = 0.5, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> AsyncIterator[Iterator[Event]]:
    """What is due by the clock, every so many seconds, never empty, to be taken whole. Save `traffic.state()` once it
    was accepted."""
    while True:
        due = traffic.advance(clock.now_ms())
        if (first := next(due, None)) is not None:
            # the morning of a large bank is not held at once
            yield chain((first,), due)
        await sleep(every)
