"""What time it is, for those who are handed it."""

import time
from typing import Literal, Protocol

LONGEST_LEASE_MS = 300_000
"""Nobody leases anything for longer: what seems to be leased beyond that was so while the clock was ahead, and is
free."""
ClockKind = Literal["system", "event"]
"""Which time a deployment lives by: the present, or that of the events of a past."""


class Clock(Protocol):
    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class EventClock:
    """Stands at the latest time that it was moved to, 0 before; never goes back, nor beyond the system's clock."""

    def __init__(self) -> None:
        self._now_ms = 0

    def now_ms(self) -> int:
        return self._now_ms

    def move_to(self, at_ms: int) -> None:
        self._now_ms = max(self._now_ms, min(at_ms, SystemClock().now_ms()))
