"""Who a customer is, as it shows to those who read."""

import pytest

from tests.profile.web.bank import event, open_bank, opened, posted, registered


def viewed(device_id: str, **fields: object) -> dict[str, object]:
    return event("page.viewed", {"device_id": device_id}, channel="online", page="/mortgage", **fields)


async def test_an_anonymous_visitor_who_signs_in_brings_the_earlier_browsing_along() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1", login="fang"), viewed("d-1"), viewed("d-1"))
    agent = await bank.sign_in("agent")
    path = f"/v1/customers/{bank.id_of('party:C1')}"
    [visitor] = (await agent.get("/v1/customers", params={"device_id": "d-1"})).json()["customers"]
    assert visitor["kind"] == "anonymous"
    assert "online" not in (await agent.get(path)).json()["channels"]

    signed_in = event("login.succeeded", {"login": "fang", "device_id": "d-1", "customer_no": "C1"}, channel="online")
    await bank.tell(signed_in)
    known = (await agent.get(path)).json()
    assert known["channels"]["online"]["count"] == 3
    types = [one["type"] for one in (await agent.get(path + "/timeline")).json()["events"]]
    assert types.count("page.viewed") == 2
    former = await agent.get(f"/v1/customers/{visitor['customer_id']}")
    assert former.json()["customer_id"] == known["customer_id"]
    assert former.headers["content-location"] == path


async def test_who_becomes_a_customer_after_browsing_brings_it_along() -> None:
    bank = await open_bank()
    await bank.tell(
        viewed("d-2", occurred_at="2026-11-02T10:00:00+08:00"),
        registered("C1", login="fang", occurred_at="2026-11-20T10:00:00+08:00"),
        event("login.succeeded", {"login": "fang", "device_id": "d-2"}, occurred_at="2026-11-20T11:00:00+08:00"),
    )
    agent = await bank.sign_in("agent")
    answer = await agent.get(f"/v1/customers/{bank.id_of('party:C1')}/timeline")
    assert [one["type"] for one in answer.json()["events"]] == ["login.succeeded", "customer.registered", "page.viewed"]


async def test_a_joint_account_stands_in_both_views() -> None:
    bank = await open_bank()
    joint = event("holder.added", {"account_no": "6001", "customer_no": "C2"})
    await bank.tell(registered("C1"), registered("C2"), opened("6001", "C1"), joint, posted("6001"))
    agent = await bank.sign_in("agent")
    roles = {}
    for view in (await agent.get("/v1/customers", params={"account_no": "6001"})).json()["customers"]:
        roles[view["customer_id"]] = [one["role"] for one in view["accounts"]]
    assert roles == {bank.id_of("party:C1"): ["owner"], bank.id_of("party:C2"): ["joint"]}


async def test_a_removed_holder_keeps_the_past_and_sees_nothing_new() -> None:
    bank = await open_bank()
    await bank.tell(
        registered("C1"),
        registered("C2"),
        opened("6001", "C1", occurred_at="2026-11-01T10:00:00+08:00"),
        event("holder.added", {"account_no": "6001", "customer_no": "C2"}, occurred_at="2026-11-02T10:00:00+08:00"),
        posted("6001", id="before", occurred_at="2026-11-03T10:00:00+08:00"),
        event("holder.removed", {"account_no": "6001", "customer_no": "C2"}, occurred_at="2026-11-04T10:00:00+08:00"),
        posted("6001", id="after", occurred_at="2026-11-05T10:00:00+08:00"),
    )
    agent = await bank.sign_in("agent")
    found = (await agent.get("/v1/customers", params={"account_no": "6001"})).json()["customers"]
    assert [view["customer_id"] for view in found] == [bank.id_of("party:C1")]
    timeline = (await agent.get(f"/v1/customers/{bank.id_of('party:C2')}/timeline")).json()["events"]
    ids = [one["id"] for one in timeline if one["type"] == "transaction.posted"]
    assert ids == ["before"]


async def test_two_customer_numbers_never_merge_by_themselves_and_make_a_review_case() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1", national_id="11010519491231002X", phone="13912345678"))
    await bank.tell(registered("C2", national_id="11010519491231002X", phone="13912345678"))
    manager = await bank.sign_in("manager")
    found = (await manager.post("/v1/customers/search", json={"national_id": "11010519491231002X"})).json()["customers"]
    both = {bank.id_of("party:C1"), bank.id_of("party:C2")}
    assert {view["customer_id"] for view in found} == both
    [case] = (await manager.get("/v1/reviews")).json()["reviews"]
    assert set(case["customer_ids"]) == both
    assert case["shared"].startswith("national_id:")
    assert "11010519491231002X" not in case["shared"]


