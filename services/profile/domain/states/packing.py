"""States as bytes, in the database and in a batch until their turn comes: all states of a batch unpacked at once do not
fit a processor's caches, which makes reading and writing them three times as slow."""

from collections.abc import Mapping, Sequence

import msgspec

from services.profile.domain.states.months import OtherShape
from services.profile.domain.states.segments import Segments
from services.profile.domain.states.state import Head, Month

_pack = msgspec.msgpack.Encoder().encode
_unpack_heads = msgspec.msgpack.Decoder(list[Head]).decode
_unpack_month = msgspec.msgpack.Decoder(list[Month]).decode


def pack_heads(heads: Sequence[Head]) -> bytes:
    return _pack(heads)


def pack_months(months: Mapping[int, Sequence[Month]]) -> dict[int, bytes]:
    return {number: _pack(parts) for number, parts in months.items()}


EMPTY_MONTHS = frozenset(_pack([Month()] * segments) for segments in range(1, 9))
"""What is stored of a month in which there was nothing to count: one that only told who somebody is."""

NO_HEADS = pack_heads([Head()])
"""Of a subject that no event has told of."""


def unpack(cuts: list[int], heads: bytes, months: Mapping[int, bytes]) -> Segments:
    """Raises `OtherShape`."""
    try:
        return Segments(cuts, _unpack_heads(heads), {number: _unpack_month(body) for number, body in months.items()})
    except msgspec.DecodeError as error:
        raise OtherShape("heads or months") from error
