"""The database comes back from the backup of this morning, while the log holds the whole day."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import asyncpg
import pytest

from schemas.codec import decode_alert, decode_change
from schemas.topics import ALERTS, PROFILE_CHANGES, Topic
from services.alerts.adapters.sql import SqlAlertStore
from services.cli.run.credentials import FIRST_SOURCE
from services.clock import SystemClock
from services.deployment import open_log
from tests.journeys.bank import Bank, Json, ago, event, opened
from tests.journeys.operating import Operator, day_of
from tests.journeys.platforms import Serving, empty_servers, serving, settings_of, until
from tests.profile.expected import differences, expected, held
from tests.profile.told import admitted, new_fold

T = TypeVar("T")


class Deployment:
    """One log and one database, which is copied while nothing runs."""

    def __init__(self, data: Path, chosen: Mapping[str, str]) -> None:
        self._data, self._chosen = data, dict(chosen)
        self.settings, self.operator = settings_of(data, self._chosen), Operator(data, self._chosen)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[tuple[Serving, Bank]]:
        async with serving(self._data, **self._chosen) as platform, opened(platform.known, self._data) as bank:
            yield platform, bank

    async def back_up(self) -> None:
        await copy(self.settings.database, f"{self.settings.database}_backup")

    async def restore(self) -> None:
        await copy(f"{self.settings.database}_backup", self.settings.database)

    async def has_worked(self, platform: Serving, events: int) -> bool:
        """So many events, to the alerts that follow from them."""
        counts = await platform.store.counts()
        if (counts["events"], counts["marks"]) != (events, 0) or not await self.operator.has_all_worked():
            return False
        stores = platform.store, SqlAlertStore(platform.store._database)
        return not any([await store.lanes_waiting() for store in stores])

    async def told(self, topic: Topic, decode: Callable[[bytes], T]) -> list[T]:
        """All that the topic holds, of each customer in order."""
        log = open_log(self.settings, SystemClock())
        ends = await log.ends(topic.name)
        records = [
            await log.record(topic.name, part, n) for part, (first, end) in ends.items() for n in range(first, end)
        ]
        await log.close()
        return [decode(one.value) for one in records if one is not None]


async def copy(this: str, there: str) -> None:
    if this.startswith("sqlite:"):
        files = [url.removeprefix("sqlite:") for url in (this, there)]
        with closing(sqlite3.connect(files[0])) as source, closing(sqlite3.connect(files[1])) as target:
            source.backup(target)
        return
    names = [urlsplit(url).path.removeprefix("/") for url in (this, there)]
    server = await asyncpg.connect(urlsplit(this)._replace(path="/postgres").geturl())
    await server.execute(f"DROP DATABASE IF EXISTS {names[1]}")
    await server.execute(f"CREATE DATABASE {names[1]} TEMPLATE {names[0]}")
    await server.close()


def complaint(bank: Bank, name: str) -> Json:
    return event("case.opened", ago(1), "call_center", customer_no=bank.no(name), case_id=bank.no(f"case-{name}"),
                 case_kind="complaint")  # fmt: skip


async def act(bank: Bank, alert: str, step: str, **body: str) -> None:
    answer = await bank.http.post(f"/v1/alerts/{alert}/{step}", json=body, headers=bank.as_("manager"))
    assert answer.status_code == 200, answer.text


async def alerts_of(bank: Bank) -> dict[str, Json]:
    return {one["alert_id"]: one for one in (await bank.get("/v1/alerts", "manager"))["alerts"]}


def situations(alerts: Mapping[str, Json]) -> set[tuple[str, str]]:
    return {(one["customer_id"], one["situation"]) for one in alerts.values()}


@pytest.mark.parametrize("log", ["embedded", "servers"])
async def test_after_a_restore_the_day_is_worked_again_and_readers_of_the_topics_end_at_what_holds(
    request: pytest.FixtureRequest, tmp_path: Path, log: str
) -> None:
    async with AsyncExitStack() as at_the_end:
        urls = {}
        if log == "servers":
            urls = await at_the_end.enter_async_context(empty_servers(request.getfixturevalue("breakable_servers")))
        deployment, events = Deployment(tmp_path / "var", urls), list[Json]()

        async def live(platform: Serving, bank: Bank, told: list[Json]) -> None:
            events.extend(told)
            if told:
                await bank.tell(*told)
            await until(partial(deployment.has_worked, platform, len(events)))

        async with deployment.running() as (platform, bank):
            first, rounds = bank, day_of(bank)
            await live(platform, bank, [one for some in rounds[:5] for one in some])
            [known] = await alerts_of(bank)
        await deployment.back_up()
        async with deployment.running() as (platform, bank):
            await live(platform, bank, [*rounds[5], complaint(first, "busy1")])
            for step in ("claim", "contact"):
                await act(bank, known, step)
            before = await alerts_of(bank)
        await deployment.restore()
        await deployment.operator.says("db", "restored")
        async with deployment.running() as (platform, bank):
            await live(platform, bank, [])
            accepted = [admitted(one, source=FIRST_SOURCE, now=SystemClock().now_ms()) for one in events]
            assert differences(expected(accepted, new_fold()), await held(platform.store)) == []
            assert situations(await alerts_of(bank)) == situations(before)
            await live(platform, bank, [*rounds[6], complaint(first, "busy2")])
            await act(bank, known, "claim")
            await live(platform, bank, [])
            alerts = await alerts_of(bank)
            views = [await bank.get(f"/v1/customers/{one['customer_id']}") for one in alerts.values()]
        changes = await deployment.told(PROFILE_CHANGES, decode_change)
        steps = await deployment.told(ALERTS, decode_alert)
        assert {one.customer_id: one.version for one in sorted(changes, key=lambda one: one.version)}.items() >= {
            (view["customer_id"], view["version"]) for view in views
        }
        assert len(alerts) == len(before) + 1
        # an alert that was opened after the backup may have come back under another id
        assert {one.alert_id: one.state for one in sorted(steps, key=lambda one: one.revision)}.items() >= {
            (name, one["state"]) for name, one in alerts.items()
        }
