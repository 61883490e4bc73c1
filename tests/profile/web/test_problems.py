"""A problem document says what is wrong, and never repeats what was sent."""

from typing import Any

import pytest

from services.failures import Unavailable
from services.web.problems import ProblemDocument
from services.web.staff import openapi_document
from tests.profile.web.bank import Bank, open_bank, opened, posted, registered

SECRETS = ("Wang Fang", "13912345678", "4111111111111111", "11010519491231002X")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/customers/search", {"phone": ["13912345678"]}),
        ("/v1/customers/search", {"phone": "13912345678 Wang Fang"}),
        ("/v1/customers/search", {"email": "Wang Fang"}),
        ("/v1/customers/search", {"Wang Fang": "x"}),
        ("/v1/customers/search", {"identifiers": {"13912345678": "x"}}),
        ("/v1/customers/search", "Wang Fang"),
        ("/v1/customers/search", {"card_no": "4111111111111111" * 10}),
        ("/v1/customers/merge", {"customer_ids": ["Wang Fang", "13912345678"], "reason": "x"}),
        ("/v1/customers/merge", {"customer_ids": ["a", "b"], "reason": "Wang Fang" * 100}),
        ("/v1/customers/split", {"customer_id": "11010519491231002X", "reason": "x"}),
        ("/v1/reviews/13912345678/keep-apart", {"reason": "Wang Fang"}),
    ],
)
async def test_a_refused_body_is_not_repeated(path: str, body: Any) -> None:
    bank = await open_bank()
    manager = await bank.sign_in("manager")
    answer = await manager.post(path, json=body)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert not [secret for secret in SECRETS if secret in answer.text]
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/customers?Wang%20Fang=1",
        "/v1/customers?email=13912345678",
        "/v1/customers/Wang%20Fang",
        "/v1/customers/13912345678/timeline",
        "/v1/dead-letters?limit=13912345678x",
        "/v1/13912345678",
    ],
)
async def test_a_refused_address_is_not_repeated(path: str) -> None:
    bank = await open_bank()
    admin = await bank.sign_in("admin")
    answer = await admin.get(path)
    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"] == "application/problem+json"
    assert not [secret for secret in SECRETS if secret in answer.text]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limit=13912345678x", "limit: a whole number is expected"),
        ("limit=0", "limit: a whole number >= 1 is expected"),
        ("limit=1001", "limit: a whole number <= 1000 is expected"),
        ("state=lost", "state: open or replayed is expected"),
    ],
)
async def test_a_parameter_that_cannot_be_meant_is_named_with_what_is_expected(query: str, detail: str) -> None:
    bank = await open_bank()
    admin = await bank.sign_in("admin")
    answer = await admin.get(f"/v1/dead-letters?{query}")
    assert (answer.status_code, answer.json()["detail"]) == (400, detail)


@pytest.mark.parametrize(
    ("asked", "headers", "field"),
    [
        ("?phone=13912345678", {}, "phone"),
        ("?customer_no=C1&customer_no=C2", {}, "customer_no"),
        ("?colour=red", {}, "colour"),
        ("?13912345678=1", {}, None),
        ("/{id}?colour=red", {}, "colour"),
        ("/{id}/timeline?since=yesterday", {}, "since"),
        ("/{id}/timeline?until=yesterday", {}, "until"),
        ("/{id}/timeline?cursor=next", {}, "cursor"),
        ("/{id}/timeline?since=2026-11-02T00:00:00Z&until=2026-11-02T00:00:00Z", {}, "until"),
        ("/{id}/timeline?since=2026-11-03T00:00:00Z&until=2026-11-02T00:00:00Z", {}, "until"),
        ("/{id}", {"Counterpoint-Receipt": "lost"}, "Counterpoint-Receipt"),
    ],
)
async def test_a_question_with_a_mistake_in_one_place_is_told_the_place(
    asked: str, headers: dict[str, str], field: str | None
) -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"))
    agent = await bank.sign_in("agent")
    answer = await agent.get(f"/v1/customers{asked.format(id=bank.id_of('party:C1'))}", headers=headers)
    assert (answer.status_code, answer.json().get("field")) == (400, field)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/customers/{id}/timeline", "limit=5&limit=1"),
        ("/v1/customers/{id}/timeline", "since=2026-11-02&since=2026-11-03"),
        ("/v1/customers/{id}/timeline", "until=2026-11-02&until=2026-11-03"),
        ("/v1/customers/{id}/timeline", "cursor=a&cursor=b"),
        ("/v1/dead-letters", "limit=5&limit=1"),
        ("/v1/dead-letters", "state=open&state=replayed"),
        ("/v1/reviews", "limit=5&limit=1"),
    ],
)
async def test_what_can_be_asked_for_once_only_is_not_half_heard(path: str, query: str) -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"))
    admin = await bank.sign_in("admin")
    answer = await admin.get(f"{path.format(id=bank.id_of('party:C1'))}?{query}")
    field = query.partition("=")[0]
    told = (answer.status_code, answer.json().get("field"), answer.json()["detail"])
    assert told == (400, field, f"{field} can be asked for once only")


