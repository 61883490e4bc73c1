"""A bank replaces its exchange rates while the platform runs."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest_asyncio

from tests.journeys.bank import Bank, ago, event, opened
from tests.journeys.platforms import Serving, serving, until

RATES = "base: CNY\nrates:\n  USD: {{2026-01-01: '{}'}}\n"


class At(NamedTuple):
    """A platform with the rates of a bank's own, and a customer with a hundred dollars."""

    bank: Bank
    platform: Serving
    rates: Path

    def replace(self, text: str) -> None:
        draft = self.rates.with_suffix(".new")
        draft.write_text(text)
        os.replace(draft, self.rates)

    async def assets(self, number: str) -> str:
        view = await self.bank.customer(customer_no=number)
        return str(view["assets"]["total"]["value"])

    async def until_worth(self, number: str, value: str) -> None:
        async def is_worth() -> bool:
            return await self.assets(number) == value

        await until(is_worth)


@pytest_asyncio.fixture
async def at(tmp_path: Path) -> AsyncIterator[At]:
    own = tmp_path / "own"
    own.mkdir()
    rates = own / "rates.yaml"
    rates.write_text(RATES.format("7.00"))
    async with (
        serving(tmp_path / "var", COUNTERPOINT_PROFILE_REFERENCE=str(own)) as platform,
        opened(platform.known, tmp_path / "var") as bank,
    ):
        yield At(bank, platform, rates)


async def test_rates_that_are_replaced_show_in_the_views_of_who_holds_that_money_and_bad_ones_do_not(at: At) -> None:
    number, account = at.bank.no("dollars"), at.bank.no("account")
    dollars = {"value": "100.00", "currency": "USD"}
    paid = event("transaction.posted", ago(hours=1), account_no=account, amount=dollars, direction="credit",
                 balance_after=dollars)  # fmt: skip
    await at.bank.tell(event("account.opened", ago(9), account_no=account, customer_no=number), paid)
    view = await at.bank.refreshed(number)
    assert view["assets"]["total"]["value"] == "700.00"

    at.replace(RATES.format("7.50"))
    await at.until_worth(number, "750.00")
    assert (await at.bank.customer(customer_no=number))["version"] == view["version"]  # nothing was refreshed for it

    at.replace(RATES.format("seven"))

    async def is_refused() -> bool:
        return at.platform.counted("reference_read") == 2

    await until(is_refused)
    assert await at.assets(number) == "750.00"
    again = {**paid, "id": at.bank.no("again"), "balance_after": {**dollars, "value": "200.00"}, "occurred_at": ago(0)}
    await at.bank.tell(again)
    later = await at.bank.refreshed(number)
    assert later["assets"]["total"]["value"] == "1500.00"
    assert later["version"] > view["version"]

    at.rates.write_text(RATES.format("8.00"))  # in its place, as an editor does
    await at.until_worth(number, "1600.00")
