"""The desk beside a running platform: what its inbox holds of the bank's customers, and the steps that people take."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from schemas.catalogue import load_catalogue
from services.ingest.domain.sources import Source
from services.ingest.registry import create_key, set_source
from tests.journeys.bank import Bank, Json, ago, cny, event, opened
from tests.journeys.platforms import Serving, serving, until
from tests.patience import HANG_S

Holds = Callable[[list[Json]], bool]
LONGEST_RHYTHM_MS = 366 * 86_400_000
SHORT_S, LONG_S = 0.05, 0.5


class Inbox:
    """`rules`: the bank's own directory of rules, laid over the product's."""

    def __init__(self, bank: Bank, platform: Serving, rules: Path) -> None:
        self.bank, self.rules, self._platform = bank, rules, platform

    async def of(self, number: str, kind: str = "customer_no") -> list[Json]:
        """Every alert that this customer ever had, oldest first."""
        view = await self.bank.customer(**{kind: number})
        return await self.of_id(view["customer_id"])

    async def of_id(self, customer_id: str) -> list[Json]:
        told = await self.bank.get("/v1/alerts", "manager", customer=customer_id, state="all")
        return sorted(told["alerts"], key=lambda one: str(one["opened_at"]))

    async def until(self, number: str, holds: Holds, kind: str = "customer_no") -> list[Json]:
        """Alerts follow the view by themselves, within a second or two."""
        found: list[Json] = []
        try:
            async with asyncio.timeout(HANG_S):
                while not holds(found := await self.of(number, kind)):  # noqa: ASYNC110 - no event of ours
                    await asyncio.sleep(SHORT_S)
        except TimeoutError:
            raise AssertionError(f"never so: {[brief(one) for one in found]}") from None
        return found

    async def open_one(self, number: str, *rules: str) -> Json:
        """The one open alert in which these rules speak, once there is one."""

        def holds(alerts: list[Json]) -> bool:
            return any(is_open(one) and set(rules) <= set(spoke(one)) for one in alerts)  # fmt: skip

        [alert] = [one for one in await self.until(number, holds) if is_open(one) and set(rules) <= set(spoke(one))]
        return alert

    async def act(self, alert: Json, step: str, **body: Any) -> Json:
        path, headers = f"/v1/alerts/{alert['alert_id']}/{step}", self.bank.as_("manager")
        answer = await self.bank.http.post(path, json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        done: Json = answer.json()
        return done

    async def source(self, name: str, channel: str) -> str:
        """The key of a source of its own, which vouches for itself."""
        stores, now = self._platform.platform.stores, int(datetime.now(UTC).timestamp() * 1000)
        told = Source(id=name, channel=channel, of_record=("*",), rhythm_ms=LONGEST_RHYTHM_MS, heartbeats=False)
        await set_source(stores.sources, told, load_catalogue())
        return (await create_key(stores.keys, stores.sources, name, [channel], now))[0]

    async def rule_ids(self) -> set[str]:
        return {one["id"] for one in (await self.bank.get("/v1/rules"))["rules"]}


@asynccontextmanager
async def opened_inbox(directory: Path, **variables: str) -> AsyncIterator[Inbox]:
    rules = directory / "rules"
    rules.mkdir()
    own = {"COUNTERPOINT_ALERTS_CATALOGUE": str(rules), **variables}
    async with serving(directory / "var", **own) as platform, opened(platform.known, directory / "var") as bank:
        await until(partial(_is_heard, bank), LONG_S)
        yield Inbox(bank, platform, rules)


async def _is_heard(bank: Bank) -> bool:
    """Before the bank is known to have told everything, nothing that did not happen is an absence."""
    number = bank.no("first")
    await bank.tell(event("page.viewed", ago(0), "mobile", customer_no=number, page="/"))
    return (await bank.customer(customer_no=number))["complete_up_to"] is not None


def is_open(alert: Json) -> bool:
    return not alert["ended_at"]


def spoke(alert: Json) -> list[str]:
    return [one["id"] for one in alert["rules"]]


def brief(alert: Json) -> tuple[str, str, list[str], str | None]:
    return alert["situation"], alert["state"], spoke(alert), alert["waiting"]


def taken(alert: Json) -> list[str]:
    """The actions of its history."""
    return [one["action"] for one in alert["history"]]


def customer_of(manager: str, number: str, **told: Any) -> list[Json]:
    """A customer of five years with one account, in this manager's care."""
    account = {"account_no": f"{number}-a", "customer_no": number}
    return [
        event("account.opened", ago(1_800), **account, account_kind="current"),
        event("manager.assigned", ago(300), customer_no=number, manager_id=manager, **told),
    ]


def managed(what: str, days: float, manager: str, **told: Any) -> Json:
    return event(what, ago(days), **told) | {"identifiers": {"manager_id": manager}}


def moved(number: str, days: float, amount: str, left: str, *, came: bool = False) -> Json:
    """Money to another bank, or from there."""
    what = "transfer.received" if came else "transfer.sent"
    other = {"name": "Elsewhere", "account_no": "7001", "bank": "OTHR"}
    return event(what, ago(days), "mobile", account_no=f"{number}-a", amount=cny(amount), balance_after=cny(left),
                 counterparty=other)  # fmt: skip


def outflow(number: str) -> Sequence[Json]:
    """Of 200,000 that lay there for long, 90,000 leave in one payment."""
    return [moved(number, 200, "200000.00", "200000.00", came=True), moved(number, 5, "90000.00", "110000.00")]


def paydays(since: int, until: int) -> list[str]:
    """The 15th of the months so many before this one, as far as they have come."""
    today = datetime.now(UTC)
    months = [divmod(today.year * 12 + today.month - 1 - back, 12) for back in range(since, until - 1, -1)]
    days = [f"{year}-{month + 1:02d}-15T09:00:00+08:00" for year, month in months]
    return [day for day in days if datetime.fromisoformat(day) < today]


def salary(number: str, at: str) -> Json:
    employer = {"name": "Northern Steel", "account_no": "900", "bank": "OWNB", "kind": "employer"}
    return event("salary.credited", at, account_no=f"{number}-a", amount=cny("18500.00"),
                 balance_after=cny("20000.00"), counterparty=employer)  # fmt: skip
