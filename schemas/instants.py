"""How times are written in answers: ISO 8601 in UTC."""

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(65_536)
def instant(at_ms: int) -> str:
    """ "2026-11-22T01:30:00Z"; milliseconds only where there are some."""
    seconds, millis = divmod(at_ms, 1000)
    text = datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
    return f"{text}.{millis:03d}Z" if millis else f"{text}Z"
