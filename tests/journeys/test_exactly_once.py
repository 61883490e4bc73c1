"""`kill -9` of the whole platform under load: every event that got a 202 is in the views, once."""

import asyncio
from collections import Counter
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random

import httpx
import msgspec

from services.cli.run.credentials import Credentials
from services.clock import SystemClock
from tests.journeys.platforms import PlatformProcess, counted_by_account, until
from tests.simulator.load import openings, requests, transactions

CUSTOMERS, EVENTS, BATCH, KILLS = 40, 4_000, 50, 2
SEED = 5


class Channel:
    """One of a few that send at the same time, each batch again until it is answered 202."""

    def __init__(self, platform: "Address", batches: list[bytes], acknowledged: Counter[str]) -> None:
        self._platform, self._batches, self._acknowledged = platform, batches, acknowledged

    async def send(self) -> None:
        while self._batches:
            await until(partial(self._post, self._batches.pop()))

    async def _post(self, body: bytes) -> bool:
        headers = {"Authorization": f"Bearer {self._platform.known.ingest_key}", "Content-Type": "application/json"}
        try:
            async with httpx.AsyncClient(base_url=self._platform.known.base_url, headers=headers) as client:
                answer = await client.post("/v1/events", content=body)
        except httpx.TransportError:
            return False
        if answer.status_code in (429, 503):
            return False
        assert answer.status_code == 202, answer.text
        for event in msgspec.json.decode(body)["events"]:
            self._acknowledged[event["identifiers"]["account_no"]] += 1
        return True


class Address:
    """Where the platform listens now: another port after each start."""

    def __init__(self, known: Credentials) -> None:
        self.known = known


async def test_every_acknowledged_event_is_in_the_views_once_after_the_platform_was_killed(tmp_path: Path) -> None:
    random, clock, platform = Random(SEED), SystemClock(), PlatformProcess(tmp_path)
    address = Address(await platform.start())
    acknowledged: Counter[str] = Counter()
    made = islice(transactions(CUSTOMERS, seed=SEED, run="kill", clock=clock), EVENTS)
    events = [*map(msgspec.json.encode, openings(CUSTOMERS, clock.now_ms())), *made]
    batches = list(requests(events, BATCH))
    random.shuffle(batches)
    count = len(batches)
    sending = [asyncio.create_task(Channel(address, batches, acknowledged).send()) for _ in range(4)]
    for kill in range(1, KILLS + 1):
        left = count * (KILLS - kill + random.random()) / (KILLS + 1)
        await until(partial(_fewer, batches, left), 0.005)
        platform.kill()
        address.known = await platform.start()
    await asyncio.gather(*sending)
    try:
        assert sum(acknowledged.values()) == len(events)
        assert await counted_by_account(address.known, CUSTOMERS, acknowledged.total()) == acknowledged
    finally:
        assert await platform.stop() == 0


async def _fewer(batches: list[bytes], most: float) -> bool:
    return len(batches) <= most
