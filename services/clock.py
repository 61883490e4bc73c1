"""What time it is belongs to a deployment: system time, or event time when the past is replayed."""

import time
from typing import Protocol


class Clock(Protocol):
    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class ManualClock:
    """Stands where it was set: for tests, and for replays whose clock follows event time."""

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def move_to(self, now_ms: int) -> None:
        """Moves forward only: a clock that ran back would unmake due times that have fired."""
        self._now_ms = max(self._now_ms, now_ms)
