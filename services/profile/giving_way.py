"""Refresh gives way to update when both compete for the same processors.

A late update delays every reader. A late refresh delays no reader, and covers all that arrived meanwhile at once. So
while events are applied late, refresh works in small transactions and pauses after each.
"""

from collections.abc import Iterable

from services.profile.domain.customers.freshness import SourceSeen

MARKS_AT_ONCE, MARKS_UNDER_PRESSURE = 400, 50
LATE_MS, BACKLOG_MS = 50, 60_000
"""Update is late beyond the first. Beyond the second it works off a backlog or replays a past; then refresh does not
give way, because alerts are better raised on frequent summaries."""
STILL_MS = 1_000
"""Without a new event for so long, the last one's lateness says nothing any more."""
PAUSES, LONGEST_PAUSE_S = 4, 0.5
"""A pause lasts this many times as long as the transaction before it: refresh keeps a fifth of one processor."""


class GivingWay:
    """`is_pressed`: events are being applied late."""

    def __init__(self) -> None:
        self.is_pressed = False
        self._newest = self._moved_at = 0

    @property
    def marks_at_once(self) -> int:
        return MARKS_UNDER_PRESSURE if self.is_pressed else MARKS_AT_ONCE

    def look(self, seen: Iterable[SourceSeen], now: int) -> None:
        """Decides anew whether events are late. `seen`: the last event applied from each source."""
        newest = max((one.accepted_at for one in seen), default=0)
        if newest != self._newest:
            self._newest, self._moved_at = newest, now
        self.is_pressed = LATE_MS < now - newest < BACKLOG_MS and now - self._moved_at < STILL_MS

    def pause_s(self, took_s: float) -> float:
        return min(took_s * PAUSES, LONGEST_PAUSE_S) if self.is_pressed else 0.0