async def test_a_phone_that_became_everybodys_or_somebody_elses_makes_no_review_case_any_more() -> None:
    bank = await open_bank()
    everybodys, passed_on, own = "13912345678", "13912345679", "13912345670"
    await bank.tell(*(registered(f"C{n}", phone=everybodys) for n in range(2)))
    await bank.tell(*(registered(f"D{n}", phone=passed_on) for n in range(2)))
    manager = await bank.sign_in("manager")
    told = (await manager.get("/v1/reviews")).json()["reviews"]
    assert len(told) == 2
    await bank.tell(*(registered(f"C{n}", phone=everybodys) for n in range(2, 9)))
    await bank.tell(event("phone.changed", {"customer_no": "D0", "phone": own}, former_phone=passed_on))
    assert (await manager.get("/v1/reviews")).json() == {"reviews": []}
    for customer in ("party:C0", "party:D1"):
        identity = (await manager.get(f"/v1/customers/{bank.id_of(customer)}/identity")).json()
        assert identity["decisions"] == []


async def test_a_review_case_says_what_the_two_share_now() -> None:
    bank = await open_bank()
    await bank.tell(*(registered(customer, phone="13912345678") for customer in ("C1", "C2")))
    await bank.tell(*(registered(customer, national_id="11010519491231002X") for customer in ("C1", "C2")))
    manager = await bank.sign_in("manager")
    [case] = (await manager.get("/v1/reviews?limit=1")).json()["reviews"]
    assert (case["reason"], case["shared"][:12]) == ("the same national id was told of both", "national_id:")


async def test_an_account_with_two_holders_is_nothing_to_review() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"), registered("C2"), opened("6001", "C1"), opened("6001", "C2", role="joint"))
    manager = await bank.sign_in("manager")
    assert (await manager.get("/v1/reviews")).json() == {"reviews": []}


async def test_the_identity_says_why_and_who_else() -> None:
    bank = await open_bank()
    await bank.tell(
        registered("C1"), registered("C2"), opened("6001", "C1", id="why"), opened("6001", "C2", role="joint")
    )
    agent = await bank.sign_in("agent")
    identity = (await agent.get(f"/v1/customers/{bank.id_of('party:C1')}/identity")).json()
    account = next(one for one in identity["subjects"] if one["subject"] == "account:6001")
    assert account["role"] == "owner"
    assert account["customers"] == [bank.id_of("party:C2")]
    reason = next(one for one in account["because"] if one["target"] == "party:C1")
    assert (reason["source"], reason["event_id"]) == ("core", "why")


async def test_the_identity_begins_with_the_own_number_and_says_how_many_subjects_it_leaves_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bank = await open_bank()
    await bank.tell(registered("C1", phone="13912345678"), opened("6001", "C1"), opened("6002", "C1"))
    agent = await bank.sign_in("agent")
    path = f"/v1/customers/{bank.id_of('party:C1')}/identity"
    whole = (await agent.get(path)).json()
    subjects = [one["subject"].partition(":")[0] for one in whole["subjects"]]
    assert (subjects, whole["cut_off"], whole["merged"]) == (["party", "account", "account", "phone"], 0, [])
    assert [one["identifier"] for one in whole["subjects"]] == ["C1", "6001", "6002", None]
    monkeypatch.setattr("services.profile.identity.MOST_SUBJECTS", 1)
    part = (await agent.get(path)).json()
    assert ([one["subject"] for one in part["subjects"]], part["cut_off"]) == (["party:C1"], 3)


async def test_an_identifier_above_its_limit_identifies_nobody_and_the_identity_says_so() -> None:
    bank = await open_bank()
    agent = await bank.sign_in("agent")
    for number in range(1, 5):
        await bank.tell(registered(f"C{number}", phone="13912345678"))
    found = (await agent.post("/v1/customers/search", json={"phone": "13912345678"})).json()["customers"]
    assert len(found) == 4
    await bank.tell(registered("C5", phone="13912345678"))
    found = (await agent.post("/v1/customers/search", json={"phone": "13912345678"})).json()["customers"]
    assert not {view["customer_id"] for view in found} & {bank.id_of(f"party:C{number}") for number in range(1, 6)}
    identity = (await agent.get(f"/v1/customers/{bank.id_of('party:C1')}/identity")).json()
    [above] = identity["above_limit"]
    assert (above["kind"], above["limit"], above["shared_by"]) == ("phone", 4, 5)
