"""In which partition a message stands, the same on every log: that of Kafka's default partitioner."""

import struct
from functools import lru_cache

from services.failures import Rejected
from services.log import Message

_SEED, _M, _MASK = 0x9747B28C, 0x5BD1E995, 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """MurmurHash2 (A. Appleby), 32 bits, with the seed of org.apache.kafka.common.utils.Utils."""
    length = len(data)
    whole = length & ~3
    h = _SEED ^ length
    for k in struct.unpack_from(f"<{whole >> 2}I", data):
        k = (k * _M) & _MASK
        h = ((h * _M) ^ ((k ^ (k >> 24)) * _M)) & _MASK
    if length != whole:
        h = ((h ^ int.from_bytes(data[whole:], "little")) * _M) & _MASK
    h = ((h ^ (h >> 13)) * _M) & _MASK
    return h ^ (h >> 15)


@lru_cache(maxsize=1 << 16)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key; remembered, because the hash costs more than the append and subjects come back."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def place_of(message: Message, topic: str, partitions: int, most_bytes: int) -> int:
    """The partition that it names, or else that of its key. Raises `Rejected`, and ValueError for one that is none."""
    size = len(message.key) + len(message.value)
    if size > most_bytes:
        raise Rejected("message_too_large", f"a message is limited to {most_bytes} bytes, this one has {size}")
    index = partition_of(message.key, partitions) if message.partition is None else message.partition
    if not 0 <= index < partitions:
        raise ValueError(f"{topic} has {partitions} partitions, not one numbered {index}")
    return index
