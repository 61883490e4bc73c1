"""Clocks that a test moves."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from schemas.instants import HOUR_MS
from services.clock import SystemClock
from services.sql import session


class ManualClock:
    """Stands where it was set."""

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def move_to(self, now_ms: int) -> None:
        """Forward only."""
        self._now_ms = max(self._now_ms, now_ms)

    def set_back_to(self, now_ms: int) -> None:
        self._now_ms = min(self._now_ms, now_ms)


@contextmanager
def stores_ahead(hours: int) -> Iterator[None]:
    """The clocks of all stores are ahead, and right again afterwards."""
    ahead = hours * HOUR_MS
    right = SystemClock.now_ms
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemClock, "now_ms", lambda self: right(self) + ahead)
        patch.setattr(session, "_NOW", {dialect: f"select ({now}) + {ahead}" for dialect, now in session._NOW.items()})
        yield
