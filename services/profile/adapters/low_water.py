"""How far the queue of marks is empty for certain, so that nobody walks again through what was taken long ago: as long
as any transaction may still look at it (a backup, an analyst), PostgreSQL keeps it in the index."""

import time
from typing import NamedTuple

FORGOTTEN_AFTER_S = 60.0
"""Then the whole queue is looked through once: a server that took over may count anew, from further below."""


class Look(NamedTuple):
    """What one snapshot shows. `least`: the smallest number in the queue. `drawn`: the last number given out, read a
    little later. `oldest`: every transaction of a smaller id has ended; `next`: none of this id or a greater one had
    begun to write."""

    least: int | None
    drawn: int
    oldest: int
    next: int


class LowWater:
    """`number`: no mark with a smaller one can be in the queue. Marks are numbered in another order than they are
    committed in: what one look shows as the smallest holds only once all have ended who were writing then."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self.number, self._drawn, self._began = 0, 0, time.monotonic()
        self._candidate: tuple[int, int] | None = None

    def learn(self, look: Look) -> None:
        if look.drawn < self._drawn or time.monotonic() - self._began > FORGOTTEN_AFTER_S:
            self._forget()
        # of an empty queue: whatever comes after this look is numbered after what had been drawn by the look before
        least = self._drawn if look.least is None else look.least
        self._drawn = look.drawn
        if self._candidate is not None:
            before, next_then = self._candidate
            if look.oldest < next_then:
                return
            self.number = max(self.number, min(before, least))
        self._candidate = least, look.next
