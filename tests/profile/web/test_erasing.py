"""A customer who is erased: nothing that was told of persons is left, and what happened stays."""

import re
from collections.abc import Sequence
from typing import Any

import httpx

from services.profile.names import names
from services.profile.rebuild import rebuild
from tests.profile.told import new_fold
from tests.profile.web.bank import DAY, Bank, event, open_bank, opened, posted, registered
from tests.profile.web.test_decisions import decide, view_of, without_version

PHONE, EMAIL, ID = "+8613912345678", "fang@example.org", "11010519491231002X"
BEFORE = "2026-11-19T10:00:00+08:00"
REFERENCE = re.compile("p_[0-9a-f]{32}")
WANG = registered("C1", "Wang Fang", phone=PHONE, email=EMAIL, national_id=ID, address="7 Long Street",
                  birth_date="1949-12-31", gender="female", city="Shenzhen")  # fmt: skip
SALARY = posted("6001", "9000.00", counterparty={"name": "Silk Road Ltd", "account_no": "1", "bank": "OTHC"},
                description="for Wang Fang")  # fmt: skip


async def erased(bank: Bank, client: httpx.AsyncClient, customer_no: str = "C1") -> dict[str, Any]:
    """A moment later, so that what is told from then on is later, too."""
    bank.clock.move_to(bank.clock.now_ms() + 1000)
    return await decide(bank, client, "/v1/customers/erase", customer_id=bank.id_of(f"party:{customer_no}"))


async def open_wang() -> tuple[Bank, httpx.AsyncClient]:
    bank = await open_bank()
    await bank.tell(WANG, opened("6001", "C1"), SALARY)
    return bank, await bank.sign_in("admin")


async def test_an_erased_customer_is_called_nothing_at_once_though_somebody_else_has_the_name() -> None:
    bank, admin = await open_wang()
    await bank.tell(registered("C2", "Wang Fang"), opened("6003", "C3"))
    wang, other, nameless = (bank.id_of(f"party:{number}") for number in ("C1", "C2", "C3"))
    asked = [wang, other, nameless, "nobody"]
    assert await names(bank.read, asked) == {wang: "Wang Fang", other: "Wang Fang"}
    bank.clock.move_to(bank.clock.now_ms() + 1000)
    answer = await admin.post("/v1/customers/erase", json={"customer_id": wang, "reason": "asked"})
    assert answer.status_code == 200
    assert await names(bank.read, asked) == {other: "Wang Fang"}
    await bank.refresh()
    assert await names(bank.read, asked) == {other: "Wang Fang"}
    bank.clock.move_to(bank.clock.now_ms() + 1000)
    await bank.tell(registered("C1", "Wang Fang", occurred_at="2026-11-22T20:00:00+08:00"))
    assert await names(bank.read, asked) == {wang: "Wang Fang", other: "Wang Fang"}


async def found(client: httpx.AsyncClient, **asked: str) -> list[dict[str, Any]]:
    answer = await client.post("/v1/customers/search", json=asked)
    assert answer.status_code == 200, answer.text
    customers: list[dict[str, Any]] = answer.json()["customers"]
    return customers


async def told(
    client: httpx.AsyncClient, customer_id: str, paths: Sequence[str] = ("", "/timeline", "/identity", "/facts")
) -> str:
    """Everything that is shown of a customer."""
    return "\n".join([(await client.get(f"/v1/customers/{customer_id}{path}")).text for path in paths])


async def test_nothing_personal_is_shown_any_more_and_what_happened_stays() -> None:
    bank, admin = await open_wang()
    customer_id = bank.id_of("party:C1")
    before = await view_of(admin, customer_id)
    made = await erased(bank, admin)
    after = await view_of(admin, customer_id)
    assert (made["kind"], made["actor"], made["customer_ids"]) == ("erase", "admin", [customer_id])
    assert (before["erased_at"], after["erased_at"]) == (None, made["at"])
    assert (after["person"].keys(), after["version"] > before["version"]) == ({"kind", "city", "registered_at"}, True)
    assert [one["balance"] for one in after["accounts"]] == [one["balance"] for one in before["accounts"]]
    text = await told(admin, customer_id)
    for value in ("Wang", PHONE, EMAIL, ID, "Long Street", "Silk Road", "1949", "female"):
        assert value not in text
    assert not REFERENCE.search(text)


async def test_it_shows_before_the_refresh() -> None:
    bank, admin = await open_wang()
    customer_id = bank.id_of("party:C1")
    tag = (await admin.get(f"/v1/customers/{customer_id}")).headers["etag"]
    await admin.post("/v1/customers/erase", json={"customer_id": customer_id, "reason": "asked for it"})
    now = await admin.get(f"/v1/customers/{customer_id}", headers={"if-none-match": tag})
    assert (now.status_code, "Wang" in now.text) == (200, False)


