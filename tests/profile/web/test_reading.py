"""Finding customers and reading their views."""

import pytest

from schemas.identifiers import KINDS
from services.profile.domain.identity.named import NEVER_IN_A_URL
from services.profile.web.documents import CustomerView, IdentifiersGiven
from services.web.staff import openapi_document
from tests.ingest.bank import NOW, VISA
from tests.profile.web.bank import event, open_bank, opened, posted, registered

BALANCE = {"value": "100.00", "currency": "CNY"}
CASH = {"value": "5.00", "currency": "CNY"}


async def test_a_customer_is_found_by_account_with_balance_person_and_channels() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1", "Wang Fang"), opened("6001", "C1"), posted("6001", balance_after=BALANCE))
    agent = await bank.sign_in("agent")
    answer = await agent.get("/v1/customers", params={"account_no": "6001"})
    assert answer.status_code == 200
    [view] = answer.json()["customers"]
    assert view["customer_id"] == bank.id_of("party:C1")
    assert [(one["account_no"], one["balance"], one["role"]) for one in view["accounts"]] == [
        ("6001", BALANCE, "owner")
    ]
    assert view["person"]["name"]["value"] == "Wang Fang"
    assert view["channels"]["corebank"]["count"] == 3


async def test_the_view_has_every_part_that_the_document_names() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"))
    agent = await bank.sign_in("agent")
    view = (await agent.get(f"/v1/customers/{bank.id_of('party:C1')}")).json()
    assert set(CustomerView.__struct_fields__) == view.keys()
    assert list(view)[:2] == ["customer_id", "version"]
    assert view["measures"]["outflow_7d"] == {"value": "0.00", "currency": "CNY"}


async def test_nobody_found_is_an_empty_list_and_several_are_several() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"), registered("C2"), opened("6001", "C1"), opened("6001", "C2", role="joint"))
    agent = await bank.sign_in("agent")
    assert (await agent.get("/v1/customers", params={"account_no": "7"})).json()["customers"] == []
    found = (await agent.get("/v1/customers", params={"account_no": "6001"})).json()["customers"]
    assert {view["customer_id"] for view in found} == {bank.id_of("party:C1"), bank.id_of("party:C2")}


async def test_an_account_that_nobody_has_claimed_is_an_anonymous_customer() -> None:
    bank = await open_bank()
    await bank.tell(posted("6001"))
    agent = await bank.sign_in("agent")
    [view] = (await agent.get("/v1/customers", params={"account_no": "6001"})).json()["customers"]
    assert view["kind"] == "anonymous"


@pytest.mark.parametrize(
    ("given", "searched"),
    [
        ({"phone": "13912345678"}, {"phone": "+86 139 1234 5678"}),
        ({"email": "fang@example.org"}, {"identifiers": {"email": "fang@EXAMPLE.org"}}),
        ({"national_id": "11010519491231002X"}, {"national_id": "11010519491231002x"}),
        ({}, {"name": " wang  FANG "}),
        ({}, {"customer_no": "C1"}),
    ],
)
async def test_a_customer_is_searched_by_any_identifier_or_a_name(
    given: dict[str, str], searched: dict[str, str]
) -> None:
    bank = await open_bank()
    await bank.tell(registered("C1", "Wang Fang", **given), registered("C2", "Li Wei"))
    agent = await bank.sign_in("agent")
    answer = await agent.post("/v1/customers/search", json=searched)
    assert [view["customer_id"] for view in answer.json()["customers"]] == [bank.id_of("party:C1")]


@pytest.mark.parametrize(
    ("told", "searched"),
    [
        ("李娜", ["李娜", "李 娜", "李\u3000娜"]),
        ("José Álvarez", ["jose\u0301 a\u0301lvarez", "JOSÉ  ÁLVAREZ"]),
        ("Müller Straße", ["MÜLLER STRASSE", "mu\u0308ller straße"]),
        ("\uff2c\uff49 \uff37\uff45\uff49", ["li wei"]),
        ("O\u2019Brien\u2013Smith", ["o'brien-smith"]),
    ],
)
async def test_a_name_is_found_however_it_is_typed_and_shown_as_it_was_told(told: str, searched: list[str]) -> None:
    bank = await open_bank()
    await bank.tell(registered("C1", told), registered("C2", "Jose Alvarez"), registered("C3", "李明"))
    agent = await bank.sign_in("agent")
    for name in [told, *searched]:
        answer = (await agent.post("/v1/customers/search", json={"name": name})).json()
        assert [view["person"]["name"]["value"] for view in answer["customers"]] == [told], name


async def test_a_customer_is_searched_by_the_number_on_the_card() -> None:
    bank = await open_bank()
    card = event("card.issued", {"card_no": VISA, "customer_no": "C1"})
    await bank.tell(registered("C1"), card)
    agent = await bank.sign_in("agent")
    answer = await agent.post("/v1/customers/search", json={"card_no": "4111 1111 1111 1111"})
    assert [view["customer_id"] for view in answer.json()["customers"]] == [bank.id_of("party:C1")]
    assert VISA not in answer.text


async def test_an_account_number_that_could_be_a_card_is_found_by_itself() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"), opened(VISA, "C1"))
    agent = await bank.sign_in("agent")
    answer = await agent.post("/v1/customers/search", json={"account_no": VISA})
    assert [view["customer_id"] for view in answer.json()["customers"]] == [bank.id_of("party:C1")]


async def test_who_matches_most_of_a_search_comes_first() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1", "Li Wei"), registered("C2", "Li Wei", phone="13912345678"))
    agent = await bank.sign_in("agent")
    answer = await agent.post("/v1/customers/search", json={"name": "Li Wei", "phone": "13912345678"})
    found = [view["customer_id"] for view in answer.json()["customers"]]
    assert found == [bank.id_of("party:C2"), bank.id_of("party:C1")]


