"""The same key twice in one object: a parser takes the last without a word, and nobody knows which one was meant.

To look for it costs more than parsing. But every key and text stands between two quotes: where a key came twice, more
of them were sent than what was parsed has, and only then (or with a null, or an escaped sign) it is worth a look.
"""

from collections.abc import Sequence

import msgspec

from services.ingest.domain.form import RawEvent
from services.ingest.domain.loose import TWICE, Unusable, loosely, unusable

_ENCODER = msgspec.json.Encoder()


def may_hold_one_twice(bodies: Sequence[bytes | msgspec.Raw], parsed: Sequence[RawEvent]) -> bool:
    """Never False where a key came twice in any; `parsed` is what these were parsed into."""
    sent = b"".join(bodies)
    return sent.count(b'"') != _ENCODER.encode(parsed).count(b'"') or b"\\" in sent


def named_twice(body: bytes) -> tuple[tuple[str, ...], Unusable] | None:
    """The first key that stands twice, with the way to it. Raises `RecursionError`."""
    return next((one for one in unusable(loosely(body.decode())) if one[1] is TWICE), None)
