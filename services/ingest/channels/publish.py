"""The shell around the use case: what it returned goes to the log, and is counted."""

from collections.abc import Callable, Mapping, Sequence

from schemas.topics import CHANNEL_EVENTS, DEAD_LETTERS
from services.ingest.accept import Outcome
from services.ingest.domain.sources import Terms
from services.log import EventLog, Message, Placed

Count = Callable[[str, Mapping[str, str], int], None]
"""Takes a metric's name, its labels and how many."""


class Publisher:
    """`partitions` of channel-events. `heard`: when which source last spoke (ms UTC)."""

    def __init__(self, log: EventLog, partitions: int, count: Count) -> None:
        self._log, self.partitions, self._count = log, partitions, count
        self.heard: dict[str, int] = {}

    async def publish(self, outcome: Outcome, terms: Terms, now_ms: int) -> Sequence[Placed]:
        """Events first: should the dead letters fail, the client sends all again, and repeats are harmless.

        Raises `Unavailable`.
        """
        placed: Sequence[Placed] = ()
        if outcome.events:
            placed = await self._log.append(CHANNEL_EVENTS.name, outcome.events)
        if outcome.dead_letters:
            await self._log.append(DEAD_LETTERS.name, outcome.dead_letters)
        self.heard[terms.source.id] = now_ms
        for (channel, event_type), number in outcome.accepted_of.items():
            self._count("events_accepted", {"channel": channel, "type": event_type}, number)
        for rejection in outcome.rejected:
            self._count("events_rejected", {"reason": rejection.reason}, 1)
        return placed

    async def refuse(self, dead_letters: Sequence[Message], reason: str) -> None:
        """A body that could not even be taken apart. Raises `Unavailable`."""
        await self._log.append(DEAD_LETTERS.name, dead_letters)
        self._count("events_rejected", {"reason": reason}, 1)

    def answered(self, status: int) -> None:
        self._count("http_requests", {"route": "/v1/events", "status": str(status)}, 1)
