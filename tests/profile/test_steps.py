"""A process may do some of the profile's steps alone; several, side by side, do all of it."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from deploy.local_servers.system import free_port
from schemas.catalogue import load_catalogue
from schemas.codec import encode_event
from schemas.events import ChannelEvent
from schemas.topics import CHANNEL_EVENTS
from services import metrics as measure
from services.access import create_user
from services.clock import SystemClock
from services.embedded.log import EmbeddedLog
from services.failures import Unavailable
from services.log import Message
from services.metrics import Metrics
from services.notifications import LocalNotifications, Notifications
from services.outage import Outage
from services.pace import every
from services.plumbing import Plumbing
from services.profile import stream
from services.profile.app import Profile, open_profile
from services.profile.domain.identity.customer_ids import customer_id
from services.profile.giving_way import MARKS_AT_ONCE
from services.profile.ports.reading import Resolved
from services.profile.ports.records import StoredView
from services.profile.settings import STEPS, Choices, Step, read_choices
from services.profile.sources import Freshness
from services.redis import open_notifications
from services.settings import SettingsError
from services.sql.database import open_database
from services.sql.migrations import upgrade
from services.web import live
from services.web.asgi import serve
from services.web.staff import mounted
from tests.event_streams import sent
from tests.journeys.platforms import until
from tests.patience import HANG_S
from tests.profile.told import NAMING, NOW, opened, told
from tests.users import MemoryUserStore

ACCOUNT = "account:6001"


class Heard(LocalNotifications):
    """Keeps the topics of what was published together."""

    def __init__(self) -> None:
        super().__init__()
        self.together: list[list[str]] = []

    async def publish(self, messages: Iterable[tuple[str, bytes]]) -> None:
        listed = list(messages)
        self.together.append([topic for topic, _ in listed])
        await super().publish(listed)


class Deployment:
    """One log and one database; `doing` starts a worker for some steps, as a process of its own would. `redis`: a URL,
    where there is one."""

    def __init__(self, directory: Path, redis: str = "") -> None:
        self.users = MemoryUserStore()
        self.screens: Callable[[], Notifications] = partial(open_notifications, redis) if redis else LocalNotifications
        self._log = EmbeddedLog(directory / "log", clock=SystemClock())
        self._database = open_database(f"sqlite:{directory / 'profile.db'}")

    async def made(self, *steps: Step) -> Profile:
        await upgrade(self._database)
        plumbing = Plumbing(self._log, self._database, self.screens(), SystemClock(), Metrics())
        return await open_profile(plumbing, self.users, NAMING, load_catalogue(), Choices(steps=steps))

    @asynccontextmanager
    async def doing(self, *steps: Step) -> AsyncIterator[Profile]:
        profile = await self.made(*steps)
        work = asyncio.ensure_future(profile.work())
        try:
            yield profile
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
            await profile.worker.notifications.close()

    async def tell(self, account: str = "6001", accepted_at: int = NOW, customer: str = "77") -> None:
        await self.append([msgspec.structs.replace(opened(account, customer, NOW), accepted_at=accepted_at)])

    async def append(self, events: Iterable[ChannelEvent]) -> None:
        messages = [Message(event.subject.encode(), encode_event(event)) for event in events]
        await self._log.append(CHANNEL_EVENTS.name, messages)

    async def close(self) -> None:
        await self._log.close()
        await self._database.close()


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    made = Deployment(tmp_path)
    yield made
    await made.close()


async def customers_of_account(profile: Profile) -> list[Resolved]:
    async with profile.worker.store.customers() as look:
        return [one for one in await look.resolve([ACCOUNT]) if one.waits or one.is_live]


async def written(profile: Profile) -> StoredView:
    """The customer's, once it has been refreshed."""

    async def is_written() -> bool:
        return any(one.is_live and not one.waits for one in await customers_of_account(profile))

    await until(is_written)
    [found] = await customers_of_account(profile)
    assert found.view is not None
    return found.view


