"""Rates in process: for one machine, and for as long as Redis is away."""

from collections.abc import Callable


class TokenBuckets:
    """A token bucket a key. `monotonic` gives seconds. Each process counts for itself."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._levels: dict[str, tuple[float, float]] = {}

    async def take(self, key_id: str, cost: int, rate: int, burst: int) -> float:
        now = self._monotonic()
        level, at = self._levels.get(key_id, (float(burst), now))
        level = min(burst, level + (now - at) * rate)
        wanted = min(cost, burst)
        if level < wanted:
            self._levels[key_id] = (level, now)
            return (wanted - level) / rate
        self._levels[key_id] = (level - cost, now)
        return 0.0
