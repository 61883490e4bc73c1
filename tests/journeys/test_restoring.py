"""The database comes back from the backup of this morning, while the log holds the whole day."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import asyncpg
import pytest
from msgspec.json import decode

from schemas.changes import GONE
from schemas.codec import decode_alert, decode_change
from schemas.topics import ALERTS, CHANNEL_EVENTS, PROFILE_CHANGES, Topic
from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.ports import AlertFilter
from services.cli.beside import log_to_read
from services.cli.refusals import Refusal
from services.cli.restoring import hear_beyond
from services.cli.run.credentials import FIRST_SOURCE
from services.clock import SystemClock
from services.log import Position
from services.sql.session import read
from tests.journeys.bank import Bank, Json, ago, event, opened
from tests.journeys.operating import Operator, day_of
from tests.journeys.platforms import Serving, empty_servers, serving, settings_of, until
from tests.profile.expected import differences, expected, held
from tests.profile.told import admitted, new_fold

T = TypeVar("T")


class FromTheBeginning:
    """A reader who was nowhere yet."""

    async def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, Position]:
        return {}


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

    async def skips_what_was_told(self) -> bool:
        """Nobody acts on changes and alerts of the hours that are lost; their events are worked again."""
        waiting = {one["topic"] for one in await self.operator.sees("positions", "show") if one["lag"]}
        return waiting == {CHANNEL_EVENTS.name}

    async def has_worked(self, platform: Serving, events: int) -> bool:
        """So many events, to the alerts that follow from them."""
        counts = await platform.store.counts()
        if (counts["events"], counts["marks"]) != (events, 0) or not await self.operator.has_all_worked():
            return False
        stores = platform.store, SqlAlertStore(platform.store._database)
        return not any([await store.lanes_waiting() for store in stores])

    async def told(self, topic: Topic, decode: Callable[[bytes], T]) -> list[T]:
        """All that the topic holds, of each customer in order."""
        log, told = log_to_read(self.settings), list[T]()
        await hear_beyond(FromTheBeginning(), log, topic.name, lambda value: told.append(decode(value)))
        await log.close()
        return told


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


async def ids_of(bank: Bank, first: Bank, *names: str) -> list[str]:
    return [(await bank.customer(customer_no=first.no(name)))["customer_id"] for name in names]


async def decide_what_will_be_lost(bank: Bank, first: Bank, merged: str) -> None:
    """One merge is undone, another one made, and an account taken from its customer."""
    await bank.decide("split", decision_id=merged, reason="two after all")
    await bank.decide("merge", customer_ids=await ids_of(bank, first, "busy4", "busy5"), reason="one person")
    [holder] = await ids_of(bank, first, "busy6")
    account = {"account_no": f"a-{first.no('busy6')}"}
    await bank.decide("split", customer_id=holder, identifiers=account, reason="not hers")


async def compare_with_readers(deployment: Deployment, platform: Serving) -> None:
    """Who keeps the newest of each customer and alert that the topics have told has what the database has."""
    changes, steps = await asyncio.gather(
        deployment.told(PROFILE_CHANGES, decode_change), deployment.told(ALERTS, decode_alert)
    )
    newest = {one.customer_id: one for one in sorted(changes, key=lambda one: one.version)}
    heard = {name: (one.version, one.facts) for name, one in newest.items() if one.kind != GONE}
    views = await read(platform.store._database, "select customer_id, version, facts from views where state = 'live'")
    assert heard == {name: (version, decode(facts)["values"]) for name, version, facts in views}
    last = {one.alert_id: one for one in sorted(steps, key=lambda one: one.revision)}
    stored = await SqlAlertStore(platform.store._database).find(AlertFilter(), None, 1_000)
    kept = {one.alert_id: (one.revision, one.state) for one in stored}
    assert {name: (one.revision, one.state) for name, one in last.items() if name in kept} == kept
    assert {one.state for name, one in last.items() if name not in kept} <= {"superseded"}


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
            ids = await ids_of(bank, first, "busy2", "busy3")
            merged = (await bank.decide("merge", customer_ids=ids, reason="one person"))["decision_id"]
            await live(platform, bank, [])
        await deployment.back_up()
        async with deployment.running() as (platform, bank):
            newcomer = event("customer.registered", ago(1.2), customer_no=first.no("newcomer"))
            await live(platform, bank, [*rounds[5], newcomer, complaint(first, "newcomer"), complaint(first, "busy1")])
            for step in ("claim", "contact"):
                await act(bank, known, step)
            await decide_what_will_be_lost(bank, first, merged)
            await live(platform, bank, [])
            before = await alerts_of(bank)
            await compare_with_readers(deployment, platform)
        await deployment.restore()
        with pytest.raises(Refusal, match="run `counterpoint db restored`, then start again"):
            await at_the_end.enter_async_context(deployment.running())
        await deployment.operator.says("db", "restored")
        assert await deployment.skips_what_was_told()
        async with deployment.running() as (platform, bank):
            await live(platform, bank, [])
            accepted = [admitted(one, source=FIRST_SOURCE, now=SystemClock().now_ms()) for one in events]
            assert differences(expected(accepted, new_fold()), await held(platform.store)) == []
            again = await alerts_of(bank)
            assert {name: one["customer_id"] for name, one in again.items()} == {
                name: one["customer_id"] for name, one in before.items()
            }
            await compare_with_readers(deployment, platform)
            await live(platform, bank, [*rounds[6], complaint(first, "busy2")])
            await act(bank, known, "claim")
            await live(platform, bank, [])
            assert len(await alerts_of(bank)) == len(before) + 1
            await compare_with_readers(deployment, platform)
