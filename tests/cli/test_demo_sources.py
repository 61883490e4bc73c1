"""The demo's channel systems: one for each channel, and each event goes out with the key of its own."""

from pathlib import Path

import httpx
import msgspec

from schemas.catalogue import load_catalogue
from schemas.catalogue.loading import CHANNELS
from services.cli.run.credentials import FIRST_SOURCE
from services.cli.run.demo_sources import demo_keys, demo_publisher
from services.ingest.app import Stores
from tests.ingest.memory import MemoryKeyStore, MemorySourceStore

NOW = 1_790_000_000_000


async def test_every_channel_has_a_source_and_a_key_that_a_restart_keeps(tmp_path: Path) -> None:
    stores, path = Stores(MemoryKeyStore(), MemorySourceStore()), tmp_path / "keys"
    keys = await demo_keys(path, stores, load_catalogue(), NOW)
    assert keys.keys() == set(CHANNELS)
    sources = {one.id: one for one in await stores.sources.sources()}
    assert {one.channel for name, one in sources.items() if name != FIRST_SOURCE} == set(CHANNELS)
    assert not sources[FIRST_SOURCE].heartbeats
    assert await demo_keys(path, stores, load_catalogue(), NOW + 1) == keys
    assert path.stat().st_mode & 0o077 == 0


async def test_each_event_goes_out_with_the_key_of_its_channel() -> None:
    sent: dict[str, list[str]] = {}

    def door(request: httpx.Request) -> httpx.Response:
        events = msgspec.json.decode(request.content)["events"]
        sent.setdefault(request.headers["Authorization"], []).extend(event["id"] for event in events)
        rejected = [{"index": 0, "id": "c", "reason": "unknown_field"}] if events[0]["id"] == "c" else []
        return httpx.Response(202, json={"accepted": len(events) - len(rejected), "rejected": rejected})

    keys = {"atm": "cpk_atm", "pos": "cpk_pos"}
    async with demo_publisher("http://bank.test", keys, httpx.MockTransport(door)) as publish:
        answer = await publish(
            [{"id": "a", "channel": "atm"}, {"id": "b", "channel": "pos"}, {"id": "c", "channel": "atm"}]
        )
        refused = await publish([{"id": "c", "channel": "atm"}])
    assert sent == {"Bearer cpk_atm": ["a", "c", "c"], "Bearer cpk_pos": ["b"]}
    assert (answer.accepted, len(answer.rejected)) == (3, 0)
    assert (refused.accepted, len(refused.rejected)) == (0, 1)
