"""An operator goes back in the log beside workers that go on: what counted already counts once, and nothing is lost."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from schemas.topics import CHANNEL_EVENTS, PROFILE_CHANGES, TOPICS, Topic
from services.cli.run.credentials import FIRST_SOURCE
from services.clock import SystemClock
from tests.alerts.destined import SECRET as WEBHOOK_SECRET
from tests.journeys.bank import Bank, Json, ago, cny, event, opened
from tests.journeys.platforms import ROOT, Serving, empty_servers, serving, until
from tests.profile.expected import differences, expected, held
from tests.profile.told import SECRET, admitted, new_fold
from tests.receivers import receiver

ACCOUNTS, ROUNDS, AT_ONCE = 8, 30, 4


class Operator:
    """Says commands in processes of his or her own."""

    def __init__(self, data: Path, urls: dict[str, str]) -> None:
        told = {"COUNTERPOINT_DATA": str(data), "COUNTERPOINT_SECRET": SECRET.decode()}
        self._environment = {**os.environ, **told, **urls}

    async def goes_back(self, topic: Topic) -> str:
        """To the beginning."""
        return await self.says("positions", "rewind", "--topic", topic.name, "--to-time", ago(1))

    async def sees(self, *command: str) -> list[Json]:
        found: list[Json] = json.loads(await self.says(*command, "--json"))
        return found

    async def has_all_worked(self) -> bool:
        return not any(one["lag"] for one in await self.sees("positions", "show"))

    async def says(self, *command: str) -> str:
        said = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.cli", *command,
            cwd=ROOT, env=self._environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        told, _ = await said.communicate()
        assert said.returncode == 0, told.decode()
        return told.decode()


def day_of(bank: Bank) -> list[list[Json]]:
    """Payments of some accounts, round by round; one customer complains."""
    names = [bank.no(f"busy{n}") for n in range(ACCOUNTS)]
    held_by = [event("account.opened", ago(2), account_no=f"a-{name}", customer_no=name) for name in names]
    upset = event("case.opened", ago(1.5), "call_center", customer_no=names[0], case_id=bank.no("case"),
                  case_kind="complaint")  # fmt: skip
    paid = [
        [
            event("transaction.posted", ago(1, minutes=-n), account_no=f"a-{name}", amount=cny("1.00"),
                  direction="credit")
            for name in names
            for _ in range(AT_ONCE)
        ]
        for n in range(ROUNDS)
    ]  # fmt: skip
    return [[*held_by, upset], *paid]


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
