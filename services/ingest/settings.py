"""The limits of the way in; the bank changes them by COUNTERPOINT_INGEST_… variables."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

PREFIX = "COUNTERPOINT_INGEST_"
Settings = TypeVar("Settings", bound=msgspec.Struct)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """`max_body_bytes` holds for a body as sent and again unpacked. Beyond what is in flight, clients wait (503)."""

    max_body_bytes: int = 8 << 20
    max_batch_events: int = 5_000
    max_requests_in_flight: int = 512
    max_bytes_in_flight: int = 128 << 20
    body_timeout_s: float = 30.0


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """`heartbeat_s`: how often ingest vouches for the sources that it hears."""

    accept_unknown_types: bool = False
    max_skew_hours: int = 24
    region: str = "CN"
    heartbeat_s: float = 5.0


def read_limits(environment: Mapping[str, str]) -> Limits:
    """Raises ValueError naming the variable."""
    return _read(environment, Limits)


def read_choices(environment: Mapping[str, str]) -> Choices:
    """Raises ValueError naming the variable."""
    return _read(environment, Choices)


def _read(environment: Mapping[str, str], shape: type[Settings]) -> Settings:
    given = {name: environment[PREFIX + name.upper()] for name in _names(shape) if PREFIX + name.upper() in environment}
    for name, value in given.items():
        try:
            msgspec.convert({name: value}, shape, strict=False)
        except msgspec.ValidationError as error:
            raise ValueError(f"{PREFIX}{name.upper()}: {error}") from None
    return msgspec.convert(given, shape, strict=False)


def _names(shape: type[msgspec.Struct]) -> tuple[str, ...]:
    return shape.__struct_fields__
