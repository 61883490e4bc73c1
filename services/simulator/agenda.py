"""What all customers mean to do on one day: planned a few at a time while the day before passes, and kept packed.

A million of them take a minute: nobody waits for all, and none is held unpacked before its minutes have come.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from datetime import date

from schemas.instants import DAY_MS, HOUR_MS, MINUTE_MS
from services.simulator.bank import Bank, start_of
from services.simulator.companies import company_day
from services.simulator.customers import customer
from services.simulator.days import ordinary_day
from services.simulator.moods import mood
from services.simulator.packed import Packed
from services.simulator.plan import DayPlan, Planned
from services.simulator.stories import story_of
from services.simulator.story_days import story_day

WAKES_MS = 3 * HOUR_MS
"""Into the day: nobody does anything earlier, so until then the day need not be known."""
_SLICE_MS = 5 * MINUTE_MS
_AT_ONCE = 200
"""Customers: planned one by one between the events, each event would cost a tenth more."""


class Agenda:
    """Of what lies from `from_ms` on. The planning is spread over the time from `begins_ms` to `due_ms`."""

    def __init__(self, bank: Bank, day: date, from_ms: int, begins_ms: int, due_ms: int) -> None:
        self._bank, self.day = bank, day
        # what falls past midnight (the end of a late call) belongs to the next day and is left out
        self._from_ms, self._until_ms = from_ms, start_of(day) + DAY_MS
        self._begins_ms, self._due_ms = begins_ms, due_ms
        self._turn_ms, self._known = begins_ms, 0
        self._slices: defaultdict[int, Packed] = defaultdict(Packed)
        self._left: list[int] | None = None
        self._open: deque[Planned] = deque()

    def prepare(self, now_ms: int) -> None:
        """Plans the customers whose turn has come by now."""
        if now_ms < self._turn_ms:
            return
        size, time_ms = self._bank.size, max(self._due_ms - self._begins_ms, 1)
        due = min(size * (now_ms - self._begins_ms) // time_ms, size)
        self.plan(due - self._known + _AT_ONCE)
        self._turn_ms = self._begins_ms + -(-self._known * time_ms // size)

    def plan(self, customers: int) -> bool:
        """Plans at most so many more. Whether all are planned."""
        first, last = self._known, min(self._known + customers, self._bank.size)
        for number in range(first, last):
            for planned in _customer_day(self._bank, number, self.day):
                if self._from_ms <= planned.at < self._until_ms:
                    self._slices[planned.at // _SLICE_MS].add(planned)
        self._known = max(first, last)
        return self._known == self._bank.size

    def take(self, until_ms: int) -> Iterator[Planned]:
        """In order, each once; asked for any, it plans whoever is not planned yet."""
        if self._left is None:
            self.plan(self._bank.size)
            self._left = sorted(self._slices, reverse=True)
        while True:
            while self._open and self._open[0].at < until_ms:
                yield self._open.popleft()
            if self._open or not self._left or self._left[-1] * _SLICE_MS >= until_ms:
                return
            self._open.extend(self._slices.pop(self._left.pop()).in_order())


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
    return plan.planned
