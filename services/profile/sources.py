"""How far the sources have come: what a batch tells of them, and what it comes to over all partitions."""

from collections.abc import Iterable
from typing import Any

import msgspec

from schemas.events import ChannelEvent
from services import metrics as measure
from services.metrics import Metrics
from services.profile.domain.customer import ANY_CHANNEL, Completeness
from services.profile.domain.freshness import Seen, completeness
from services.profile.ports import ProfileReader, SourceSeen

HEARTBEAT = "source.heartbeat"


def sources_seen(events: Iterable[ChannelEvent], partition: int) -> list[SourceSeen]:
    """What the events of one partition tell of their sources."""
    seen: dict[str, SourceSeen] = {}
    for event in events:
        known = seen.get(event.source, SourceSeen(event.source, event.channel, partition, 0, 0))
        if event.channel != known.channel:
            known = known._replace(channel=ANY_CHANNEL)
        beat = _complete_up_to(event) if event.type == HEARTBEAT else 0
        seen[event.source] = known._replace(
            heartbeat_at=max(known.heartbeat_at, beat), accepted_at=max(known.accepted_at, event.accepted_at)
        )
    return list(seen.values())


def _complete_up_to(heartbeat: ChannelEvent) -> int:
    attributes = msgspec.json.decode(heartbeat.attributes, type=dict[str, Any])
    return int(attributes.get("complete_up_to", heartbeat.occurred_at))


class Freshness:
    """How far the sources have come, read again every few seconds. Times in ms."""

    def __init__(self, partitions: int, lateness_ms: int, rhythm_ms: int) -> None:
        self._partitions, self._lateness_ms, self._rhythm_ms = partitions, lateness_ms, rhythm_ms
        self.now = Completeness()

    async def renew(self, reader: ProfileReader, now: int, metrics: Metrics) -> None:
        seen = [Seen(*row) for row in await reader.sources_seen()]
        self.now = completeness(seen, self._partitions, now, self._lateness_ms, self._rhythm_ms)
        for source, until in self.now.until.items():
            metrics.set(measure.SOURCE_FRESHNESS, max(0, now - until) / 1000, source)
            metrics.set(measure.SOURCE_SILENT, source in self.now.silent, source)