def counted(profile: Profile, metric: measure.HistogramMetric) -> int:
    name = f"counterpoint_{metric.name}_count"
    lines = profile.worker.metrics.render().decode().splitlines()
    return int(sum(float(line.split()[1]) for line in lines if line.startswith(name)))


async def test_update_alone_makes_an_event_visible_and_leaves_the_refreshing_to_others(deployment: Deployment) -> None:
    async with deployment.doing("update") as updating:
        await deployment.tell()

        async def applied() -> bool:
            return bool(await customers_of_account(updating))

        await until(applied)
        await asyncio.sleep(0.2)
        [found] = await customers_of_account(updating)
        assert (found.lead, found.view, found.waits) == ("party:77", None, True)
        assert not updating.worker.leases
        assert counted(updating, measure.ACCEPTED_TO_VISIBLE) == 1
    async with deployment.doing("refresh") as refreshing:

        async def refreshed() -> bool:
            return not await refreshing.worker.store.marks_waiting()

        await until(refreshed)
        [found] = await customers_of_account(refreshing)
        assert (found.is_live, found.waits) == (True, False)
        assert counted(refreshing, measure.ACCEPTED_TO_CHANGED) == 1
        assert counted(refreshing, measure.ACCEPTED_TO_VISIBLE) == 0


async def test_refresh_gives_way_where_what_it_finds_was_applied_late(deployment: Deployment) -> None:
    async with deployment.doing("update", "refresh") as profile:
        await deployment.tell(accepted_at=SystemClock().now_ms() - 10_000)

        async def is_pressed() -> bool:
            return profile.worker.giving_way.is_pressed

        await until(is_pressed)


async def test_an_urgent_event_is_told_before_everyday_business_that_waited_longer(deployment: Deployment) -> None:
    customers = MARKS_AT_ONCE + 200
    said = {"case_kind": "complaint"}
    complaint = told("case.opened", "e-1", NOW, case_id="1", customer_no="C599", attributes=said)
    async with deployment.doing("update") as updating:
        await deployment.append([opened(f"60{number:04}", f"C{number}", NOW) for number in range(customers)])
        await deployment.append([complaint])

        async def applied() -> bool:
            return sum((await updating.worker.store.marks_waiting()).values()) >= customers + 1

        await until(applied)
    heard = Heard()
    deployment.screens = lambda: heard
    async with deployment.doing("refresh") as refreshing:

        async def heard_of_all() -> bool:
            return sum(map(len, heard.together)) >= customers

        await until(heard_of_all)
        assert counted(refreshing, measure.URGENT_TO_CHANGED) == 2  # the case stood for itself until it was linked
    assert heard.together[0] == [f"customer/{customer_id('party:C599', NAMING.secret)}"]
    assert sum(map(len, heard.together)) == customers


@pytest.mark.parametrize("step", ["refresh", "read"])
async def test_who_does_not_update_takes_no_event(deployment: Deployment, step: Step) -> None:
    async with deployment.doing(step) as profile:
        await deployment.tell()
        await asyncio.sleep(0.3)
        assert await customers_of_account(profile) == []
        assert bool(profile.worker.leases) == (step == "refresh")
        assert await profile.checks["profile"]() is None


