"""How a source shows that it is alive: one event, appended to every partition, so that every reader sees it."""

from collections.abc import Mapping, Sequence

import msgspec

from schemas.codec import encode_event
from schemas.events import HEARTBEAT, ChannelEvent
from services.ingest.domain.attributes import encode
from services.ingest.domain.sources import EVERY, Source
from services.log import Message


def heartbeats(sources: Sequence[Source], heard: Mapping[str, int], now_ms: int, partitions: int) -> list[Message]:
    """The heartbeats that ingest sends for sources. `heard`: source id → when (ms). Each carries the rhythm and
    lateness that the source is registered with. For a source that speaks it vouches that all is complete up to now,
    less the lateness; for one that is switched off it says so, heard or not, so that nobody waits for it."""
    known = [source for source in sources if source.id in heard or not source.enabled]
    events = [_heartbeat(source, vouched(source, heard, now_ms), now_ms) for source in known]
    return [message for event in events for message in spread(event, partitions)]


def vouched(source: Source, heard: Mapping[str, int], now_ms: int) -> bool:
    """Whether ingest can vouch for the source: not if it has been silent beyond its rhythm."""
    spoke = now_ms - heard.get(source.id, now_ms - source.rhythm_ms) < source.rhythm_ms
    return spoke and source.heartbeats and source.enabled


def _heartbeat(source: Source, complete: bool, now_ms: int) -> ChannelEvent:
    terms = {"rhythm_ms": source.rhythm_ms, "lateness_ms": source.lateness_ms, "enabled": source.enabled}
    return ChannelEvent(
        id=f"heartbeat-{now_ms}",
        type=HEARTBEAT,
        source=source.id,
        channel=source.channel or EVERY,
        subject=f"source:{source.id}",
        occurred_at=now_ms,
        accepted_at=now_ms,
        identifiers={},
        attributes=encode(terms | ({"complete_up_to": now_ms - source.lateness_ms} if complete else {})),
    )


def spread(event: ChannelEvent, partitions: int) -> list[Message]:
    """One message for each partition, with an id of its own, so that they are no repeats of each other."""
    return [
        Message(event.subject.encode(), encode_event(msgspec.structs.replace(event, id=f"{event.id}@{at}")), at)
        for at in range(partitions)
    ]
