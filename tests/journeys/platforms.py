"""A whole platform with its first key and token, in this process or in one of its own: for stories that need all."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import msgspec

from schemas.topics import TOPICS
from services.cli.run.credentials import Credentials, credentials
from services.cli.run.platform import Platform, running_platform
from services.clock import SystemClock
from services.kafka.cluster import administering
from services.profile.adapters.sql import SqlProfileStore
from services.profile.domain.identity.customer_ids import customer_id
from services.settings import Settings, read_settings
from services.simulator.bank import account_no
from services.sql.database import open_database
from tests.conftest import RunningServers, fresh_database
from tests.patience import HANG_S
from tests.profile.told import SECRET

ROOT = Path(__file__).resolve().parents[2]


class Serving(NamedTuple):
    """`store` is another connection to the platform's database; `reader` an HTTP client with an agent's token."""

    platform: Platform
    known: Credentials
    store: SqlProfileStore
    reader: httpx.AsyncClient

    def counted(self, metric: str) -> int:
        """The sum of a counter over its labels."""
        lines = self.platform.metrics.render().decode().splitlines()
        found = [line for line in lines if line.startswith(f"counterpoint_{metric}_total")]
        return int(sum(float(line.rpartition(" ")[2]) for line in found))

    async def all_visible(self, accepted: int) -> None:
        """Waits until every accepted event is applied or a repeat, and every view is fresh."""

        async def worked_off() -> bool:
            done = self.counted("events_applied") + self.counted("events_repeated")
            return done >= accepted and not (await self.store.counts())["marks"]

        await until(worked_off)


async def until(happened: Callable[[], Awaitable[bool]], pause_s: float = 0.05) -> None:
    """Looks again and again at what happens elsewhere. Raises TimeoutError when it hangs."""
    async with asyncio.timeout(HANG_S):
        while not await happened():  # noqa: ASYNC110 - other processes set no event of ours
            await asyncio.sleep(pause_s)


async def counted_by_account(known: Credentials, accounts: int, least: int) -> Counter[str]:
    """Account → how many events its customer's view counts, once all together count as many as `least`."""
    headers = {"Authorization": f"Bearer {known.agent_token}"}
    found: Counter[str] = Counter()
    async with httpx.AsyncClient(base_url=known.base_url, headers=headers, timeout=HANG_S) as reader:

        async def all_there() -> bool:
            found.clear()
            for account in map(account_no, range(accounts)):
                answer = await reader.get("/v1/customers", params={"account_no": account})
                for view in answer.raise_for_status().json()["customers"]:
                    found[account] += sum(used["count"] for used in view["channels"].values())
            return found.total() >= least

        await until(all_there, 0.5)
    return found


@asynccontextmanager
async def serving(directory: Path, **variables: str) -> AsyncIterator[Serving]:
    """`variables`: where log and database are not the embedded ones, and what a deployment chooses."""
    settings = settings_of(directory, variables)
    async with running_platform(settings, variables) as platform:
        now = SystemClock().now_ms()
        place = directory / "credentials.json"
        known = await credentials(place, platform.base_url, platform.stores, platform.users, now)
        database = open_database(settings.database)
        store = SqlProfileStore(database, lambda subject: customer_id(subject, SECRET))
        headers = {"Authorization": f"Bearer {known.agent_token}"}
        async with httpx.AsyncClient(base_url=platform.base_url, headers=headers, timeout=HANG_S) as reader:
            yield Serving(platform, known, store, reader)
        await database.close()


@asynccontextmanager
async def empty_servers(servers: RunningServers) -> AsyncIterator[dict[str, str]]:
    """Kafka without our topics, and an empty database: as variables for `serving`."""
    urls = servers.up("kafka", "postgres")
    ours = {topic.name for topic in TOPICS}
    async with administering({"bootstrap_servers": urlsplit(urls["kafka"]).netloc}) as admin, asyncio.timeout(HANG_S):
        while left := ours & set(await admin.list_topics()):
            await admin.delete_topics(sorted(left))
            await asyncio.sleep(0.2)
    async with fresh_database(urls["postgres"]) as database:
        yield {"COUNTERPOINT_LOG": urls["kafka"], "COUNTERPOINT_DATABASE": database}


def settings_of(directory: Path, variables: Mapping[str, str]) -> Settings:
    said = {"COUNTERPOINT_DATA": str(directory), "COUNTERPOINT_PORT": "0", "COUNTERPOINT_SECRET": SECRET.decode()}
    return read_settings({**said, **variables})


class PlatformProcess:
    """`counterpoint run --no-simulator` in a process of its own, to be killed and started again."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._file, self._log = directory, directory / "told.json", directory / "platform.log"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> Credentials:
        self._file.unlink(missing_ok=True)
        self._process = await asyncio.to_thread(self._started)
        await until(self._serves)
        return msgspec.convert(json.loads(self._file.read_text()), Credentials)

    def _started(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "services.cli", "run", "--data", str(self._directory / "var"), "--port", "0",
                   "--no-simulator", "--credentials-file", str(self._file)]  # fmt: skip
        with self._log.open("ab") as output:
            return subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stdout=output, stderr=output)

    async def _serves(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()[-3000:]
        return self._file.exists()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    async def stop(self) -> int:
        """The exit code after SIGTERM."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self._process.wait, HANG_S)
