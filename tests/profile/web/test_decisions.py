"""Merging, splitting and reviewing: with a name and a reason, and without a trace once undone."""

from typing import Any

import httpx
import pytest

from services.profile.names import names
from services.profile.web.documents import SeveralCustomers
from tests.profile.web.bank import Bank, event, open_bank, opened, posted, registered

ID = "11010519491231002X"


async def two(bank: Bank) -> tuple[str, str]:
    await bank.tell(
        registered("C1", "Wang Fang"), opened("6001", "C1"), posted("6001"),
        registered("C2", "Wang F."), opened("6002", "C2"), posted("6002", "7.00"),
    )  # fmt: skip
    return bank.id_of("party:C1"), bank.id_of("party:C2")


async def decide(bank: Bank, client: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(path, json={"reason": "same passport", **body})
    assert answer.status_code == 200, answer.text
    await bank.refresh()
    made: dict[str, Any] = answer.json()
    return made


async def view_of(client: httpx.AsyncClient, customer_id: str) -> dict[str, Any]:
    view: dict[str, Any] = (await client.get(f"/v1/customers/{customer_id}")).json()
    return view


def without_version(view: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in view.items() if name not in ("version", "changed_at")}


async def test_of_two_to_be_merged_the_unknown_one_is_named() -> None:
    bank = await open_bank()
    left, _ = await two(bank)
    manager = await bank.sign_in("manager")
    body = {"customer_ids": [left, "cus_nobody"], "reason": "x"}
    answer = await manager.post("/v1/customers/merge", json=body)
    assert (answer.status_code, answer.json()["field"]) == (404, "customer_ids[1]")


async def test_a_merge_makes_one_customer_of_two_and_says_by_whom_and_why() -> None:
    bank = await open_bank()
    left, right = await two(bank)
    manager = await bank.sign_in("manager")
    made = await decide(bank, manager, "/v1/customers/merge", customer_ids=[right, left])
    assert (made["kind"], made["actor"], made["reason"]) == ("merge", "manager", "same passport")
    view = await view_of(manager, left)
    assert [one["account_no"] for one in view["accounts"]] == ["6001", "6002"]
    former = await manager.get(f"/v1/customers/{right}")
    assert former.json()["customer_id"] == left
    assert former.headers["content-location"] == f"/v1/customers/{left}"
    identity = (await manager.get(f"/v1/customers/{left}/identity")).json()
    assert identity["merged"] == ["party:C1", "party:C2"]
    assert [one["decision_id"] for one in identity["decisions"]] == [made["decision_id"]]


async def test_what_two_customers_share_is_named_once_after_their_merge() -> None:
    bank = await open_bank()
    await bank.tell(*(registered(number, national_id="11010519491231002X") for number in ("C1", "C2")))
    manager = await bank.sign_in("manager")
    both = [bank.id_of("party:C1"), bank.id_of("party:C2")]
    await decide(bank, manager, "/v1/customers/merge", customer_ids=both)
    identity = (await manager.get(f"/v1/customers/{both[0]}/identity")).json()
    assert [one["kind"] for one in identity["subjects"]] == ["customer_no", "customer_no", "national_id"]
    assert identity["cut_off"] == 0


async def test_what_a_former_id_was_at_some_version_is_not_mistaken_for_what_it_stands_for_now() -> None:
    bank = await open_bank()
    left, right = await two(bank)
    manager = await bank.sign_in("manager")
    await bank.tell(posted("6002"), posted("6002"))
    before = (await manager.get(f"/v1/customers/{right}")).headers["etag"]
    await decide(bank, manager, "/v1/customers/merge", customer_ids=[left, right])
    now = await manager.get(f"/v1/customers/{right}", headers={"if-none-match": before})
    assert now.headers["etag"].strip('"') == f"{left}-{now.json()['version']}"
    again = await manager.get(f"/v1/customers/{right}", headers={"if-none-match": now.headers["etag"]})
    assert again.status_code == 304


async def test_merge_then_split_is_nothing_but_newer_versions() -> None:
    bank = await open_bank()
    left, right = await two(bank)
    manager = await bank.sign_in("manager")
    before = [await view_of(manager, left), await view_of(manager, right)]
    await decide(bank, manager, "/v1/customers/merge", customer_ids=[left, right])
    await decide(bank, manager, "/v1/customers/split", customer_id=right)
    after = [await view_of(manager, left), await view_of(manager, right)]
    assert [without_version(view) for view in after] == [without_version(view) for view in before]
    assert all(new["version"] > old["version"] for new, old in zip(after, before, strict=True))


async def test_a_merge_can_be_undone_and_made_again() -> None:
    bank = await open_bank()
    left, right = await two(bank)
    manager = await bank.sign_in("manager")
    merge = await decide(bank, manager, "/v1/customers/merge", customer_ids=[left, right])
    split = await decide(bank, manager, "/v1/customers/split", customer_id=left, decision_id=merge["decision_id"])
    assert split["undoes"] == merge["decision_id"]
    await decide(bank, manager, "/v1/customers/merge", customer_ids=[left, right])
    assert len((await view_of(manager, right))["accounts"]) == 2


async def test_a_decision_is_undone_by_its_id_alone_or_on_a_customer_whom_it_concerns() -> None:
    bank = await open_bank()
    left, right = await two(bank)
    await bank.tell(registered("C3"))
    manager = await bank.sign_in("manager")
    merge = await decide(bank, manager, "/v1/customers/merge", customer_ids=[left, right])
    asked = {"decision_id": merge["decision_id"], "reason": "no"}
    answer = await manager.post("/v1/customers/split", json={**asked, "customer_id": bank.id_of("party:C3")})
    assert (answer.status_code, answer.json()["detail"]) == (404, "no such decision on this customer")
    assert (await manager.post("/v1/customers/split", json={**asked, "subject": "account:6001"})).status_code == 422
    split = await decide(bank, manager, "/v1/customers/split", decision_id=merge["decision_id"])
    assert (split["undoes"], split["customer_ids"]) == (merge["decision_id"], sorted((left, right)))


async def test_of_three_merged_one_is_split_off_and_two_stay() -> None:
    bank = await open_bank()
    left, right = await two(bank)
    await bank.tell(registered("C3"), opened("6003", "C3"))
    third = bank.id_of("party:C3")
    manager = await bank.sign_in("manager")
    await decide(bank, manager, "/v1/customers/merge", customer_ids=[left, right])
    second = await decide(bank, manager, "/v1/customers/merge", customer_ids=[third, right])
    answer = await manager.post("/v1/customers/split", json={"customer_id": left, "reason": "no"})
    assert answer.status_code == 409
    assert second["decision_id"] in answer.json()["detail"]
    await decide(bank, manager, "/v1/customers/split", customer_id=third, decision_id=second["decision_id"])
    assert len((await view_of(manager, left))["accounts"]) == 2
    assert [one["account_no"] for one in (await view_of(manager, third))["accounts"]] == ["6003"]


async def test_an_event_after_a_merge_lands_in_the_one_view() -> None:
    bank = await open_bank()
    left, right = await two(bank)
    manager = await bank.sign_in("manager")
    await decide(bank, manager, "/v1/customers/merge", customer_ids=[left, right])
    version = (await view_of(manager, left))["version"]
    await bank.tell(posted("6002", "1.00", id="late"))
    assert (await view_of(manager, left))["version"] == version + 1
    events = (await manager.get(f"/v1/customers/{right}/timeline")).json()["events"]
    assert "late" in {one["id"] for one in events}


async def test_a_former_id_that_stands_for_several_names_them_all() -> None:
    bank = await open_bank()
    await bank.tell(posted("6001"))
    manager = await bank.sign_in("manager")
    former = bank.id_of("account:6001")
    assert (await view_of(manager, former))["kind"] == "anonymous"
    await bank.tell(registered("C1"), registered("C2"), opened("6001", "C1"), opened("6001", "C2", role="joint"))
    answer = await manager.get(f"/v1/customers/{former}")
    assert answer.status_code == 300
    both = [bank.id_of("party:C1"), bank.id_of("party:C2")]
    assert {one["customer_id"]: one["href"] for one in answer.json()["customers"]} == {
        one: f"/v1/customers/{one}" for one in both
    }
    assert answer.json().keys() <= set(SeveralCustomers.__struct_fields__), "the API document says all that is told"


async def test_a_subject_is_detached_for_all_its_past_and_attached_again() -> None:
    bank = await open_bank()
    await bank.tell(
        registered("C1", login="fang"),
        event("page.viewed", {"device_id": "d-1"}, channel="online", page="/"),
        event("login.succeeded", {"login": "fang", "device_id": "d-1"}, channel="online"),
    )
    customer_id = bank.id_of("party:C1")
    manager = await bank.sign_in("manager")
    before = await view_of(manager, customer_id)
    made = await decide(bank, manager, "/v1/customers/split", customer_id=customer_id, identifiers={"device_id": "d-1"})
    assert made["kind"] == "detach"
    events = (await manager.get(f"/v1/customers/{customer_id}/timeline")).json()["events"]
    assert "page.viewed" not in {one["type"] for one in events}
    # signing in from there again says nothing new: a person has judged it
    await bank.tell(event("login.succeeded", {"login": "fang", "device_id": "d-1"}, channel="online"))
    [device] = (await manager.get("/v1/customers", params={"device_id": "d-1"})).json()["customers"]
    assert device["customer_id"] == bank.id_of("device:d-1")
    await decide(bank, manager, "/v1/customers/split", customer_id=customer_id, decision_id=made["decision_id"])
    after = await view_of(manager, customer_id)
    assert {one["value"] for one in before["identifiers"] if "value" in one} == {
        one["value"] for one in after["identifiers"] if "value" in one
    }
    assert after["channels"]["online"]["count"] == before["channels"]["online"]["count"] + 1


async def test_a_review_is_settled_by_a_merge() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1", national_id=ID), registered("C2", national_id=ID))
    manager = await bank.sign_in("manager")
    [case] = (await manager.get("/v1/reviews")).json()["reviews"]
    await decide(bank, manager, "/v1/customers/merge", customer_ids=case["customer_ids"])
    assert (await manager.get("/v1/reviews")).json() == {"reviews": []}


async def test_a_review_is_settled_by_keeping_the_two_apart() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1", national_id=ID), registered("C2", national_id=ID))
    manager = await bank.sign_in("manager")
    [case] = (await manager.get("/v1/reviews")).json()["reviews"]
    await decide(bank, manager, f"/v1/reviews/{case['review_id']}/keep-apart")
    await bank.tell(registered("C2", national_id=ID))
    assert (await manager.get("/v1/reviews")).json() == {"reviews": []}
    again = await manager.post(f"/v1/reviews/{case['review_id']}/keep-apart", json={"reason": "x"})
    assert again.status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("merge", {"customer_ids": ["A", "A"], "reason": "x"}, 409),
        ("merge", {"customer_ids": ["A", "cus_nobody"], "reason": "x"}, 404),
        ("merge", {"customer_ids": ["A", "B"], "reason": " "}, 422),
        ("merge", {"customer_ids": ["A", "B"], "reason": "no\0end"}, 422),
        ("merge", {"customer_ids": ["A", "B"]}, 400),
        ("merge", {"customer_ids": ["A"], "reason": "x"}, 400),
        ("split", {"customer_id": "A", "reason": "x"}, 409),
        ("split", {"reason": "x"}, 422),
        ("split", {"customer_id": "A", "reason": "x", "decision_id": "dec_0"}, 404),
        ("split", {"customer_id": "A", "reason": "x", "subject": "device:nobody"}, 409),
    ],
)
async def test_what_cannot_be_decided_changes_nothing(path: str, body: dict[str, Any], status: int) -> None:
    bank = await open_bank()
    left, right = await two(bank)
    named = {"A": left, "B": right}
    if "customer_ids" in body:
        body = {**body, "customer_ids": [named.get(one, one) for one in body["customer_ids"]]}
    else:
        body = {**body, **({"customer_id": left} if "customer_id" in body else {})}
    manager = await bank.sign_in("manager")
    answer = await manager.post(f"/v1/customers/{path}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert not await bank.refresh()


async def test_a_household_is_not_merged() -> None:
    bank = await open_bank()
    left, _ = await two(bank)
    await bank.tell(event("household.joined", {"customer_no": "C1", "household_no": "H1"}))
    manager = await bank.sign_in("manager")
    body = {"customer_ids": [left, bank.id_of("household:H1")], "reason": "x"}
    assert (await manager.post("/v1/customers/merge", json=body)).status_code == 422


async def test_a_former_id_is_called_as_whom_it_stands_for_now() -> None:
    bank = await open_bank()
    left, right = await two(bank)
    manager = await bank.sign_in("manager")
    assert await names(bank.read, [left, right]) == {left: "Wang Fang", right: "Wang F."}
    merge = await decide(bank, manager, "/v1/customers/merge", customer_ids=[left, right])
    [heir] = merge["customer_ids"]
    name = (await view_of(manager, heir))["person"]["name"]["value"]
    assert await names(bank.read, [left, right]) == {left: name, right: name}
