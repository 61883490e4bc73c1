"""The channel systems of the demo bank: a source and a key for each channel, so that each is complete for itself."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import msgspec

from schemas.catalogue import EventType
from schemas.instants import HOUR_MS, instant
from services.cli.run.credentials import FIRST_SOURCE, write_private
from services.ingest.app import Stores
from services.ingest.domain.sources import EVERY, Source
from services.ingest.registry import create_key, set_source
from services.replay.send import Answer, Event, Publish, http_publisher

RHYTHM_HOURS = {
    "corebank": 26, "mobile": 12, "online": 24, "pos": 24, "wechat": 24, "atm": 48, "counter": 120, "call_center": 120,
}  # fmt: skip
"""The longest silence that is usual in a bank of a few hundred customers: counters rest over a long weekend."""
BY_HAND_MS = 366 * 24 * HOUR_MS


async def demo_keys(path: Path, stores: Stores, catalogue: Mapping[str, EventType], now_ms: int) -> dict[str, str]:
    """Channel → key. Registered at the first start, and kept in `path` for its owner alone."""
    known = _kept(path)
    if known is not None:
        return known
    # what somebody tries by hand has no rhythm, and must hold nothing back when it stops
    by_hand = Source(id=FIRST_SOURCE, of_record=(EVERY,), heartbeats=False, rhythm_ms=BY_HAND_MS)
    await set_source(stores.sources, by_hand, catalogue)
    keys = {}
    for channel, hours in RHYTHM_HOURS.items():
        # the demo tells of each movement once, on the channel where it happens: whoever tells of it books it
        source = Source(
            id=f"demo-{channel}", channel=channel, of_record=(EVERY,), rhythm_ms=hours * HOUR_MS, heartbeats=False
        )
        await set_source(stores.sources, source, catalogue)
        keys[channel], _ = await create_key(stores.keys, stores.sources, source.id, [channel], now_ms, rate=100_000)
    write_private(path, msgspec.json.encode(keys))
    return keys


def _kept(path: Path) -> dict[str, str] | None:
    return msgspec.json.decode(path.read_bytes(), type=dict[str, str]) if path.exists() else None


def heartbeats(reached_ms: int) -> list[Event]:
    """What each of them says of itself: all that happened before is sent. While the past is being sent, ingest could
    not know that, and silence would look like absence."""
    at = instant(reached_ms)
    return [
        {"id": f"beat-{channel}-{reached_ms}", "type": "source.heartbeat", "channel": channel, "occurred_at": at,
         "attributes": {"complete_up_to": at}}
        for channel in RHYTHM_HOURS
    ]  # fmt: skip


@asynccontextmanager
async def demo_publisher(
    base_url: str, keys: Mapping[str, str], transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[Publish]:
    """Publishes each event with the key of its channel."""
    async with AsyncExitStack() as opened:
        doors = {
            channel: await opened.enter_async_context(http_publisher(base_url, key, transport=transport))
            for channel, key in keys.items()
        }

        async def publish(batch: list[Event]) -> Answer:
            by_channel: dict[str, list[Event]] = {}
            for event in batch:
                by_channel.setdefault(event["channel"], []).append(event)
            answers = await asyncio.gather(*(doors[channel](events) for channel, events in by_channel.items()))
            return _together(answers)

        yield publish


def _together(answers: Sequence[Answer]) -> Answer:
    return Answer(sum(one.accepted for one in answers), [refused for one in answers for refused in one.rejected])
