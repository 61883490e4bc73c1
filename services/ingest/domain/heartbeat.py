"""How a source says that it is alive: one event, appended to every partition, so that each reader comes to see it."""

from collections.abc import Sequence

import msgspec

from schemas.codec import encode_event
from schemas.events import ChannelEvent
from services.ingest.domain.attributes import encode
from services.ingest.domain.sources import EVERY, Source
from services.log import Message

HEARTBEAT = "source.heartbeat"


def heartbeats(sources: Sequence[Source], now_ms: int, partitions: int) -> list[Message]:
    """What ingest says for the sources that it hears: complete up to now, less their declared lateness.

    Give it only sources that were heard of within their rhythm: ingest cannot vouch for a silent one.
    """
    speaking = (source for source in sources if source.heartbeats and source.enabled)
    return [message for source in speaking for message in spread(_heartbeat(source, now_ms), partitions)]


def _heartbeat(source: Source, now_ms: int) -> ChannelEvent:
    return ChannelEvent(
        id=f"heartbeat-{now_ms}",
        type=HEARTBEAT,
        source=source.id,
        channel=source.channel or EVERY,
        subject=f"source:{source.id}",
        occurred_at=now_ms,
        accepted_at=now_ms,
        identifiers={},
        attributes=encode({"complete_up_to": now_ms - source.lateness_ms}),
    )


def spread(event: ChannelEvent, partitions: int) -> list[Message]:
    """One message to each partition, with ids of their own: they are not repeats of each other."""
    return [
        Message(event.subject.encode(), encode_event(msgspec.structs.replace(event, id=f"{event.id}@{at}")), at)
        for at in range(partitions)
    ]
