"""Read-your-writes: ingest answers with a receipt (partition → offset); a reader who shows it waits until the positions
have passed it. From then on every view shows the events, refreshed or not."""

import asyncio
from collections.abc import Mapping

from schemas.topics import CHANNEL_EVENTS
from services.log import PositionStore

POLL_S = 0.01
LONGEST_S = 10.0


async def until_updated(store: PositionStore, receipt: Mapping[int, int], seconds: float) -> bool:
    """Waits until every event of the receipt has been applied. False when the time ran out first."""
    until = asyncio.get_running_loop().time() + min(seconds, LONGEST_S)
    while not await _passed(store, receipt):
        if asyncio.get_running_loop().time() >= until:
            return False
        await asyncio.sleep(POLL_S)
    return True


async def _passed(store: PositionStore, receipt: Mapping[int, int]) -> bool:
    if not receipt:
        return True
    positions = await store.positions(CHANNEL_EVENTS.name, sorted(receipt))
    return all(number in positions and positions[number].next >= wanted for number, wanted in receipt.items())