async def test_a_process_that_only_reads_tells_once_that_the_database_refuses_it(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    renew, refusals = Freshness.renew, [Unavailable("the database is away", 0.01)] * 3
    is_back = asyncio.Event()

    async def refused(self: Freshness, *asked: Any) -> None:
        if refusals:
            raise refusals.pop()
        await renew(self, *asked)
        is_back.set()

    async def soon(seconds: float, work: Callable[[], Awaitable[object]], outage: Outage | None = None) -> None:
        await every(0.0, work, outage)

    monkeypatch.setattr(Freshness, "renew", refused)
    monkeypatch.setattr(stream, "every", soon)
    with capture_logs() as told:
        async with asyncio.timeout(HANG_S), deployment.doing("read"):
            await is_back.wait()
    assert [one["event"] for one in told] == ["profile waits", "profile goes on"]


async def test_the_steps_side_by_side_do_the_whole(deployment: Deployment) -> None:
    async with deployment.doing("read") as reading, deployment.doing("update"), deployment.doing("refresh"):
        await deployment.tell()
        view = await written(reading)
        assert msgspec.json.decode(view.body)["accounts"][0]["account_no"] == "6001"


@pytest.mark.parametrize("place", ["redis", "none"])
async def test_a_screen_at_a_process_that_only_reads_follows_what_others_refresh(
    tmp_path: Path, place: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told by Redis, it need not look by itself; without Redis it looks now and then."""
    if place == "redis":
        monkeypatch.setattr(live, "LOOK_EVERY", 1_000_000)
    else:
        monkeypatch.setattr(live, "WAKE_S", 0.05)
    deployment = Deployment(tmp_path, request.getfixturevalue("redis_url") if place == "redis" else "")
    token, _ = await create_user(deployment.users, "an agent", "agent", NOW)
    async with deployment.doing("read") as reading, deployment.doing("update", "refresh"):
        await deployment.tell()
        view = await written(reading)
        server = await serve(mounted(reading.app), grace_s=1)
        headers = {"authorization": f"Bearer {token}"}
        async with (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", headers=headers, timeout=HANG_S) as client,
            client.stream("GET", f"/v1/customers/{view.customer_id}/live") as answer,
        ):
            lines = answer.aiter_lines()
            assert await accounts_shown(lines) == {"6001"}
            await deployment.tell("6002")
            assert await accounts_shown(lines) == {"6001", "6002"}
        await server.stop()
    await deployment.close()


async def accounts_shown(lines: AsyncIterator[str]) -> set[str]:
    """By the next view of a stream."""
    _, _, view = await sent(lines)
    return {one["account_no"] for one in view["accounts"]}


@pytest.mark.parametrize(("only", "status"), [(["update", "refresh"], 404), (["read"], 401)])
async def test_a_process_answers_readers_only_where_reading_is_among_its_steps(
    tmp_path: Path, only: list[str], status: int
) -> None:
    port = free_port()
    options = ["--data", str(tmp_path), "--port", str(port), *(f"--only={step}" for step in only)]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "services.cli", "profile", *options)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

        async def ready() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return (await client.get("/health/ready")).is_success
            return False

        await until(ready)
        assert (await client.get("/v1/customers?account_no=nobody")).status_code == status
        described = await client.get("/v1/openapi.json")
        assert described.status_code == (404 if status == 404 else 200)
        assert status == 404 or "/v1/customers" in described.json()["paths"]
        assert "counterpoint_accepted_to_visible_seconds" in (await client.get("/metrics")).text
    process.terminate()
    assert await process.wait() == 0


async def test_a_process_that_would_count_an_event_type_that_nobody_declares_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "series.yaml").write_text("version: 1\nseries: [{name: closed, where: {types: [acount.closed]}}]\n")
    environment = {**os.environ, "COUNTERPOINT_PROFILE_CATALOGUE": str(tmp_path)}
    options = ["--data", str(tmp_path / "var"), "--port", "0"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli", "profile", *options, env=environment, stderr=asyncio.subprocess.PIPE
    )
    _, told = await process.communicate()
    assert process.returncode == 1
    assert b"series.yaml:2: series.closed.where.types.0: no event type is called acount.closed" in told


def test_a_process_does_everything_unless_it_is_told_what() -> None:
    assert read_choices({}).steps == STEPS
    assert read_choices({"COUNTERPOINT_PROFILE_STEPS": ""}).steps == STEPS
    assert read_choices({"COUNTERPOINT_PROFILE_STEPS": "update,refresh"}).steps == ("update", "refresh")
    with pytest.raises(SettingsError, match=r"COUNTERPOINT_PROFILE_STEPS.*update, refresh, read"):
        read_choices({"COUNTERPOINT_PROFILE_STEPS": "update,hunter2"})
