"""How times are counted, in ms since 1970, and how they are written in answers: ISO 8601 in UTC."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def millis(moment: datetime, zone: tzinfo = UTC) -> int:
    """A time without offset is meant in `zone`."""
    return ((moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)) - _EPOCH) // _MILLISECOND


@lru_cache(65_536)
def instant(at_ms: int) -> str:
    """ "2026-11-22T01:30:00Z"; milliseconds only where there are some."""
    seconds, rest = divmod(at_ms, 1000)
    text = datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
    return f"{text}.{rest:03d}Z" if rest else f"{text}Z"
