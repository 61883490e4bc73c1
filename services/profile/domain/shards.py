"""Which shard refreshes a customer: the same on every machine, in every release."""

from collections.abc import Mapping
from zlib import crc32

SHARDS = 16


def fair_share(workers: int) -> int:
    """The most shards that one worker takes, so that all of them are taken."""
    return -(-SHARDS // workers)


def shard_of(root: str) -> int:
    return crc32(root.encode()) % SHARDS


def together(waiting: Mapping[int, int], limit: int) -> list[list[int]]:
    """Groups shards so that all marks of a group fit into one transaction; a shard with more stands alone. `waiting`:
    shard → marks."""
    groups: list[list[int]] = []
    room = 0
    for shard, marks in sorted(waiting.items()):
        if not groups or marks > room:
            groups.append([])
            room = limit
        groups[-1].append(shard)
        room -= marks
    return groups
