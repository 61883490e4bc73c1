"""A clock that a test moves."""


class ManualClock:
    """Stands where it was set."""

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def move_to(self, now_ms: int) -> None:
        """Forward only."""
        self._now_ms = max(self._now_ms, now_ms)
