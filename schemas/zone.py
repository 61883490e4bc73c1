"""The time of a place: when its days begin, whether its clocks change or not."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from schemas.instants import DAY_MS, MINUTE_MS

_STEP_MS = 15 * MINUTE_MS
_LAST_STEP = 253_402_000_000_000 // _STEP_MS
"""In December 9999, where the standard library's calendar ends."""


class Zone:
    """`name`: of the IANA time zone database."""

    def __init__(self, name: str) -> None:
        self.name = name

    def offset(self, at: int) -> int:
        """In ms east of UTC at an instant (ms)."""
        return _offset_of(self.name, at // _STEP_MS)

    def instant(self, local: int) -> int:
        """The first instant (ms) at which clocks show this time, counted in ms from their 1970; of a time that is left
        out, the one at which they jump over it."""
        offsets = self.offset(local - DAY_MS), self.offset(local + DAY_MS)
        at, latest = local - max(offsets), local - min(offsets)
        if at == latest or at + self.offset(at) == local:
            return at
        if latest + self.offset(latest) == local:
            return latest
        jump = at - at % _STEP_MS
        while jump + self.offset(jump) < local:
            jump += _STEP_MS
        return jump


BEIJING = Zone("Asia/Shanghai")


@lru_cache(65_536)
def _offset_of(name: str, step: int) -> int:
    """Of the beginning of a quarter of an hour: clocks change on none but these."""
    at = datetime.fromtimestamp(max(0, min(step, _LAST_STEP)) * _STEP_MS // 1000, UTC)
    offset = at.astimezone(ZoneInfo(name)).utcoffset() or timedelta()
    return int(offset.total_seconds()) * 1000
