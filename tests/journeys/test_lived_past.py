"""A past that is lived by the time of its events: alerts are raised when they would have been."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from schemas.catalogue import load_catalogue
from schemas.instants import DAY_MS, instant
from schemas.topics import PROFILE_CHANGES
from services.alerts.adapters.cel import Cel
from services.alerts.adapters.rule_files import PRODUCT, load_rules
from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.adapters.sql_deliveries import SqlDeliveryStore
from services.alerts.domain.counting import spoken_in
from services.alerts.ports import AlertFilter
from services.cli.declared import known_of
from services.cli.refusals import Refusal
from services.cli.rules.backtesting import Asked, Deployment, lived_again
from services.cli.run import event_time
from services.declared_files import directories
from services.profile.adapters.policies import load_declarations
from services.profile.domain.states.personal import reference
from services.profile.settings import Choices
from services.replay.berka import read_berka
from services.replay.berka_event import Event
from services.replay.send import http_publisher, send
from services.sql.database import open_database
from tests.conftest import RunningServers
from tests.journeys.platforms import Serving, empty_servers, serving, settings_of, until
from tests.journeys.test_berka import REAL
from tests.journeys.test_berka_alerts import BANK
from tests.journeys.test_rewinding import declared
from tests.profile.told import SECRET
from tests.receivers import receiver
from tests.replay.berka_bank import write_berka_lives

EVER = 2**60
Words = set[tuple[str, str, str]]
"""Rule, customer, when."""
PASTS = [
    ("made-up", date(1993, 12, 31), "embedded"), ("made-up", date(1993, 10, 31), "servers"),
    *([("real", date(1993, 2, 14), "embedded")] if (REAL / "trans.asc").exists() else []),
]  # fmt: skip


class Past(NamedTuple):
    directory: Path
    own: Path
    variables: dict[str, str]

    @asynccontextmanager
    async def living(self) -> AsyncIterator[Serving]:
        async with serving(self.directory, COUNTERPOINT_CLOCK="event", **self.variables) as platform:
            yield platform

    async def words(self) -> Words:
        database = open_database(settings_of(self.directory, self.variables).database)
        alerts = await SqlAlertStore(database).find(AlertFilter(), None, EVER)
        await database.close()
        return {(one.rule, one.customer_id, instant(one.at)) for one in spoken_in(alerts, 0, EVER)}

    async def words_of_a_backtest(self, platform: Serving) -> Words:
        declared = load_declarations("", str(self.own), partial(reference, secret=SECRET))
        loaded = load_rules(directories(PRODUCT, ""), known_of(declared), Cel(), {})
        rules = [one.id for one in loaded.rule_set.rules]
        asked = Asked(loaded, rules, 0, platform.platform.clock.now_ms() + 1, "event", None)
        database = open_database(settings_of(self.directory, self.variables).database)
        deployment = Deployment(
            platform.store, SqlAlertStore(database), load_catalogue(), declared, Choices(), SECRET
        )  # fmt: skip
        rerun, _ = await lived_again(asked, deployment, lambda *told: None)
        await database.close()
        return {(one.rule, one.customer_id, instant(one.at)) for one in spoken_in(await rerun.found(), 0, EVER)}


@pytest.mark.parametrize(("bank", "last_day", "log"), PASTS)
async def test_alerts_are_raised_when_a_backtest_by_event_time_raises_them(
    request: pytest.FixtureRequest, tmp_path: Path, bank: str, last_day: date, log: str
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "bank.yaml").write_text(BANK)
    events = list(read_berka(REAL if bank == "real" else write_berka_lives(tmp_path), last_day))
    async with AsyncExitStack() as closing:
        variables = {"COUNTERPOINT_PROFILE_REFERENCE": str(own)}
        if log == "servers":
            variables |= await closing.enter_async_context(empty_servers(request.getfixturevalue("breakable_servers")))
        past = Past(tmp_path / "var", own, variables)
        half = range(len(events) // 2, len(events))
        some = next(at for at in half if events[at]["occurred_at"] > events[at - 1]["occurred_at"])
        async with past.living() as platform:
            await told(platform, events[:some])
        async with past.living() as platform:
            await told(platform, events[some:])
            expected = await past.words_of_a_backtest(platform)

            async def all_said() -> bool:
                return await past.words() == expected

            await until(all_said, 0.2)
            assert instant(platform.platform.clock.now_ms())[:10] == events[-1]["occurred_at"][:10]
    assert {when[:4] for _, _, when in expected} <= {"1993", "1994"}
    assert len({rule for rule, _, _ in expected}) > 1


async def told(platform: Serving, events: list[Event]) -> None:
    async with http_publisher(platform.known.base_url, platform.known.ingest_key) as publish:
        sent = await send(events, publish, batch_size=300)
    assert (sent.accepted, sent.rejected) == (len(events), 0)
    await platform.all_visible(len(events))


async def test_while_what_is_due_is_not_done_no_day_passes_and_events_are_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_time, "PATIENCE_S", 0.1)
    first, *later = read_berka(write_berka_lives(tmp_path))
    last = later[-1]
    async with serving(tmp_path / "var", COUNTERPOINT_CLOCK="event") as platform:
        await told(platform, [first])
        stood_at = platform.platform.clock.now_ms()
        platform.platform.work.cancel()
        headers = {"Authorization": f"Bearer {platform.known.ingest_key}"}
        answer = await platform.reader.post("/v1/events", json=last, headers=headers)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "what was due before these events is not done yet" in answer.json()["detail"]
        assert stood_at <= platform.platform.clock.now_ms() < stood_at + DAY_MS


async def test_nobody_outside_is_told_of_a_past(tmp_path: Path) -> None:
    """Nor is anything sent once somebody is."""
    events = list(read_berka(write_berka_lives(tmp_path), date(1993, 4, 30)))
    async with receiver() as crm:
        chosen = declared(tmp_path / "rules", crm.url)
        async with serving(tmp_path / "var", COUNTERPOINT_CLOCK="event", **chosen) as platform:
            await told(platform, events)
            await until(lambda: said_by(platform, "alert_steps"))
            database = open_database(settings_of(tmp_path / "var", {}).database)
            assert await SqlDeliveryStore(database).count() == {}
            await database.close()
    assert crm.requests == []


async def said_by(platform: Serving, metric: str) -> bool:
    return platform.counted(metric) > 0


async def test_a_past_is_lived_through_by_one_process(
    breakable_servers: RunningServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_time, "LEASE_MS", 500)
    async with empty_servers(breakable_servers) as servers:
        variables = {**servers, "COUNTERPOINT_CLOCK": "event"}
        async with serving(tmp_path / "one", **variables) as platform:

            async def refreshes() -> bool:
                return bool(await platform.store.leaseholders())

            await until(refreshes)
            with pytest.raises(Refusal, match="a past has one"):
                async with serving(tmp_path / "other", **variables):
                    raise AssertionError("it serves")


async def test_events_that_come_late_all_the_time_are_seen_all_the_same(tmp_path: Path) -> None:
    first, *later = read_berka(write_berka_lives(tmp_path), date(1993, 3, 31))
    async with serving(tmp_path / "var", COUNTERPOINT_CLOCK="event") as platform:
        await told(platform, [first, later[-1]])
        seen = platform.counted("customers_refreshed")

        async def one_more_is_late() -> bool:
            async with http_publisher(platform.known.base_url, platform.known.ingest_key) as publish:
                await send([later.pop(0)], publish)
            return platform.counted("customers_refreshed") > seen

        await until(one_more_is_late)


async def test_what_a_killed_process_had_accepted_is_lived_through_by_the_next(tmp_path: Path) -> None:
    """It is accepted, but the process ends before it is applied."""
    events = list(read_berka(write_berka_lives(tmp_path), date(1993, 1, 31)))
    last = next(
        at for at in range(len(events) - 1, 0, -1) if events[at]["occurred_at"] == events[at - 1]["occurred_at"]
    )
    async with serving(tmp_path / "var", COUNTERPOINT_CLOCK="event") as platform:
        await told(platform, events[:last])

        async def is_at_rest() -> bool:
            metrics = platform.platform.metrics.registry
            told = metrics.get_sample_value("counterpoint_outbox_published_total", {"topic": PROFILE_CHANGES.name})
            judged = platform.counted("statements_evaluated") + platform.counted("statements_skipped")
            return judged == told and not await platform.store.lanes_waiting()

        await until(is_at_rest)
        stood_at = platform.platform.clock.now_ms()
        platform.platform.work.cancel()
        headers = {"Authorization": f"Bearer {platform.known.ingest_key}"}
        answer = await platform.reader.post("/v1/events", json=events[last], headers=headers)
        assert answer.status_code == 202
    async with serving(tmp_path / "var", COUNTERPOINT_CLOCK="event") as platform:
        await platform.all_visible(1)

        async def stands_there_again() -> bool:
            return platform.platform.clock.now_ms() == stood_at

        await until(stands_there_again)
        assert (await platform.store.counts())["events"] == last + 1
