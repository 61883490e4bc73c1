"""The receipt of accepted events, opaque to the channel: a reader who shows it can wait until the events are
visible."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable

import msgspec

_MAX_LENGTH = 4096


def encode_receipt(placed: Iterable[tuple[int, int]]) -> str:
    """From the (partition, offset) pairs that the log returned: for each partition the offset after the last one."""
    nexts: dict[int, int] = {}
    for partition, offset in placed:
        nexts[partition] = max(nexts.get(partition, 0), offset + 1)
    return urlsafe_b64encode(msgspec.msgpack.encode(dict(sorted(nexts.items())))).rstrip(b"=").decode()


def decode_receipt(receipt: str) -> dict[int, int]:
    """Partition → the offset after the accepted events. Raises ValueError when it is not a receipt."""
    if len(receipt) > _MAX_LENGTH:
        raise ValueError("not a receipt: too long")
    try:
        packed = urlsafe_b64decode(receipt.encode("ascii") + b"=" * (-len(receipt) % 4))
        nexts = msgspec.msgpack.decode(packed, type=dict[int, int])
    except (ValueError, msgspec.DecodeError):
        raise ValueError("not a receipt") from None
    if any(partition < 0 or position < 0 for partition, position in nexts.items()):
        raise ValueError("not a receipt")
    return nexts
