"""The platform as it is run: on the servers with a process for each service and step, or one process on files."""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import httpx
import msgspec

from deploy.local_servers.system import free_port
from deploy.topology import SERVICES
from services.access import SqlUserStore
from services.cli.run.credentials import Credentials, credentials
from services.ingest.adapters.sql import SqlKeyStore, SqlSourceStore
from services.ingest.app import Stores
from services.sql.database import open_database
from services.sql.migrations import upgrade
from tests.benchmarks.child import ROOT, Child
from tests.benchmarks.generator import Done, Order
from tests.benchmarks.instrumented import Sample, read_samples
from tests.benchmarks.usage import server_processes
from tests.benchmarks.workshop import SECRET
from tests.conftest import started_servers

LOOK_S = 0.5
"""Between two looks whether all is done: each takes the processes some 10 ms together, while they still work."""


class Platform:
    """`measured`: where metrics are. `processes`: name → process id, for their CPU. `sampled`: what the profile
    measured, once it has stopped."""

    def __init__(
        self, ingest_url: str, read_url: str, measured: Sequence[str], known: Credentials, processes: Mapping[str, int]
    ) -> None:
        self.ingest_url, self.read_url, self.known, self.processes = ingest_url, read_url, known, processes
        self.sampled: list[Sample] = []
        self._measured, self._client = measured, httpx.AsyncClient(timeout=30.0)

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
        return msgspec.convert({"url": self.read_url, "token": self.known.agent_token, **order}, Order)

    async def open_accounts(self, customers: int) -> None:
        """Again where a request was told to come again; what was sent twice counts once. Ends at rest."""
        while (await self.drive(self.posting(kind="openings", customers=customers))).failed:
            pass
        await self.rest(customers)

    async def progress(self) -> "Progress":
        text = "".join([(await self._client.get(f"{url}/metrics")).text for url in self._measured])
        lag = sum(_highest(text, "lag", 'topic="channel-events"'))
        return Progress(lag, sum(_highest(text, "marks_waiting")), _sum(text, "events_applied_total"))

    async def rest(self, applied: float) -> None:
        """Waits until so many events are applied, and no customer waits for its refresh."""
        while True:
            now = await self.progress()
            if now.applied >= applied and not now.marks:
                return
            await asyncio.sleep(LOOK_S)


class Progress(NamedTuple):
    """`lag`: events not yet applied, as the profile last measured. `marks`: customers not yet refreshed."""

    lag: float
    marks: float
    applied: float


def _sum(text: str, name: str) -> float:
    return sum(float(value) for _, value in _told(text, name))


def _highest(text: str, name: str, label: str = "") -> Iterable[float]:
    """For each set of labels: what several processes tell of the same partition, at moments of their own."""
    found: dict[str, float] = {}
    for labels, value in _told(text, name):
        if label in labels:
            found[labels] = max(float(value), found.get(labels, 0.0))
    return found.values()


def _told(text: str, name: str) -> list[tuple[str, str]]:
    return re.findall(rf"^counterpoint_{name}(?:\{{([^}}]*)\}})? (\S+)$", text, re.MULTILINE)


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
        platform = Platform(url, url, [url], known, {"the platform": child.pid})
        yield platform
        closing.close()
        platform.sampled = read_samples(samples)


@asynccontextmanager
async def served_platform() -> AsyncIterator[Platform]:
    with TemporaryDirectory(prefix="counterpoint-benchmark-") as name, started_servers() as servers, ExitStack() as end:
        directory, children, urls = Path(name), dict[str, Child](), servers.up()
        ports = {name: free_port() for name in SERVICES}
        address = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        known = await _credentials(urls["postgres"], directory, address["ingest"])
        environment = {
            "COUNTERPOINT_LOG": urls["kafka"], "COUNTERPOINT_DATABASE": urls["postgres"],
            "COUNTERPOINT_REDIS": urls["redis"], "COUNTERPOINT_SECRET": SECRET.decode(), "COUNTERPOINT_DATA": name,
            "COUNTERPOINT_LOG_LEVEL": "warning",
        }  # fmt: skip
        samples = {name: directory / f"{name}.samples" for name, service in SERVICES.items() if service.steps}
        for name, service in reversed(list(SERVICES.items())):
            own = {"COUNTERPOINT_PORT": str(ports[name]), "COUNTERPOINT_PROFILE_STEPS": service.steps}
            measuring = ["tests.benchmarks.instrumented", str(samples.get(name)), "profile"]
            command = measuring if name in samples else list(service.command)
            children[name] = Child(command, {**environment, **own}, directory / f"{name}.log", service.nice)
            end.callback(children[name].stop)
            await children[name].serves(address[name])
        processes = {name: child.pid for name, child in children.items()} | server_processes(servers, urls)
        measured = [address[name] for name in samples]
        platform = Platform(address["ingest"], address["profile-read"], measured, known, processes)
        yield platform
        end.close()
        platform.sampled = [one for path in samples.values() for one in read_samples(path)]


async def _credentials(database_url: str, directory: Path, base_url: str) -> Credentials:
    database = open_database(database_url)
    try:
        await upgrade(database)
        stores = Stores(SqlKeyStore(database), SqlSourceStore(database))
        now_ms = time.time_ns() // 1_000_000
        return await credentials(directory / "keys", base_url, stores, SqlUserStore(database), now_ms)
    finally:
        await database.close()
