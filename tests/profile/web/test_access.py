"""Deny by default: who may ask for what, and what a refusal says."""

import pytest

from services.access import Role
from services.web.staff import openapi_document
from tests.profile.web.bank import open_bank, registered

READS = ("", "/timeline", "/identity", "/facts", "/live")


def every_route(customer_id: str) -> list[tuple[str, str]]:
    reads = [("GET", f"/v1/customers/{customer_id}{path}") for path in READS]
    decides = [
        ("POST", "/v1/customers/merge"),
        ("POST", "/v1/customers/split"),
        ("POST", "/v1/customers/erase"),
        ("POST", "/v1/reviews/rev_1/keep-apart"),
    ]
    lists = [("GET", path) for path in ("/v1/customers", "/v1/reviews", "/v1/dead-letters", "/v1/sources")]
    return [*reads, *decides, *lists, ("POST", "/v1/customers/search"), ("GET", "/schema/openapi.json")]


async def test_nobody_reads_or_decides_without_a_token() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"))
    for method, path in every_route(bank.id_of("party:C1")):
        answer = await bank.client.request(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json"), path
        assert answer.headers["www-authenticate"] == 'Bearer realm="counterpoint"'


async def test_the_list_of_routes_above_is_complete() -> None:
    bank = await open_bank()
    documented = {
        (method.upper(), path)
        for path, item in openapi_document(bank.litestar)["paths"].items()
        for method in item
        if method in ("get", "post", "put", "patch", "delete")
    }
    tried = {
        (method, path.replace("ID", "{customer_id}").replace("rev_1", "{review_id}"))
        for method, path in every_route("ID")
        if path.startswith("/v1/")
    }
    assert documented == tried


@pytest.mark.parametrize("token", ["Bearer cpt_made_up", "Basic cpt_made_up", "Bearer ", "cpt_made_up"])
async def test_a_made_up_token_is_challenged_and_not_repeated(token: str) -> None:
    bank = await open_bank()
    answer = await bank.client.get("/v1/sources", headers={"authorization": token})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "made_up" not in answer.text


@pytest.mark.parametrize(
    ("role", "path", "allowed"),
    [
        ("agent", "/v1/sources", True),
        ("agent", "/v1/reviews", False),
        ("manager", "/v1/reviews", True),
        ("manager", "/v1/dead-letters", False),
        ("admin", "/v1/dead-letters", True),
        ("admin", "/v1/reviews", True),
    ],
)
async def test_a_role_opens_what_it_answers_for(role: Role, path: str, allowed: bool) -> None:
    bank = await open_bank()
    client = await bank.sign_in(role)
    answer = await client.get(path)
    assert answer.status_code == (200 if allowed else 403)
    if not allowed:
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


async def test_an_agent_decides_nothing_and_is_refused_before_the_body_is_read() -> None:
    bank = await open_bank()
    agent = await bank.sign_in("agent")
    for path in ("/v1/customers/merge", "/v1/customers/split", "/v1/customers/erase"):
        assert (await agent.post(path, content=b"{")).status_code == 403


async def test_a_revoked_token_is_refused_within_a_second() -> None:
    bank = await open_bank()
    agent = await bank.sign_in("agent")
    assert (await agent.get("/v1/sources")).status_code == 200
    [user] = await bank.users.users()
    await bank.users.revoke(user.user_id, 1)
    bank.monotonic += 0.99
    answer = await agent.get("/v1/sources")
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
