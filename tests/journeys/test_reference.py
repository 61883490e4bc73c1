"""A bank replaces its exchange rates while the platform runs."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest_asyncio
from msgspec.structs import replace

from deploy.local_servers.system import free_port
from tests.journeys.bank import Bank, Json, ago, event, opened
from tests.journeys.platforms import ROOT, Serving, serving, until
from tests.profile.told import SECRET

RATES = "base: CNY\nrates:\n  USD: {{2026-01-01: '{}'}}\n"


RULE = """\
rules:
  - id: RICH
    kind: retention
    situation: leaving
    name: {en: Rich, zh: 富}
    when: [assets >= 740.0]
    reason: {en: Rich, zh: 富}
"""


class Own(NamedTuple):
    """Directories of a bank's own: its rates, and a rule that asks for more than a hundred dollars are worth so far."""

    directory: Path

    @property
    def rates(self) -> Path:
        return self.directory / "tables" / "rates.yaml"

    def variables(self) -> dict[str, str]:
        rules = self.directory / "rules"
        for directory in (rules, self.rates.parent):
            directory.mkdir()
        (rules / "own.yaml").write_text(RULE)
        self.rates.write_text(RATES.format("7.00"))
        return {"COUNTERPOINT_PROFILE_REFERENCE": str(self.rates.parent), "COUNTERPOINT_ALERTS_CATALOGUE": str(rules)}

    def replace(self, text: str) -> None:
        draft = self.rates.with_suffix(".new")
        draft.write_text(text)
        os.replace(draft, self.rates)


class At(NamedTuple):
    """A platform with the rates of a bank's own."""

    bank: Bank
    platform: Serving
    own: Own

    async def assets(self, number: str) -> str:
        view = await self.bank.customer(customer_no=number)
        return str(view["assets"]["total"]["value"])

    async def until_worth(self, number: str, value: str) -> None:
        async def is_worth() -> bool:
            return await self.assets(number) == value

        await until(is_worth)


@pytest_asyncio.fixture
async def at(tmp_path: Path) -> AsyncIterator[At]:
    own = Own(tmp_path)
    async with (
        serving(tmp_path / "var", **own.variables()) as platform,
        opened(platform.known, tmp_path / "var") as bank,
    ):
        yield At(bank, platform, own)


DOLLARS = {"value": "100.00", "currency": "USD"}


def paid_to(account: str) -> Json:
    return event("transaction.posted", ago(hours=1), account_no=account, amount=DOLLARS, direction="credit",
                 balance_after=DOLLARS)  # fmt: skip


async def test_rates_that_are_replaced_show_in_the_views_of_who_holds_that_money_and_bad_ones_do_not(at: At) -> None:
    number, account = at.bank.no("dollars"), at.bank.no("account")
    paid = paid_to(account)
    await at.bank.tell(event("account.opened", ago(9), account_no=account, customer_no=number), paid)
    view = await at.bank.refreshed(number)
    assert view["assets"]["total"]["value"] == "700.00"

    at.own.replace(RATES.format("7.50"))
    await at.until_worth(number, "750.00")
    assert (await at.bank.customer(customer_no=number))["version"] == view["version"]  # nothing was refreshed for it

    at.own.replace(RATES.format("seven"))

    async def is_refused() -> bool:
        return at.platform.counted("declarations_read") == 2

    await until(is_refused)
    assert await at.assets(number) == "750.00"
    again = {**paid, "id": at.bank.no("again"), "balance_after": {**DOLLARS, "value": "200.00"}, "occurred_at": ago(0)}
    await at.bank.tell(again)
    later = await at.bank.refreshed(number)
    assert later["assets"]["total"]["value"] == "1500.00"
    assert later["version"] > view["version"]

    at.own.rates.write_text(RATES.format("8.00"))  # in its place, as an editor does
    await at.until_worth(number, "1600.00")


async def test_the_alert_service_by_itself_takes_replaced_rates_too(tmp_path: Path) -> None:
    own, data = Own(tmp_path), tmp_path / "var"
    chosen = own.variables()
    async with serving(data, **chosen) as platform, opened(platform.known, data) as bank:
        number, account = bank.no("dollars"), bank.no("account")
        await bank.tell(event("account.opened", ago(9), account_no=account, customer_no=number), paid_to(account))
        customer = (await bank.refreshed(number))["customer_id"]
    async with AsyncExitStack() as closing:
        address = await closing.enter_async_context(alerts_alone(data, chosen))
        bank = await closing.enter_async_context(opened(replace(platform.known, base_url=address), data))

        async def is_rich() -> bool:
            told = await bank.get(f"/v1/customers/{customer}/rules")
            return bool({one["id"]: one["holds"] for one in told["rules"]}["RICH"])

        assert not await is_rich()
        own.replace(RATES.format("7.50"))
        await until(is_rich)


@asynccontextmanager
async def alerts_alone(data: Path, chosen: dict[str, str]) -> AsyncIterator[str]:
    """Where the alert service answers in a process of its own, without any other of the platform."""
    port = free_port()
    told = {"COUNTERPOINT_DATA": str(data), "COUNTERPOINT_SECRET": SECRET.decode(), "COUNTERPOINT_PORT": str(port)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli", "alerts", "serve", cwd=ROOT, env={**os.environ, **chosen, **told}
    )

    async def serves() -> bool:
        assert process.returncode is None
        try:
            return (await asyncio.to_thread(httpx.get, f"http://127.0.0.1:{port}/health/live")).is_success
        except httpx.TransportError:
            return False

    try:
        await until(serves)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()
