"""How a consumer of the log gets on. Ready means: positions move, or there is nothing to do. Lag is measured on the
way."""

import contextlib
from collections.abc import Callable, Sequence

from services import metrics as measure
from services.failures import Unavailable
from services.log import EventLog, PositionStore, TopicPartition, UnknownTopic
from services.metrics import Metrics
from services.pace import every

STANDSTILL_MS = 30_000
STOPPED_TOLD = 3
LOOK_S = 2.0


class Progress:
    """Remembers when each partition's position last moved. `beside`: topics that are worked with it, of which only is
    said whether they have stopped. `now_ms` gives milliseconds."""

    def __init__(
        self,
        log: EventLog,
        store: PositionStore,
        topic: str,
        metrics: Metrics,
        now_ms: Callable[[], int],
        beside: Sequence[str] = (),
    ) -> None:
        self._log, self._store, self._topic, self._metrics, self._now_ms = log, store, topic, metrics, now_ms
        self._worked = (topic, *beside)
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
        stopped = sorted(self._log.stopped().items())
        found = {f"{topic}/{at}": why for (topic, at), why in stopped if topic in self._worked}
        for topic in self._worked:
            many = sum(place.startswith(f"{topic}/") for place in found)
            self._metrics.set(measure.PARTITIONS_STOPPED, many, topic)
        return found

    async def keep_looking(self) -> None:
        """Measures until cancelled."""
        await every(LOOK_S, self._look)

    async def _look(self) -> None:
        self.stopped()
        with contextlib.suppress(UnknownTopic):  # its partitions have stopped and say why
            await self.measure()

    def given_up(self) -> str | None:
        """In words which partitions have stopped, or None."""
        sentences = [
            f"{place} stopped: {why.removeprefix(f'{place}: ').removesuffix('.')}"
            for place, why in self.stopped().items()
        ]
        others = len(sentences) - STOPPED_TOLD
        more = [f"{others} more partition{'s' if others > 1 else ''} stopped"] if others > 0 else []
        mend = "when that is mended, start this worker anew"
        return "; ".join([*sentences[:STOPPED_TOLD], *more, mend]) if sentences else None

    async def check(self) -> str | None:
        """What is wrong in words, or None."""
        if given_up := self.given_up():
            return given_up
        try:
            lags = await self.measure()
        except Unavailable:
            return "the event log or the database is away"
        except UnknownTopic as unknown:
            return unknown.message
        now = self._now_ms()
        still = sorted(at for at, lag in lags.items() if lag and now - self._moved[at][1] > STANDSTILL_MS)
        return self._told_of(still) if still else None

    def _told_of(self, still: Sequence[int]) -> str:
        """With the reasons, as far as they are this worker's own partitions."""
        waiting = self._log.waiting()
        why = sorted({reason for at in still if (reason := waiting.get(TopicPartition(self._topic, at))) is not None})
        message = f"positions stand still in partitions {still} of {self._topic} although events wait"
        return f"{message}: {'; '.join(why)}" if why else message