async def test_who_searches_by_what_identifies_a_person_finds_nobody_and_by_number_as_before() -> None:
    bank, admin = await open_wang()
    asked = ({"name": "Wang Fang"}, {"phone": PHONE}, {"email": EMAIL}, {"national_id": ID})
    ids = [[one["customer_id"] for one in await found(admin, **by)] for by in asked]
    await erased(bank, admin)
    assert ids == [[bank.id_of("party:C1")]] * 4
    assert [await found(admin, **by) for by in asked] == [[]] * 4
    [view] = await found(admin, customer_no="C1")
    assert [view] == await found(admin, account_no="6001")


async def test_what_comes_late_brings_nothing_back() -> None:
    bank, admin = await open_wang()
    await erased(bank, admin)
    await bank.tell(
        {**WANG, "id": "late", "occurred_at": BEFORE},
        {**registered("C1", "Wang F. Fang", phone="+8613900000001"), "occurred_at": BEFORE},
        {**SALARY, "id": "late-salary", "occurred_at": BEFORE},
    )
    text = await told(admin, bank.id_of("party:C1"))
    assert not [value for value in ("Wang", PHONE, "+8613900000001", "Silk Road", "1949") if value in text]
    assert not REFERENCE.search(text)
    assert [await found(admin, name="Wang Fang"), await found(admin, phone=PHONE)] == [[], []]
    assert [one["amount"] for one in await salaries(admin, bank)] == [{"value": "9000.00", "currency": "CNY"}] * 2


async def salaries(client: httpx.AsyncClient, bank: Bank) -> list[dict[str, Any]]:
    page = await client.get(f"/v1/customers/{bank.id_of('party:C1')}/timeline", params={"type": "transaction.posted"})
    events: list[dict[str, Any]] = page.json()["events"]
    return events


async def test_who_comes_back_is_known_by_what_is_told_from_then_on() -> None:
    bank, admin = await open_wang()
    await erased(bank, admin)
    bank.clock.move_to(bank.clock.now_ms() + DAY)
    await bank.tell({**registered("C1", "Wang Fang", phone=PHONE), "occurred_at": "2026-11-23T10:00:00+08:00"})
    [view] = await found(admin, name="Wang Fang")
    assert [view] == await found(admin, phone=PHONE)
    known = {name: one["value"] for name, one in view["person"].items() if name != "registered_at"}
    assert known == {"name": "Wang Fang", "phone": PHONE, "kind": "person", "city": "Shenzhen"}
    assert await found(admin, email=EMAIL) == []
    newest, *before = (await admin.get(f"/v1/customers/{view['customer_id']}/timeline")).json()["events"]
    assert newest["attributes"]["name"] == "Wang Fang"
    assert "Wang" not in str(before)


async def test_what_others_tell_of_the_same_persons_stays_theirs() -> None:
    bank, admin = await open_wang()
    rent = posted("6002", "800.00", counterparty={"name": "Wang Fang"}, direction="debit")
    pay = {**SALARY, "identifiers": {"account_no": "6002"}}
    await bank.tell(registered("C2", "Li Wei", phone=PHONE), opened("6002", "C2"), rent, pay)
    before = await told(admin, bank.id_of("party:C2"), ("", "/timeline"))
    await erased(bank, admin)
    assert await told(admin, bank.id_of("party:C2"), ("", "/timeline")) == before
    assert "Wang Fang" in before
    assert "Silk Road" in before
    text = await told(admin, bank.id_of("party:C1"))
    assert not [value for value in ("Wang", "Silk Road") if value in text]
    assert [one["customer_id"] for one in await found(admin, phone=PHONE)] == [bank.id_of("party:C2")]


async def test_a_shared_account_goes_on_telling_the_other_holder_who_paid() -> None:
    bank, admin = await open_wang()
    shared = {**SALARY, "identifiers": {"account_no": "6003"}, "counterparty": {"name": "Tea House"}}
    await bank.tell(registered("C2", "Li Wei"), opened("6003", "C1"), opened("6003", "C2", role="joint"), shared)
    await erased(bank, admin)
    assert "Tea House" in await told(admin, bank.id_of("party:C2"))
    assert "Li Wei" in await told(admin, bank.id_of("party:C2"))
    assert "Silk Road" not in await told(admin, bank.id_of("party:C1"))


