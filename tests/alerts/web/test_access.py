"""Deny by default: who may read alerts, work them, and switch rules."""

import pytest

from services.access import Role
from services.web.staff import openapi_document
from tests.alerts.web.branch import Branch

STEPS = ("claim", "snooze", "plan", "contact", "outcome", "reassign", "false-alarm")
ROUTES: dict[tuple[str, str], Role] = {
    ("GET", "/v1/alerts"): "agent",
    ("GET", "/v1/alerts/live"): "agent",
    ("GET", "/v1/alerts/{alert_id}"): "agent",
    ("GET", "/v1/alerts/{alert_id}/events"): "agent",
    ("GET", "/v1/rules"): "agent",
    ("GET", "/v1/rules/history"): "agent",
    ("GET", "/v1/customers/{customer_id}/rules"): "agent",
    ("GET", "/v1/rules/precision"): "manager",
    ("GET", "/v1/notices"): "manager",
    ("GET", "/v1/team"): "manager",
    **{("POST", f"/v1/alerts/{{alert_id}}/{step}"): "manager" for step in STEPS},
    ("POST", "/v1/rules/{rule_id}/enable"): "admin",
    ("POST", "/v1/rules/{rule_id}/disable"): "admin",
}
RANKS: tuple[Role, ...] = ("agent", "manager", "admin")


def test_the_list_of_routes_is_complete() -> None:
    paths = openapi_document(Branch().litestar)["paths"]
    assert {(method.upper(), path) for path, item in paths.items() for method in item} == set(ROUTES)


def test_the_document_says_what_fields_mean() -> None:
    schemas = openapi_document(Branch().litestar)["components"]["schemas"]
    assert "`waiting`: a guard's id" in schemas["AlertShown"]["description"]
    for told in ("AlertShown", "StepRefused"):
        assert "the path of `false_alarm` is `false-alarm`" in schemas[told]["description"]
    assert "description" not in schemas["RuleSpoken"]


def test_the_document_says_which_answers_are_not_sent_again_to_who_has_them() -> None:
    read = openapi_document(Branch().litestar)["paths"]["/v1/alerts/{alert_id}"]["get"]
    assert "If-None-Match" in {one["name"] for one in read["parameters"]}
    assert all("ETag" in read["responses"][status]["headers"] for status in ("200", "304"))


def test_the_document_says_that_each_step_may_name_what_was_read() -> None:
    paths = openapi_document(Branch().litestar)["paths"]
    steps = [item["post"] for path, item in paths.items() if path.startswith("/v1/alerts/") and "post" in item]
    assert len(steps) == 7
    for step in steps:
        assert "If-Match" in {one["name"] for one in step["parameters"]}
        assert "412" in step["responses"]
        assert "ETag" in step["responses"]["200"]["headers"]


@pytest.mark.parametrize("path", ["/v1/alerts", "/v1/rules", "/v1/notices", "/v1/customers/c1/rules"])
async def test_an_answer_in_a_readers_language_says_so(path: str) -> None:
    branch = Branch()
    await branch.leaving()
    answer = await (await branch.sign_in("manager")).get(path, headers={"accept-language": "zh"})
    assert (answer.headers["vary"], answer.headers["content-language"]) == ("Accept-Language", "zh")


def test_the_document_says_that_a_filter_takes_any_of_several() -> None:
    asked = openapi_document(Branch().litestar)["paths"]["/v1/alerts"]["get"]["parameters"]
    several = {one["name"]: one["schema"]["description"] for one in asked if "Any of several" in str(one)}
    assert several.keys() == {"owner", "state", "kind", "severity", "situation", "rule"}
    assert several["kind"].startswith("retention, upsell, guard. ")


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_nobody_gets_in_without_a_token(method: str, path: str) -> None:
    answer = await Branch().client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")


@pytest.mark.parametrize(("method", "path"), [one for one, role in ROUTES.items() if role != "agent"])
async def test_a_role_below_the_routes_own_is_refused_before_the_body_is_read(method: str, path: str) -> None:
    branch = Branch()
    needed = ROUTES[method, path]
    for role in RANKS[: RANKS.index(needed)]:
        client = await branch.sign_in(role)
        answer = await client.request(method, path, content=b"{")
        assert answer.status_code == 403
        assert f'scope="{needed}"' in answer.headers["www-authenticate"]
    allowed = await branch.sign_in(needed)
    admitted = 200 if method == "GET" else 400
    assert (await allowed.request(method, path, content=b"{")).status_code == admitted
