"""What a deployment chooses about the way in: field `x_y` is the variable `COUNTERPOINT_INGEST_X_Y`."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from services.settings import Positive, chosen

PREFIX = "COUNTERPOINT_INGEST_"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """`max_body_bytes` holds for a body as sent and again unpacked. Beyond what is in flight, clients wait (503)."""

    max_body_bytes: Positive = 8 << 20
    max_batch_events: Positive = 5_000
    max_requests_in_flight: Positive = 512
    max_bytes_in_flight: Positive = 64 << 20
    body_timeout_s: Annotated[float, msgspec.Meta(gt=0)] = 30.0


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """`heartbeat_s`: how often ingest vouches for the sources that it hears."""

    accept_unknown_types: bool = False
    max_skew_hours: Positive = 24
    max_event_bytes: Positive = 65_536
    heartbeat_s: Annotated[float, msgspec.Meta(gt=0)] = 5.0


def read_limits(environment: Mapping[str, str]) -> Limits:
    """Raises `SettingsError` naming the variable."""
    return chosen(environment, PREFIX, Limits)


def read_choices(environment: Mapping[str, str]) -> Choices:
    """Raises `SettingsError` naming the variable."""
    return chosen(environment, PREFIX, Choices)
