"""A bank beside the running platform: its channels publish, its staff read, over HTTP and nothing else."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec

from schemas.receipt import decode_receipt, encode_receipt
from services.cli.run.credentials import Credentials
from services.profile.receipts import LONGEST_S
from tests.cli.conftest import command_line
from tests.patience import HANG_S

Json = dict[str, Any]


def ago(days: float = 0, *, hours: float = 0, minutes: float = 0) -> str:
    return (datetime.now(UTC) - timedelta(days=days, hours=hours, minutes=minutes)).isoformat()


def cny(value: str) -> Json:
    return {"value": value, "currency": "CNY"}


def event(what: str, at: str, channel: str = "corebank", **told: Any) -> Json:
    """`told`: identifiers by kind, fields of the envelope by name, and everything else as attributes."""
    envelope = ("id", "amount", "direction", "balance_after", "counterparty", "actor", "product", "sequence")
    identifiers = ("customer_no", "account_no", "card_no", "loan_no", "login", "phone", "national_id", "device_id",
                   "case_id", "contract_id", "household_no", "group_no")  # fmt: skip
    said: Json = {"id": uuid.uuid4().hex, "type": what, "occurred_at": at, "channel": channel}
    said |= {name: told.pop(name) for name in envelope if name in told}
    said["identifiers"] = {name: told.pop(name) for name in identifiers if name in told}
    return said | ({"attributes": told} if told else {})


class Bank:
    """What one test says and sees. Its numbers are its own, since all tests share the platform."""

    def __init__(self, known: Credentials, http: httpx.AsyncClient, data: Path) -> None:
        self.known, self.http, self.data = known, http, data
        self._run = uuid.uuid4().hex[:8]
        self._told: dict[int, int] = {}

    def no(self, name: str) -> str:
        """A number that no other platform has; the stories on one platform share those of the same name."""
        return f"{name}-{self._run}"

    def go_on(self, other: "Bank") -> None:
        self._run, self._told = other._run, dict(other._told)

    def digits(self, count: int) -> str:
        """Digits that no other test uses."""
        return str(int(self._run, 16)).zfill(count)[-count:]

    def as_(self, role: str) -> dict[str, str]:
        """Headers of an agent, manager or admin."""
        return {"Authorization": f"Bearer {getattr(self.known, f'{role}_token')}"}

    async def publish(self, body: Any, key: str | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key or self.known.ingest_key}"}
        return await self.http.post("/v1/events", json=body, headers=headers)

    async def tell(self, *events: Json, key: str | None = None) -> None:
        """Publishes; what is read afterwards waits until it is in the view."""
        answer = await self.publish({"events": events}, key)
        assert answer.status_code == 202, answer.text
        assert answer.json()["rejected"] == []
        self.remember(answer)

    def remember(self, answer: httpx.Response) -> None:
        """What is read from now on waits for what this answer accepted."""
        for partition, offset in decode_receipt(answer.json()["receipt"]).items():
            self._told[partition] = max(self._told.get(partition, 0), offset)

    def having_told(self) -> dict[str, str]:
        """Headers of a reader who wants to see what was told."""
        receipt = encode_receipt((partition, until - 1) for partition, until in self._told.items())
        return {"Counterpoint-Receipt": receipt, "Prefer": f"wait={LONGEST_S:g}"} if self._told else {}

    async def get(self, path: str, role: str = "agent", **query: Any) -> Any:
        answer = await self.http.get(path, params=query, headers=self.as_(role) | self.having_told())
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def customers(self, **identifiers: str) -> list[Json]:
        """Everybody whom the identifiers or the name in it find."""
        headers = self.as_("agent") | self.having_told()
        answer = await self.http.post("/v1/customers/search", json=identifiers, headers=headers)
        assert answer.status_code == 200, answer.text
        assert not self._told or "preference-applied" in answer.headers
        found: list[Json] = answer.json()["customers"]
        return found

    async def customer(self, **identifiers: str) -> Json:
        [view] = await self.customers(**identifiers)
        return view

    async def refreshed(self, number: str) -> Json:
        """As a refresh has written it: all that was told of the customer is decided, too."""
        view = await self.customer(customer_no=number)
        async with asyncio.timeout(HANG_S):
            while "+" in (await self._tag(view["customer_id"])):  # noqa: ASYNC110 - no event of ours
                await asyncio.sleep(0.05)
        return await self.customer(customer_no=number)

    async def _tag(self, customer_id: str) -> str:
        answer = await self.http.get(f"/v1/customers/{customer_id}", headers=self.as_("agent"))
        return answer.headers["etag"]

    async def until_owned(self, number: str, *, acting: str) -> Json:
        """What happens to a manager reaches the customers in his or her care by refreshes of their own."""
        async with asyncio.timeout(HANG_S):
            while ((view := await self.customer(customer_no=number))["owner"] or {}).get("acting") != acting:  # noqa: ASYNC110 - no event of ours
                await asyncio.sleep(0.05)
        return view

    @asynccontextmanager
    async def live(self, path: str, last_event_id: str = "") -> AsyncIterator[AsyncIterator[Json]]:
        """The views that a live screen is sent."""
        headers = self.as_("agent") | {"Last-Event-ID": last_event_id}
        async with self.http.stream("GET", path, headers=headers) as stream:
            yield (msgspec.json.decode(line[6:]) async for line in stream.aiter_lines() if line.startswith("data: "))

    async def about(self, view: Json, what: str, **query: Any) -> Any:
        """The customer's `identity`, `timeline` or `facts`."""
        return await self.get(f"/v1/customers/{view['customer_id']}/{what}", **query)

    async def decide(self, what: str, role: str = "manager", **body: Any) -> Json:
        """What a manager decides, `merge` or `split`, or an admin, `erase`."""
        answer = await self.http.post(f"/v1/customers/{what}", json=body, headers=self.as_(role))
        assert answer.status_code == 200, answer.text
        made: Json = answer.json()
        return made

    async def letter(self, source: str, state: str = "open", reason: str = "") -> Json:
        """The newest dead letter of this source, once there is one."""
        async with asyncio.timeout(HANG_S):
            while True:
                letters = (await self.get("/v1/dead-letters", "admin", state=state))["dead_letters"]
                for letter in letters:
                    if letter["source"] == source and reason in ("", letter["reason"]):
                        found: Json = letter
                        return found
                await asyncio.sleep(0.05)

    async def command(self, *arguments: str) -> str:
        """What `counterpoint …` says beside the running platform."""
        said = await asyncio.to_thread(command_line(self.data), *arguments)
        assert said.code == 0, said.err
        return said.out


@asynccontextmanager
async def opened(known: Credentials, data: Path, told: Bank | None = None) -> AsyncIterator[Bank]:
    """A bank at this platform. `told`: it goes on where that one was."""
    async with httpx.AsyncClient(base_url=known.base_url, timeout=HANG_S) as http:
        bank = Bank(known, http, data)
        if told is not None:
            bank.go_on(told)
        yield bank


def balances(view: Json) -> dict[str, str]:
    """account number → balance."""
    return {one["account_no"]: one["balance"]["value"] for one in view["accounts"]}


def kinds(views: Sequence[Json]) -> list[str]:
    return [view["kind"] for view in views]
