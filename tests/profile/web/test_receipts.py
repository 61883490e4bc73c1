"""Read-your-writes: a receipt and `Prefer: wait` show what was just sent, and say whether they did."""

import asyncio
from typing import Any

import httpx
import pytest

from schemas.topics import CHANNEL_EVENTS
from services.log import Position
from services.profile.adapters.memory import MemoryProfileStore
from services.profile.receipts import until_updated
from tests.patience import HANG_S
from tests.profile.web.bank import open_bank, opened, posted, registered


def waiting(receipt: str, prefer: str = "wait=5") -> dict[str, str]:
    return {"Counterpoint-Receipt": receipt, "Prefer": prefer}


async def asking(client: httpx.AsyncClient, method: str, path: str, **options: Any) -> "asyncio.Task[httpx.Response]":
    """A request that is under way and has had every chance to end."""
    task = asyncio.create_task(client.request(method, path, **options))
    for _ in range(50):
        await asyncio.sleep(0)
    return task


@pytest.mark.parametrize("view", ["", "/timeline", "/facts", "/identity"])
async def test_whatever_is_read_of_a_customer_waits_for_the_receipt(view: str) -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"), opened("6001", "C1"))
    agent = await bank.sign_in("agent")
    path = f"/v1/customers/{bank.id_of('party:C1')}{view}"
    task = await asking(agent, "GET", path, headers=waiting(bank.next_receipt()))
    assert not task.done()
    await bank.take([opened("6002", "C1")])
    answer = await task
    assert answer.headers["preference-applied"] == "wait=5"
    assert "6002" in answer.text or view == "/facts"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/customers?account_no=6001", None),
        ("GET", "/v1/customers?customer_no=C1", None),
        ("POST", "/v1/customers/search", {"account_no": "6001"}),
        ("POST", "/v1/customers/search", {"phone": "13912345678"}),
        ("POST", "/v1/customers/search", {"name": "Wang Fang"}),
    ],
)
async def test_a_search_waits_for_a_customer_who_does_not_exist_yet(method: str, path: str, body: Any) -> None:
    bank = await open_bank()
    agent = await bank.sign_in("agent")
    task = await asking(agent, method, path, json=body, headers=waiting(bank.next_receipt(2)))
    assert not task.done()
    await bank.take([registered("C1", "Wang Fang", phone="13912345678"), opened("6001", "C1")])
    answer = await task
    assert answer.headers["preference-applied"] == "wait=5"
    assert [view["customer_id"] for view in answer.json()["customers"]] == [bank.id_of("party:C1")]


async def test_a_read_by_id_waits_for_a_customer_who_does_not_exist_yet() -> None:
    bank = await open_bank()
    agent = await bank.sign_in("agent")
    path = f"/v1/customers/{bank.id_of('party:C1')}"
    task = await asking(agent, "GET", path, headers=waiting(bank.next_receipt()))
    await bank.take([registered("C1")])
    answer = await task
    assert (answer.status_code, answer.headers["preference-applied"]) == (200, "wait=5")


async def test_a_receipt_of_several_partitions_is_waited_for_in_all_of_them() -> None:
    store = MemoryProfileStore(str)
    for partition, reached in ((1, 5), (2, 9)):
        await store.set_position(CHANNEL_EVENTS.name, partition, Position("t", reached))
    assert await until_updated(store, {1: 5, 2: 9}, 0)
    for behind in ({1: 5, 2: 10}, {1: 6, 2: 9}, {1: 5, 3: 1}):
        assert not await until_updated(store, behind, 0)


async def test_nobody_waits_longer_than_the_longest_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.profile.receipts.LONGEST_S", 0.02)
    async with asyncio.timeout(HANG_S):
        assert not await until_updated(MemoryProfileStore(str), {0: 1}, 1_000_000)


async def test_when_the_time_runs_out_the_answer_is_what_is_there_and_does_not_claim_more() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"))
    agent = await bank.sign_in("agent")
    path = f"/v1/customers/{bank.id_of('party:C1')}"
    answer = await agent.get(path, headers=waiting(bank.next_receipt(), "wait=0"))
    assert answer.status_code == 200
    assert "preference-applied" not in answer.headers


async def test_what_is_visible_already_is_answered_at_once_and_says_so() -> None:
    bank = await open_bank()
    receipt = await bank.tell(registered("C1"))
    agent = await bank.sign_in("agent")
    path = f"/v1/customers/{bank.id_of('party:C1')}"
    for prefer in ("wait=0", "respond-async, wait=2", 'Wait = "2"'):
        answer = await agent.get(path, headers=waiting(receipt, prefer))
        assert answer.headers["preference-applied"] in ("wait=0", "wait=2")
    for half in ({"Counterpoint-Receipt": receipt}, {"Prefer": "wait=2"}):
        assert "preference-applied" not in (await agent.get(path, headers=half)).headers


async def test_an_event_of_a_merged_customer_is_waited_for_under_either_id() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"), registered("C2"), opened("6002", "C2"))
    manager = await bank.sign_in("manager")
    left, right = bank.id_of("party:C1"), bank.id_of("party:C2")
    merge = {"customer_ids": [left, right], "reason": "the same"}
    assert (await manager.post("/v1/customers/merge", json=merge)).status_code == 200
    for customer_id in (left, right):
        headers = waiting(bank.next_receipt())
        task = await asking(manager, "GET", f"/v1/customers/{customer_id}", headers=headers)
        assert not task.done()
        await bank.take([posted("6002")])
        assert (await task).json()["customer_id"] == left


@pytest.mark.parametrize("receipt", ["none of ours", "gQ", "x" * 5000])
async def test_a_receipt_that_is_none_of_ours_is_refused(receipt: str) -> None:
    bank = await open_bank()
    agent = await bank.sign_in("agent")
    answer = await agent.get("/v1/customers?account_no=1", headers=waiting(receipt))
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
