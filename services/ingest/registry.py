"""USE CASES of the operator: register sources, create keys."""

import secrets
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from schemas.catalogue import CHANNELS, EventType
from schemas.money import EXPONENTS
from services.credentials import hashed
from services.expected import expected
from services.failures import Rejected
from services.ingest.domain.sources import EVERY, Grant, Source
from services.ingest.ports import KeyStore, SourceStore


async def set_source(sources: SourceStore, source: Source, catalogue: Mapping[str, EventType]) -> None:
    """Registers a source or replaces its parameters; running platforms follow within a second. Raises `Rejected`."""
    check_source(source, catalogue)
    await sources.put(source)


def check_source(source: Source, catalogue: Mapping[str, EventType]) -> None:
    """Raises `Rejected`."""
    _check(source)
    _check_channels([source.channel] if source.channel else [], "channel")
    try:
        ZoneInfo(source.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Rejected("invalid_value", "an IANA time zone such as Asia/Shanghai is expected", "time_zone") from None
    if source.currency not in EXPONENTS:
        raise Rejected("invalid_value", "an ISO 4217 currency is expected", "currency")
    unknown = [name for name in source.of_record if name != EVERY and name not in catalogue]
    if unknown:
        raise Rejected("invalid_value", f"the catalogue has no type {unknown[0]}", "of_record")


async def create_key(
    keys: KeyStore, sources: SourceStore, source: str, channels: Sequence[str], now_ms: int, rate: int = 10_000
) -> tuple[str, Grant]:
    """Returns the secret, which is shown only once, and the grant. Its bucket holds two seconds' worth. Raises
    `Rejected`."""
    check_channels(channels)
    registered = await sources.find(source)
    if registered is None:
        message = f"register the source first: `counterpoint sources set {source}`"
        raise Rejected("unknown_source", message, "source")
    secret = "cpk_" + secrets.token_urlsafe(32)
    grant = Grant(
        key_id="key_" + secrets.token_hex(6),
        source=source,
        channels=tuple(channels),
        rate=rate,
        burst=2 * rate,
        created_at=now_ms,
    )
    _check(grant)
    if registered.channel and not grant.allows(registered.channel):
        message = f"{source} speaks for {registered.channel}: a key that allows it is expected"
        raise Rejected("invalid_value", message, "channels")
    await keys.add(hashed(secret), grant)
    return secret, grant


def check_channels(channels: Sequence[str]) -> None:
    """Of a key. Raises `Rejected`."""
    if not channels:
        raise Rejected("invalid_value", "at least one channel is expected, or *", "channels")
    _check_channels([channel for channel in channels if channel != EVERY], "channels")


def _check_channels(channels: Sequence[str], field: str) -> None:
    if any(channel not in CHANNELS for channel in channels):
        raise Rejected("invalid_value", f"one of {', '.join(CHANNELS)} is expected", field)


def _check(value: Source | Grant) -> None:
    """msgspec checks structs when it decodes them, not when Python makes them: so encode and decode once."""
    try:
        msgspec.convert(msgspec.to_builtins(value), type(value))
    except msgspec.ValidationError as error:
        field, message = expected(error)
        raise Rejected("invalid_value", message, field) from None
