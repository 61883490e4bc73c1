"""How a repeated event is recognised: its key, and a hash of the content that may not change."""

from hashlib import blake2b

import msgspec

from schemas.events import ChannelEvent
from schemas.instants import DAY_MS

AROUND_MIDNIGHT_MS = 10 * 60_000
DAYS_KEPT = 8
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


def ledger_key(source: str, event_id: str) -> bytes:
    return blake2b(f"{source}\0{event_id}".encode(), digest_size=16).digest()


def content_hash(event: ChannelEvent) -> bytes:
    """Over everything but times and sequence, which client libraries set anew on each try."""
    told = (
        event.type, event.channel, event.subject, event.actor, event.amount, event.direction, event.balance_after,
        event.counterparty, event.product, event.attributes, event.identifiers,
    )  # fmt: skip
    return blake2b(_encode(told), digest_size=8).digest()


def days_of(accepted_at: int) -> tuple[int, int | None]:
    """The UTC day of acceptance, and the neighbouring one when midnight is near."""
    day, within = divmod(accepted_at, DAY_MS)
    if within < AROUND_MIDNIGHT_MS:
        return day, day - 1
    if within > DAY_MS - AROUND_MIDNIGHT_MS:
        return day, day + 1
    return day, None