async def test_a_number_that_stands_for_nobody_finds_nobody() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"))
    agent = await bank.sign_in("agent")
    assert (await agent.post("/v1/customers/search", json={"phone": "00000000000"})).json()["customers"] == []


@pytest.mark.parametrize("kind", sorted(NEVER_IN_A_URL))
async def test_what_is_personal_is_refused_in_a_url_and_sent_to_the_search(kind: str) -> None:
    bank = await open_bank()
    agent = await bank.sign_in("agent")
    answer = await agent.get("/v1/customers", params={kind: "13912345678"})
    assert answer.status_code == 400
    assert "/v1/customers/search" in answer.json()["detail"]
    assert "13912345678" not in answer.text


async def test_the_etag_is_the_version_and_what_is_known_is_not_sent_again() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"))
    agent = await bank.sign_in("agent")
    path = f"/v1/customers/{bank.id_of('party:C1')}"
    first = await agent.get(path)
    assert first.headers["etag"] == f'"{first.json()["version"]}"'
    again = await agent.get(path, headers={"if-none-match": f'"0", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    await bank.tell(opened("6001", "C1"))
    changed = await agent.get(path, headers={"if-none-match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.json()["version"] == first.json()["version"] + 1


async def test_the_document_tells_how_to_ask_for_what_is_new_alone() -> None:
    paths = openapi_document((await open_bank()).litestar)["paths"]
    view, live = paths["/v1/customers/{customer_id}"]["get"], paths["/v1/customers/{customer_id}/live"]["get"]
    assert "If-None-Match" in {one["name"] for one in view["parameters"]}
    assert "content" not in view["responses"]["304"]
    assert "Last-Event-ID" in {one["name"] for one in live["parameters"]}


async def test_head_tells_the_version_that_get_would() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"))
    agent = await bank.sign_in("agent")
    path = f"/v1/customers/{bank.id_of('party:C1')}"
    head, whole = await agent.head(path), await agent.get(path)
    assert (head.status_code, head.headers["etag"]) == (200, whole.headers["etag"])
    assert (await agent.head("/v1/customers", params={"account_no": "6001"})).status_code == 200
    assert (await agent.head(f"{path}/live")).status_code == 405, "a stream would never end"


async def test_who_asks_how_is_told_of_head_where_it_is_answered() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"))
    agent = await bank.sign_in("agent")
    path = f"/v1/customers/{bank.id_of('party:C1')}"
    allowed = [(await agent.request(method, path)).headers["allow"] for method in ("OPTIONS", "DELETE")]
    assert [set(one.split(", ")) for one in allowed] == [{"GET", "HEAD", "OPTIONS"}] * 2
    assert "HEAD" not in (await agent.delete(f"{path}/live")).headers["allow"]


async def test_no_cache_on_the_way_keeps_what_is_read_of_a_customer() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"))
    agent = await bank.sign_in("agent")
    one = f"/v1/customers/{bank.id_of('party:C1')}"
    said = {path: (await agent.get(path)).headers["cache-control"]
            for path in (one, f"{one}/timeline", f"{one}/identity", f"{one}/facts", "/v1/customers?customer_no=C1",
                         "/v1/customers/cus_nobody")}  # fmt: skip
    assert said.pop(one) == "private, no-cache", "it is asked for again by its version"
    assert set(said.values()) == {"no-store"}


async def test_an_id_that_never_was_is_not_found() -> None:
    bank = await open_bank()
    agent = await bank.sign_in("agent")
    answer = await agent.get("/v1/customers/cus_nobody")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_facts_come_with_unit_and_meaning() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"), opened("6001", "C1"), posted("6001", balance_after=BALANCE))
    agent = await bank.sign_in("agent")
    facts = (await agent.get(f"/v1/customers/{bank.id_of('party:C1')}/facts")).json()
    assert facts["values"]["balance_total"] == 100.0
    assert facts["meanings"]["balance_total"]["unit"] == "money"
    assert facts["values"].keys() | {*facts["missing"], *facts["not_covered"]} == facts["meanings"].keys()
    assert (facts["values"]["declines_24h"], facts["values"]["has_salary"]) == (0.0, False)
    assert {"missing", "not_covered", "moments", "version"} <= facts.keys()


async def test_sources_say_how_far_they_have_come_and_dead_letters_why() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"))
    admin = await bank.sign_in("admin")
    [source] = (await admin.get("/v1/sources")).json()["sources"]
    assert (source["source"], source["silent"]) == ("core", False)
    bank.clock.move_to(NOW + 7_200_000)
    [source] = (await admin.get("/v1/sources")).json()["sources"]
    assert source["silent"]
    assert (await admin.get("/v1/dead-letters")).json() == {"dead_letters": []}


def test_a_search_takes_every_kind_of_identifier() -> None:
    assert IdentifiersGiven.__struct_fields__ == KINDS


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("", 422, "give at least one identifier, or a name"),
        (
            "?account_no=1&account_no=2",
            400,
            "account_no may be given only once; send a second request for the other value",
        ),
    ],
)
async def test_who_asks_for_nobody_or_for_one_kind_twice_is_told_so(query: str, status: int, told: str) -> None:
    agent = await (await open_bank()).sign_in("agent")
    answer = await agent.get(f"/v1/customers{query}")
    assert (answer.status_code, answer.json()["detail"]) == (status, told)


async def test_a_search_for_nobody_is_refused() -> None:
    agent = await (await open_bank()).sign_in("agent")
    answer = await agent.post("/v1/customers/search", json={})
    assert (answer.status_code, answer.json()["reason"]) == (422, "missing_field")
