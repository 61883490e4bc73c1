"""How far the sources have come: what a batch says of them, and the total over all partitions."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from schemas.events import HEARTBEAT, ChannelEvent
from services import metrics as measure
from services.metrics import Metrics
from services.profile.domain.customers.customer import ANY_CHANNEL, Completeness
from services.profile.domain.customers.freshness import Patience, SourceSeen, completeness, heard_at
from services.profile.ports.reading import ProfileReader


def sources_seen(events: Iterable[ChannelEvent], partition: int) -> list[SourceSeen]:
    """What the events of one partition say of their sources."""
    seen: dict[str, SourceSeen] = {}
    accepted: dict[tuple[str, str], int] = {}
    for event in events:
        place = event.source, event.channel
        if event.type == HEARTBEAT:
            seen[event.source] = _beaten(_seen_on(seen, *place, partition), event)
        elif event.accepted_at > accepted.get(place, 0):
            accepted[place] = event.accepted_at
    for (source, channel), at in accepted.items():
        known = _seen_on(seen, source, channel, partition)
        seen[source] = known._replace(accepted_at=max(known.accepted_at, at))
    return list(seen.values())


def _seen_on(seen: Mapping[str, SourceSeen], source: str, channel: str, partition: int) -> SourceSeen:
    known = seen.get(source)
    if known is None:
        return SourceSeen(source, channel, partition, 0, 0)
    return known if channel == known.channel else known._replace(channel=ANY_CHANNEL)


def _beaten(known: SourceSeen, heartbeat: ChannelEvent) -> SourceSeen:
    """A heartbeat by ingest is no sign that the source lives; what the source sends itself is."""
    attributes = msgspec.json.decode(heartbeat.attributes, type=dict[str, Any])
    by_ingest = "rhythm_ms" in attributes
    complete_up_to = int(attributes.get("complete_up_to", 0 if by_ingest else heartbeat.occurred_at))
    known = known._replace(heartbeat_at=max(known.heartbeat_at, complete_up_to))
    if not by_ingest:
        return known._replace(accepted_at=max(known.accepted_at, heartbeat.accepted_at))
    return known._replace(
        rhythm_ms=int(attributes["rhythm_ms"]),
        lateness_ms=int(attributes.get("lateness_ms", 0)),
        enabled=bool(attributes.get("enabled", True)),
    )


class Freshness:
    """How far the sources have come, read again every few seconds. Times in ms."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self.now = Completeness()

    async def renew(self, reader: ProfileReader, now: int, metrics: Metrics) -> None:
        seen, known = await reader.sources_seen(), self.now.until
        self.now = completeness(seen, now, self.patience)
        for retired in known.keys() - self.now.until.keys():
            metrics.forget(measure.SOURCE_FRESHNESS, retired)
            metrics.forget(measure.SOURCE_SILENT, retired)
        heard = heard_at(seen)
        for source in self.now.until:
            metrics.set(measure.SOURCE_FRESHNESS, max(0, now - heard[source]) / 1000, source)
            metrics.set(measure.SOURCE_SILENT, source in self.now.silent, source)
