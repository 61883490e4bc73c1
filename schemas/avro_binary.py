"""Avro's binary encoding of single values, for the record that is written millions of times: fastavro's generic look-up
of each field takes more than twice as long."""

_SHORT = 64
# zigzag, seven bits a byte: so small a number, or length, is one byte
_BYTE = [bytes([value]) for value in range(128)]
_LENGTH = [_BYTE[2 * length] for length in range(_SHORT)]
_INT64 = range(-(2**63), 2**63)


def written_long(value: int) -> bytes:
    """Of int and long. Raises OverflowError beyond 64 bits."""
    if value not in _INT64:
        raise OverflowError("an Avro long has 64 bits")
    left = (value << 1) ^ (value >> 63)
    if left < 128:
        return _BYTE[left]
    written = bytearray()
    while left > 127:
        written.append(left & 127 | 128)
        left >>= 7
    written.append(left)
    return bytes(written)


def written_bytes(value: bytes) -> bytes:
    length = len(value)
    return (_LENGTH[length] if length < _SHORT else written_long(length)) + value


def written_text(value: str) -> bytes:
    return written_bytes(value.encode())


def written_flag(value: bool) -> bytes:
    return _BYTE[value]
