"""The shell around `accept`: appends what it returned to the log, and counts it."""

from collections.abc import Sequence
from time import monotonic
from typing import NamedTuple

from schemas.topics import CHANNEL_EVENTS, DEAD_LETTERS
from services.failures import Unavailable
from services.ingest.accept import Outcome
from services.ingest.domain.sources import Terms
from services.log import EventLog, Message, Placed
from services.metrics import BACK_PRESSURE, EVENTS_ACCEPTED, EVENTS_REJECTED, HTTP_DURATION, HTTP_REQUESTS, Metrics
from services.metrics import DEAD_LETTERS as DEAD_LETTERS_MADE
from services.outage import Outage

EVENTS_PATH = "/v1/events"


class Away(NamedTuple):
    """The log's last refusal, and when it came: seconds of the monotonic clock."""

    why: str
    at: float


class Publisher:
    """`partitions` of channel-events. `heard`: source → when it last sent something (ms UTC)."""

    def __init__(self, log: EventLog, partitions: int, metrics: Metrics) -> None:
        self._log, self.partitions, self._metrics = log, partitions, metrics
        self.heard: dict[str, int] = {}
        self._away: Away | None = None
        topics = (CHANNEL_EVENTS.name, DEAD_LETTERS.name)
        self._outages = {topic: Outage("acceptance", topic=topic) for topic in topics}

    async def publish(self, outcome: Outcome, terms: Terms, now_ms: int) -> Sequence[Placed]:
        """Appends the events first: if the dead letters then fail, the client sends everything again, and repeats are
        harmless.

        Raises `Unavailable`.
        """
        source = terms.source.id
        placed: Sequence[Placed] = ()
        if outcome.events:
            placed = await self._append(CHANNEL_EVENTS.name, outcome.events)
        if outcome.dead_letters:
            await self._append(DEAD_LETTERS.name, outcome.dead_letters)
        self.heard[source] = now_ms
        for channel, number in outcome.accepted_on.items():
            self._metrics.add(EVENTS_ACCEPTED, number, source, channel)
        for rejection in outcome.rejected:
            self._refused(source, rejection.reason)
        return placed

    def refused_within(self, seconds: float) -> str | None:
        """Why the log took nothing the last time, if that is not longer ago."""
        away = self._away
        return away.why if away is not None and monotonic() - away.at < seconds else None

    async def refuse(self, letter: Message, terms: Terms, reason: str) -> None:
        """Keeps a body that could not be split into events. Raises `Unavailable`."""
        await self._append(DEAD_LETTERS.name, [letter])
        self._refused(terms.source.id, reason)

    async def _append(self, topic: str, messages: Sequence[Message]) -> Sequence[Placed]:
        try:
            placed = await self._log.append(topic, messages)
        except Unavailable as away:
            self._outages[topic].waits(away)
            self._away = Away(str(away), monotonic())
            raise
        self._outages[topic].goes_on()
        self._away = None
        return placed

    def answered(self, method: str, status: int, seconds: float) -> None:
        self._metrics.add(HTTP_REQUESTS, 1, method, EVENTS_PATH, str(status))
        self._metrics.observe(HTTP_DURATION, seconds, method, EVENTS_PATH)
        if status in (429, 503):
            self._metrics.add(BACK_PRESSURE, 1, str(status))

    def _refused(self, source: str, reason: str) -> None:
        self._metrics.add(EVENTS_REJECTED, 1, source, reason)
        self._metrics.add(DEAD_LETTERS_MADE, 1, "accept", reason)
