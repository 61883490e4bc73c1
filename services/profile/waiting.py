"""Read-your-writes: a reader who holds a receipt waits until the events behind it are in the view."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from schemas.topics import CHANNEL_EVENTS
from services.log import PositionStore
from services.profile.domain.links import COLLECTIVES, kind_of
from services.profile.ports import ProfileReader

POLL_S = 0.01
LONGEST_S = 10.0
Subjects = Callable[[], Awaitable[Sequence[str]]]
"""Which subjects the reader asks about; asked again after the events have come, for they may bring new ones."""


class Reader(ProfileReader, PositionStore, Protocol):
    """What reading needs of the store."""


async def until_visible(reader: Reader, receipt: Mapping[int, int], subjects: Subjects, seconds: float) -> bool:
    """Whether every event of the receipt is in the views of those subjects; False when the time ran out first."""
    until = asyncio.get_running_loop().time() + min(seconds, LONGEST_S)

    async def visible() -> bool:
        return not await reader.marked(await roots_around(reader, await subjects()))

    return await _holds(lambda: _passed(reader, receipt), until) and await _holds(visible, until)


async def _holds(condition: Callable[[], Awaitable[bool]], until: float) -> bool:
    """Asks until it holds. No query is broken off: that would cost its connection."""
    while not await condition():
        if asyncio.get_running_loop().time() >= until:
            return False
        await asyncio.sleep(POLL_S)
    return True


async def _passed(reader: Reader, receipt: Mapping[int, int]) -> bool:
    if not receipt:
        return True
    positions = await reader.positions(CHANNEL_EVENTS.name, sorted(receipt))
    return all(number in positions and positions[number].next >= wanted for number, wanted in receipt.items())


async def roots_around(reader: ProfileReader, subjects: Sequence[str]) -> list[str]:
    """All that may carry a mark for these subjects: what they belong to, and what that is merged with."""
    found, edge = set(subjects), set(subjects)
    while edge:
        above = {link.target for link in await reader.links(sorted(edge)) if kind_of(link.target) not in COLLECTIVES}
        edge = above - found
        found |= edge
    for root in sorted(found):
        cluster = await reader.cluster(root)
        found |= set(cluster.roots) if cluster is not None else set()
    return sorted(found)
