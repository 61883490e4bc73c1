"""Finds a key that stands twice in one object: a parser silently keeps the last, and nobody knows which one was meant.

A full check costs more than parsing. But keys and texts stand between quotes, so what was sent has more quotes than
what was parsed if a key came twice. Only then (or with a null or an escape) is it worth looking.
"""

from collections.abc import Sequence

import msgspec

from services.ingest.domain.form import RawEvent
from services.ingest.domain.loose import TWICE, Unusable, loosely, unusable

_ENCODER = msgspec.json.Encoder()


def may_hold_one_twice(bodies: Sequence[bytes | msgspec.Raw], parsed: Sequence[RawEvent]) -> bool:
    """False only if no key came twice in any of the bodies. `parsed`: what they were parsed into."""
    sent = b"".join(bodies)
    return sent.count(b'"') != _ENCODER.encode(parsed).count(b'"') or b"\\" in sent


def named_twice(body: bytes) -> tuple[tuple[str, ...], Unusable] | None:
    """The first key that stands twice, with its path. Raises `RecursionError`."""
    return next((one for one in unusable(loosely(body.decode())) if one[1] is TWICE), None)
