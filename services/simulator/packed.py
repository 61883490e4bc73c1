"""Plans put by until their minutes come: a million customers' day takes some thirty megabytes, not a gigabyte."""

import zlib
from collections.abc import Iterator
from operator import attrgetter

import msgspec

from services.simulator.plan import Planned

_BLOCK_BYTES = 32_768
_FASTEST = 1
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Planned]).decode

order = attrgetter("at", "number", "place")


class Packed:
    """Full blocks are compressed; what a small bank plans never fills one."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        # MessagePack's array of them without its head: how many they will be is not known before
        self._open, self._count = bytearray(), 0

    def add(self, planned: Planned) -> None:
        self._open += _encode(planned)
        self._count += 1
        if len(self._open) >= _BLOCK_BYTES:
            self._blocks.append(zlib.compress(self._array(), _FASTEST))
            self._open, self._count = bytearray(), 0

    def in_order(self) -> list[Planned]:
        found = [planned for array in self._arrays() for planned in _decode(array)]
        return sorted(found, key=order)

    def _arrays(self) -> Iterator[bytes]:
        yield from map(zlib.decompress, self._blocks)
        yield self._array()

    def _array(self) -> bytes:
        return b"\xdd" + self._count.to_bytes(4, "big") + self._open
