"""Who may publish what: sources with their parameters, and the grants of keys."""

from datetime import UTC, tzinfo
from typing import Annotated

import msgspec

from schemas.instants import HOUR_MS, MINUTE_MS

EVERY = "*"
ID_PATTERN = r"^[a-z0-9][a-z0-9_.\-]{0,63}$"

Positive = Annotated[int, msgspec.Meta(gt=0)]


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One registered system of a channel; `channel` is empty for one that speaks for several.

    `of_record` are the event types that this source books (`*`: every type): its money counts. `rhythm_ms` is the
    longest silence that is usual; silent for longer, it counts as incomplete. `lateness_ms` is how late an event may
    come: everything older is complete. Where it has no `max_event_bytes` or `max_batch_events` of its own, those of the
    deployment hold. With `heartbeats` ingest vouches for that by itself (`heartbeat.py`).
    """

    id: Annotated[str, msgspec.Meta(pattern=ID_PATTERN)]
    channel: str = ""
    time_zone: str = "Asia/Shanghai"
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "CNY"
    of_record: tuple[str, ...] = ()
    max_event_bytes: Positive | None = None
    max_batch_events: Positive | None = None
    rhythm_ms: Positive = HOUR_MS
    lateness_ms: Annotated[int, msgspec.Meta(ge=0)] = MINUTE_MS
    heartbeats: bool = True
    enabled: bool = True

    def is_of_record(self, event_type: str) -> bool:
        return event_type in self.of_record or EVERY in self.of_record


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What a key allows. `rate` is in events per second, `burst` in events; `revoked_at` in ms UTC."""

    key_id: str
    source: str
    channels: tuple[str, ...]
    rate: Positive = 10_000
    burst: Positive = 20_000
    created_at: int = 0
    revoked_at: int | None = None

    def allows(self, channel: str) -> bool:
        return channel in self.channels or EVERY in self.channels

    def only_channel(self) -> str | None:
        return self.channels[0] if len(self.channels) == 1 and self.channels[0] != EVERY else None


class Terms(msgspec.Struct, frozen=True):
    """The terms of a request: the key's grant, its source, and the source's time zone."""

    grant: Grant
    source: Source
    zone: tzinfo = UTC
