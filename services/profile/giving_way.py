"""Refresh gives way to update where both want the same processors.

What update does late is late for everybody who reads; what refresh does late is done once for all that came meanwhile.
So while events wait, refresh works in small transactions and leaves the machine alone after each.
"""

from collections.abc import Iterable

from services.profile.domain.customers.freshness import SourceSeen

MARKS_AT_ONCE, MARKS_UNDER_PRESSURE = 400, 50
LATE_MS, BACKLOG_MS = 100, 60_000
"""Who is behind by more than the second works a backlog off, or lives through a past by a clock of its own: then what
alerts are raised on is better summed up often."""
STILL_MS = 1_000
PAUSES, LONGEST_PAUSE_S = 4, 0.5
"""After a transaction it pauses as many times as long as that took, so that under pressure it has a fifth of the time
of one processor, and gets on."""


class GivingWay:
    """`is_pressed`: events are applied late now. Without new ones they are not, however old the last one is."""

    def __init__(self) -> None:
        self.is_pressed = False
        self._newest = self._moved_at = 0

    @property
    def marks_at_once(self) -> int:
        return MARKS_UNDER_PRESSURE if self.is_pressed else MARKS_AT_ONCE

    def look(self, seen: Iterable[SourceSeen], now: int) -> None:
        """`seen`: what of each source was applied last."""
        newest = max((one.accepted_at for one in seen), default=0)
        if newest != self._newest:
            self._newest, self._moved_at = newest, now
        self.is_pressed = LATE_MS < now - newest < BACKLOG_MS and now - self._moved_at < STILL_MS

    def pause_s(self, took_s: float) -> float:
        return min(took_s * PAUSES, LONGEST_PAUSE_S) if self.is_pressed else 0.0