async def test_an_account_on_which_somebody_may_only_act_is_the_holders_alone() -> None:
    bank, admin = await open_wang()
    attorney = event("holder.added", {"account_no": "6001", "customer_no": "C3"}, role="attorney")
    await bank.tell(registered("C3", "Zhao Lei"), attorney)
    await erased(bank, admin, "C3")
    assert "Silk Road" in await told(admin, bank.id_of("party:C1"))
    await erased(bank, admin)
    assert "Silk Road" not in await told(admin, bank.id_of("party:C1"))


async def test_both_who_were_merged_are_erased_and_stay_so_when_they_are_split() -> None:
    bank, admin = await open_wang()
    await bank.tell(registered("C2", "Wang F."), opened("6002", "C2"))
    left, right = bank.id_of("party:C1"), bank.id_of("party:C2")
    await decide(bank, admin, "/v1/customers/merge", customer_ids=[left, right])
    await erased(bank, admin, "C2")
    assert "Wang" not in await told(admin, left)
    await decide(bank, admin, "/v1/customers/split", customer_id=left)
    assert [("Wang" in await told(admin, one)) for one in (left, right)] == [False, False]


async def test_who_is_merged_with_somebody_erased_keeps_what_is_known() -> None:
    bank, admin = await open_wang()
    await bank.tell(registered("C2", "Li Wei"), opened("6002", "C2"))
    left, right = bank.id_of("party:C1"), bank.id_of("party:C2")
    before = await view_of(admin, right)
    made = await erased(bank, admin)
    await decide(bank, admin, "/v1/customers/merge", customer_ids=[left, right])
    joined = await view_of(admin, left)
    assert (joined["person"]["name"]["value"], joined["erased_at"]) == ("Li Wei", made["at"])
    await decide(bank, admin, "/v1/customers/split", customer_id=left)
    assert without_version(await view_of(admin, right)) == without_version(before)
    assert "name" not in (await view_of(admin, left))["person"]


async def test_a_rebuild_leaves_the_same_view() -> None:
    bank, admin = await open_wang()
    made = await erased(bank, admin)
    before = await view_of(admin, bank.id_of("party:C1"))
    await rebuild(bank.store, new_fold(new_fold().version + 1))
    await bank.refresh()
    assert (await view_of(admin, bank.id_of("party:C1")), before["erased_at"]) == (before, made["at"])


async def test_a_consent_from_before_is_void_and_a_refusal_stands() -> None:
    bank, admin = await open_wang()
    agreed, refused = {"purpose": "marketing"}, {"purpose": "research"}
    whose = {"customer_no": "C1"}
    await bank.tell(event("consent.given", whose, **agreed), event("consent.withdrawn", whose, **refused))
    before = (await view_of(admin, bank.id_of("party:C1")))["consents"]
    await erased(bank, admin)
    after = (await view_of(admin, bank.id_of("party:C1")))["consents"]
    assert (before.keys(), after) == ({"marketing", "research"}, {"research": before["research"]})


async def test_a_member_that_looks_like_a_reference_leaves_a_page_that_can_be_read() -> None:
    bank, admin = await open_wang()
    whom, name = {"customer_no": "C1"}, "p_" + "0a" * 16
    await bank.tell(event("a.type.of.its.own", whom, **{name: "told"}, nested={name: name}))
    [told] = (await admin.get(f"/v1/customers/{bank.id_of('party:C1')}/timeline?type=a.type.of.its.own")).json()[
        "events"
    ]
    assert told["attributes"] == {name: "told", "nested": {name: None}}


async def test_an_erasure_is_an_admins_decision_and_cannot_be_undone() -> None:
    bank, admin = await open_wang()
    manager = await bank.sign_in("manager")
    whom = {"customer_id": bank.id_of("party:C1"), "reason": "asked for it"}
    assert (await manager.post("/v1/customers/erase", json=whom)).status_code == 403
    made = (await admin.post("/v1/customers/erase", json=whom)).json()
    answer = await admin.post("/v1/customers/split", json={"decision_id": made["decision_id"], "reason": "no"})
    assert (answer.status_code, answer.json()["detail"]) == (409, "what was erased is gone for good")


async def test_a_household_is_erased_member_by_member() -> None:
    bank, admin = await open_wang()
    await bank.tell(registered("C2", "Li Wei"), *[joins("H1", one) for one in ("C1", "C2")])
    [home] = await found(admin, household_no="H1")
    answer = await admin.post("/v1/customers/erase", json={"customer_id": home["customer_id"], "reason": "x"})
    assert (answer.status_code, answer.json()["field"]) == (422, "customer_id")
    await erased(bank, admin)
    assert "Silk Road" not in await told(admin, home["customer_id"])


def joins(household_no: str, customer_no: str) -> dict[str, Any]:
    return event("household.joined", {"customer_no": customer_no, "household_no": household_no})
