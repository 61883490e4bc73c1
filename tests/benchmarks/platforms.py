"""The platform as it is run, in processes of its own: ingest and profile on the servers, or one process on files."""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import httpx
import msgspec

from deploy.local_servers.system import free_port
from services.access import SqlUserStore
from services.cli.credentials import Credentials, credentials
from services.database import open_database
from services.ingest.adapters.sql import SqlKeyStore, SqlSourceStore
from services.ingest.app import Stores
from services.migrations import upgrade
from tests.benchmarks.child import ROOT, Child
from tests.benchmarks.generator import Done, Order
from tests.benchmarks.instrumented import Sample, read_samples
from tests.benchmarks.usage import server_processes
from tests.benchmarks.workshop import SECRET
from tests.conftest import started_servers


class Platform:
    """`processes`: name → process id, for their CPU. `sampled`: what the profile measured, once it has stopped."""

    def __init__(self, ingest_url: str, profile_url: str, known: Credentials, processes: Mapping[str, int]) -> None:
        self.ingest_url, self.profile_url, self.known, self.processes = ingest_url, profile_url, known, processes
        self.sampled: list[Sample] = []
        self._client = httpx.AsyncClient(base_url=profile_url, timeout=30.0)

    async def drive(self, order: Order) -> Done:
        """Runs a generator to its end."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.benchmarks.generator", msgspec.json.encode(order).decode(),
            cwd=ROOT, stdout=subprocess.PIPE,
        )  # fmt: skip
        told, _ = await process.communicate()
        return msgspec.json.decode(told, type=Done)

    def posting(self, **order: object) -> Order:
        return msgspec.convert({"url": self.ingest_url, "token": self.known.ingest_key, **order}, Order)

    def reading(self, **order: object) -> Order:
        return msgspec.convert({"url": self.profile_url, "token": self.known.agent_token, **order}, Order)

    async def progress(self) -> "Progress":
        text = (await self._client.get("/metrics")).text
        return Progress(_sum(text, "lag", 'topic="channel-events"'), _sum(text, "marks_waiting"),
                        _sum(text, "events_applied_total"))  # fmt: skip

    async def rest(self, applied: float) -> None:
        """Waits until so many events are applied, and no customer waits for its refresh."""
        while True:
            now = await self.progress()
            if now.applied >= applied and not now.marks:
                return
            await asyncio.sleep(0.1)


class Progress(NamedTuple):
    """`lag`: events not yet applied, as the profile last measured. `marks`: customers not yet refreshed."""

    lag: float
    marks: float
    applied: float


def _sum(text: str, name: str, label: str = "") -> float:
    found = re.findall(rf"^counterpoint_{name}(?:\{{([^}}]*)\}})? (\S+)$", text, re.MULTILINE)
    return sum(float(value) for labels, value in found if label in labels)


@asynccontextmanager
async def embedded_platform() -> AsyncIterator[Platform]:
    with TemporaryDirectory(prefix="counterpoint-benchmark-") as name, ExitStack() as closing:
        directory, port = Path(name), free_port()
        samples, secret_file, url = directory / "samples", directory / "credentials", f"http://127.0.0.1:{port}"
        options = ["--data", name, "--port", str(port), "--no-simulator", "--credentials-file", str(secret_file)]
        child = Child(["tests.benchmarks.instrumented", str(samples), "run", *options], {}, directory / "run.log")
        closing.callback(child.stop)
        await child.serves(url)
        while not secret_file.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.05)
        known = msgspec.json.decode(secret_file.read_bytes(), type=Credentials)
        platform = Platform(url, url, known, {"the platform": child.pid})
        yield platform
        closing.close()
        platform.sampled = read_samples(samples)


@asynccontextmanager
async def served_platform() -> AsyncIterator[Platform]:
    with TemporaryDirectory(prefix="counterpoint-benchmark-") as name, started_servers() as servers, ExitStack() as end:
        directory, samples, ports = Path(name), Path(name) / "samples", (free_port(), free_port())
        ingest_url, profile_url = (f"http://127.0.0.1:{port}" for port in ports)
        urls = servers.up()
        known = await _credentials(urls["postgres"], directory, ingest_url)
        environment = {
            "COUNTERPOINT_LOG": urls["kafka"], "COUNTERPOINT_DATABASE": urls["postgres"],
            "COUNTERPOINT_REDIS": urls["redis"], "COUNTERPOINT_SECRET": SECRET.decode(), "COUNTERPOINT_DATA": name,
            "COUNTERPOINT_LOG_LEVEL": "warning",
        }  # fmt: skip
        children = {}
        for service, command, port in (
            ("profile", ["tests.benchmarks.instrumented", str(samples), "profile"], ports[1]),
            ("ingest", ["services.ingest"], ports[0]),
        ):
            log = directory / f"{service}.log"
            children[service] = Child(command, {**environment, "COUNTERPOINT_PORT": str(port)}, log)
            end.callback(children[service].stop)
            await children[service].serves(f"http://127.0.0.1:{port}")
        processes = {name: child.pid for name, child in children.items()} | server_processes(servers, urls)
        platform = Platform(ingest_url, profile_url, known, processes)
        yield platform
        end.close()
        platform.sampled = read_samples(samples)


async def _credentials(database_url: str, directory: Path, base_url: str) -> Credentials:
    database = open_database(database_url)
    try:
        await upgrade(database)
        stores = Stores(SqlKeyStore(database), SqlSourceStore(database))
        now_ms = time.time_ns() // 1_000_000
        return await credentials(directory / "keys", base_url, stores, SqlUserStore(database), now_ms)
    finally:
        await database.close()
