"""Ready means: positions move, or there is nothing to do. Lag is measured on the way."""

from collections.abc import Callable

from schemas.topics import CHANNEL_EVENTS, DEAD_LETTERS
from services import metrics as measure
from services.failures import Unavailable
from services.log import EventLog, UnknownTopic
from services.metrics import Metrics
from services.profile.ports.store import ProfileStore

STANDSTILL_MS = 30_000
STOPPED_TOLD = 3
CONSUMED = (CHANNEL_EVENTS.name, DEAD_LETTERS.name)


class Progress:
    """Remembers when each partition's position last moved. `now_ms` gives milliseconds."""

    def __init__(
        self, log: EventLog, store: ProfileStore, topic: str, metrics: Metrics, now_ms: Callable[[], int]
    ) -> None:
        self._log, self._store, self._topic, self._metrics, self._now_ms = log, store, topic, metrics, now_ms
        self._moved: dict[int, tuple[int, int]] = {}

    async def measure(self) -> dict[int, int]:
        """Partition → lag in events. Raises `Unavailable`."""
        ends = await self._log.ends(self._topic)
        positions = await self._store.positions(self._topic, list(ends))
        now, lags = self._now_ms(), {}
        for partition, (first, end) in ends.items():
            stored = positions.get(partition)
            reached = stored.next if stored else first
            known = self._moved.get(partition)
            if known is None or known[0] != reached or reached >= end:
                self._moved[partition] = (reached, now)
                self._metrics.set(measure.POSITION_MOVED, now / 1000, self._topic, str(partition))
            lags[partition] = max(0, end - reached)
            self._metrics.set(measure.LAG, lags[partition], self._topic, str(partition))
        return lags

    def stopped(self) -> dict[str, str]:
        """Place → what an operator has to do, of the partitions that this worker gave up."""
        found = {f"{topic}/{at}": why for (topic, at), why in sorted(self._log.stopped().items())}
        for topic in CONSUMED:
            stopped = sum(place.startswith(f"{topic}/") for place in found)
            self._metrics.set(measure.PARTITIONS_STOPPED, stopped, topic)
        return found

    async def check(self) -> str | None:
        """What is wrong in words, or None."""
        if stopped := self.stopped():
            told = [f"{place} stopped: {why.removeprefix(f'{place}: ')}" for place, why in stopped.items()]
            more = [f"{len(told) - STOPPED_TOLD} more partitions stopped"] if len(told) > STOPPED_TOLD else []
            return "; ".join([*told[:STOPPED_TOLD], *more, "when that is mended, start this worker anew"])
        try:
            lags = await self.measure()
        except Unavailable:
            return "the event log or the database is away"
        except UnknownTopic as unknown:
            return unknown.told
        now = self._now_ms()
        still = sorted(at for at, lag in lags.items() if lag and now - self._moved[at][1] > STANDSTILL_MS)
        if still:
            return f"positions stand still in partitions {still} of {self._topic} although events wait"
        return None
