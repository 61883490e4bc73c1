"""A disk that is full, and servers that go away under load: clients are told to come again, nothing accepted is lost or
counted twice, and when the disk or the server is back the work goes on by itself."""

import asyncio
import resource
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
import msgspec
import pytest

from services.cli.run.credentials import Credentials
from services.clock import SystemClock
from tests.conftest import RunningServers
from tests.journeys.platforms import PlatformProcess, counted_by_account, empty_servers, serving, until
from tests.patience import HANG_S
from tests.simulator.load import openings, requests, transactions

CUSTOMERS, BATCH, SENDERS = 30, 20, 4
OUTAGE_S = 12.0
"""Longer than the consumer group's session timeout."""


class Channel:
    """Sends without end from several connections, each batch again until it is answered 202."""

    def __init__(self, known: Credentials) -> None:
        self._known, self._stop = known, False
        self.acknowledged: Counter[str] = Counter()
        self.refused: Counter[int] = Counter()
        self._bodies = self._batches()

    def _batches(self) -> Iterator[bytes]:
        clock = SystemClock()
        yield from requests(map(msgspec.json.encode, openings(CUSTOMERS, clock.now_ms())), BATCH)
        yield from requests(transactions(CUSTOMERS, seed=7, run="outage", clock=clock), BATCH)

    async def send(self) -> None:
        headers = {"Authorization": f"Bearer {self._known.ingest_key}", "Content-Type": "application/json"}
        async with httpx.AsyncClient(base_url=self._known.base_url, headers=headers, timeout=HANG_S) as client:
            while not self._stop:
                await until(partial(self._taken, client, next(self._bodies)), 0.1)

    async def _taken(self, client: httpx.AsyncClient, body: bytes) -> bool:
        answer = await client.post("/v1/events", content=body)
        if answer.status_code == 202:
            assert answer.json()["rejected"] == []
            for event in msgspec.json.decode(body)["events"]:
                self.acknowledged[event["identifiers"]["account_no"]] += 1
            return True
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["Retry-After"]) > 0
        self.refused[answer.status_code] += 1
        return False

    async def accepts(self, more: int) -> None:
        wanted = self.acknowledged.total() + more

        async def reached() -> bool:
            return self.acknowledged.total() >= wanted

        await until(reached)

    async def refuses(self, more: int = 3) -> None:
        wanted = self.refused.total() + more

        async def reached() -> bool:
            return self.refused.total() >= wanted

        await until(reached)

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            for _ in range(SENDERS):
                group.create_task(self.send())
            try:
                yield
            finally:
                self._stop = True

    async def all_counted(self) -> Counter[str]:
        """By account, once there are as many as were accepted."""
        return await counted_by_account(self._known, CUSTOMERS, self.acknowledged.total())


async def test_a_full_disk_is_503_and_everything_accepted_is_there_when_there_is_room_again(tmp_path: Path) -> None:
    process = PlatformProcess(tmp_path)
    channel = Channel(await process.start())
    try:
        async with channel.sending():
            await channel.accepts(1_000)
            before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
            # every write beyond this size of a file fails, as on a full disk
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (64 << 10, before[1]))
            await channel.refuses(20)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)
            await channel.accepts(1_000)
        assert await channel.all_counted() == channel.acknowledged
    finally:
        assert await process.stop() == 0


@pytest.mark.parametrize("server", ["kafka", "postgres"])
async def test_servers_may_go_away_under_load(breakable_servers: RunningServers, tmp_path: Path, server: str) -> None:
    """Redis is away, too; it is back last."""
    async with empty_servers(breakable_servers) as urls:
        redis = breakable_servers.up("redis")["redis"]
        async with serving(tmp_path, **urls, COUNTERPOINT_REDIS=redis) as platform:
            channel = Channel(platform.known)
            async with channel.sending():
                await channel.accepts(500)
                await asyncio.to_thread(breakable_servers.stop, "redis")
                await channel.accepts(200)
                await asyncio.to_thread(breakable_servers.stop, server)
                if server == "kafka":
                    await channel.refuses()
                await asyncio.sleep(OUTAGE_S)
                await asyncio.to_thread(breakable_servers.start, server)
                await channel.accepts(500)
                await asyncio.to_thread(breakable_servers.start, "redis")
                await channel.accepts(200)
            assert await channel.all_counted() == channel.acknowledged