async def test_a_list_may_be_said_again_or_with_commas() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"))
    agent = await bank.sign_in("agent")
    for query in ("channel=atm&channel=counter", "type=card.paid,case.opened&type=card.issued"):
        answer = await agent.get(f"/v1/customers/{bank.id_of('party:C1')}/timeline?{query}")
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "field", "detail"),
    [
        (b'{"customers": ["a", "b"]}', "customers", "customers: unknown field, known are customer_ids, reason"),
        (b'{"customer_ids": ["a", "b"]}', "reason", "reason: required"),
        (b'{"customer_ids": ["a"], "reason": "x"}', "customer_ids", "customer_ids: a list of length 2 is expected"),
        (b'{"customer_ids": ["a", 2], "reason": "x"}', "customer_ids[1]", "customer_ids[1]: text is expected"),
        (b"[]", None, "a JSON object is expected"),
        (b"", None, "a body in JSON is expected"),
        (b"{", None, "the body is not valid JSON"),
    ],
)
async def test_a_body_that_does_not_fit_is_told_the_field_and_what_is_expected(
    body: bytes, field: str | None, detail: str
) -> None:
    bank = await open_bank()
    manager = await bank.sign_in("manager")
    answer = await manager.post("/v1/customers/merge", content=body)
    assert answer.status_code == 400
    assert (answer.json().get("field"), answer.json()["detail"]) == (field, detail)
    assert answer.json().keys() <= set(ProblemDocument.__struct_fields__), "the API document says all that is told"


async def test_a_body_that_is_too_large_or_no_json_is_a_problem() -> None:
    bank = await open_bank()
    agent = await bank.sign_in("agent")
    assert (await agent.post("/v1/customers/search", content=b'{"name": "')).status_code == 400
    answer = await agent.post("/v1/customers/search", json={"name": "x" * 100_000})
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    assert answer.json()["detail"] == "a body has at most 65536 bytes"
    assert "413" in openapi_document(bank.litestar)["paths"]["/v1/customers/search"]["post"]["responses"]


async def test_a_wrong_method_is_a_problem() -> None:
    bank = await open_bank()
    agent = await bank.sign_in("agent")
    answer = await agent.delete("/v1/customers/cus_1")
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")


def broken(bank: Bank, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def customers() -> None:
        raise error

    monkeypatch.setattr(bank.store, "customers", customers)


async def test_a_database_that_is_away_is_told_with_the_time_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bank = await open_bank()
    agent = await bank.sign_in("agent")
    broken(bank, Unavailable("somewhere", retry_after=2.4), monkeypatch)
    answer = await agent.get("/v1/customers/cus_1")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert "somewhere" not in answer.text


async def test_what_a_newer_release_has_written_is_not_changed_and_the_caller_comes_again() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1", "Wang Fang"), opened("6001", "C1"), posted("6001"))
    async with bank.store.updating() as tx:
        row = (await tx.lock_subjects({"account:6001": frozenset()}))["account:6001"]
        row.fold_version += 1
        await tx.save_subjects([row])
    manager = await bank.sign_in("manager")
    wrong = {"customer_id": bank.id_of("party:C1"), "subject": "account:6001", "reason": "not hers"}
    answer = await manager.post("/v1/customers/split", json=wrong)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert "newer release" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0


async def test_a_bug_is_logged_by_its_place_and_not_by_its_words(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bank = await open_bank()
    agent = await bank.sign_in("agent")
    broken(bank, ValueError("Wang Fang"), monkeypatch)
    answer = await agent.get("/v1/customers/cus_1")
    assert answer.status_code == 500
    assert "Wang Fang" not in answer.text + caplog.text
    assert "ValueError at" in caplog.text
