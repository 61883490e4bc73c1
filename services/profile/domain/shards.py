"""Which shard refreshes a customer: the same on every machine, in every release."""

from collections.abc import Mapping
from zlib import crc32

SHARDS = 16


def fair_share(workers: int) -> int:
    """The most shards that each of them takes, so that every shard is taken."""
    return -(-SHARDS // workers)


def shard_of(root: str) -> int:
    return crc32(root.encode()) % SHARDS


def together(waiting: Mapping[int, int], limit: int) -> list[list[int]]:
    """Shards of which all that waits fits into one transaction; one with more than that stands alone. `waiting`: shard
    → how many."""
    groups: list[list[int]] = []
    room = 0
    for shard, marks in sorted(waiting.items()):
        if not groups or marks > room:
            groups.append([])
            room = limit
        groups[-1].append(shard)
        room -= marks
    return groups
