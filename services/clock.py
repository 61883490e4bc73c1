"""What time it is, for those who are handed it."""

import time
from typing import Protocol

LONGEST_LEASE_MS = 300_000
"""Nobody leases anything for longer: what seems to be leased beyond that was so while the clock was ahead, and is
free."""


class Clock(Protocol):
    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000
