"""An operator goes back in the log beside workers that go on: what counted already counts once, and nothing is lost."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from schemas.topics import CHANNEL_EVENTS, PROFILE_CHANGES, TOPICS
from services.cli.run.credentials import FIRST_SOURCE
from services.clock import SystemClock
from tests.alerts.destined import SECRET as WEBHOOK_SECRET
from tests.journeys.bank import Bank, Json, ago, event, opened
from tests.journeys.operating import Operator, day_of
from tests.journeys.platforms import Serving, empty_servers, serving, until
from tests.profile.expected import differences, expected, held
from tests.profile.told import admitted, new_fold
from tests.receivers import receiver


async def publish(bank: Bank, rounds: Sequence[Sequence[Json]]) -> None:
    for events in rounds:
        await bank.tell(*events)
        await asyncio.sleep(0.1)


async def alerts_of(bank: Bank) -> list[str]:
    return [one["alert_id"] for one in (await bank.get("/v1/alerts", "manager"))["alerts"]]


@pytest.mark.parametrize("log", ["embedded", "servers"])
async def test_who_goes_back_beside_running_workers_loses_and_doubles_nothing(
    request: pytest.FixtureRequest, tmp_path: Path, log: str
) -> None:
    data = tmp_path / "var"
    async with AsyncExitStack() as closing:
        urls = {}
        if log == "servers":
            urls = await closing.enter_async_context(empty_servers(request.getfixturevalue("breakable_servers")))
        platform = await closing.enter_async_context(serving(data, **urls))
        bank = await closing.enter_async_context(opened(platform.known, data))
        rounds, operator = day_of(bank), Operator(data, urls)
        sending = asyncio.create_task(publish(bank, rounds))
        while not sending.done():
            await operator.goes_back(CHANNEL_EVENTS)
            await operator.goes_back(PROFILE_CHANGES)
        await sending
        events = [one for some in rounds for one in some]
        await all_there(platform, len(events))
        await until(operator.has_all_worked)
        repeated = platform.counted("events_repeated")
        alerts = await alerts_of(bank)
        assert "again" in await operator.goes_back(CHANNEL_EVENTS)  # nothing comes any more: it is looked up
        await operator.goes_back(PROFILE_CHANGES)

        async def worked_again() -> bool:
            return platform.counted("events_repeated") >= repeated + len(events)

        await until(worked_again)
        await all_there(platform, len(events))
        now = SystemClock().now_ms()
        accepted = [admitted(one, source=FIRST_SOURCE, now=now) for one in events]
        assert differences(expected(accepted, new_fold()), await held(platform.store)) == []
        assert len(alerts) == 1
        assert await alerts_of(bank) == alerts


@pytest.mark.parametrize("log", ["embedded", "servers"])
async def test_who_goes_back_over_all_topics_tells_no_receiver_twice_and_keeps_no_letter_twice(
    request: pytest.FixtureRequest, tmp_path: Path, log: str
) -> None:
    data, own = tmp_path / "var", tmp_path / "rules"
    async with AsyncExitStack() as closing:
        crm = await closing.enter_async_context(receiver())
        chosen = declared(own, crm.url)
        if log == "servers":
            chosen |= await closing.enter_async_context(empty_servers(request.getfixturevalue("breakable_servers")))
        platform = await closing.enter_async_context(serving(data, **chosen))
        bank = await closing.enter_async_context(opened(platform.known, data))
        operator = Operator(data, chosen)
        await bank.tell(*day_of(bank)[0])
        await bank.publish({**event("page.viewed", ago(1), customer_no=bank.no("busy0")), "colour": "red"})

        async def told() -> tuple[list[Json], list[Json], list[str]]:
            said = await operator.sees("deliveries", "list", "--state", "all")
            return said, await operator.sees("dead-letters", "list"), await alerts_of(bank)

        async def is_quiet() -> bool:
            said, letters, alerts = await told()
            all_said = bool(said) and all(one["state"] == "delivered" for one in said)
            return all_said and bool(letters and alerts) and await operator.has_all_worked()

        await until(is_quiet)
        before, heard = await told(), len(crm.requests)
        for topic in TOPICS:
            assert "worked again" in await operator.goes_back(topic)
        await until(operator.has_all_worked)
        assert await told() == before
        assert len(crm.requests) == heard == len(before[0])


def declared(own: Path, url: str) -> dict[str, str]:
    """What a deployment chooses that tells a webhook of its alerts."""
    own.mkdir()
    (own / "destinations.yaml").write_text(
        f"destinations:\n- {{id: crm, kind: webhook, url: '{url}', secret: CRM_SECRET, insecure: true, "
        f"networks: [127.0.0.0/8]}}\n"
    )
    return {"COUNTERPOINT_ALERTS_CATALOGUE": str(own), "CRM_SECRET": WEBHOOK_SECRET}


async def all_there(platform: Serving, events: int) -> None:
    """Each of them, once."""

    async def are_counted() -> bool:
        return platform.counted("events_applied") >= events and not (await platform.store.counts())["marks"]

    await until(are_counted)
    assert platform.counted("events_applied") == events
    assert (await platform.store.counts())["events"] == events
