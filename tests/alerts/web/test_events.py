"""From an alert to the events behind it."""

from services.alerts.web.documents import AlertEvents
from services.web.staff import openapi_document
from tests.alerts.told import NOON, moment, statement
from tests.alerts.web.branch import LEAVING, Branch


async def test_each_piece_of_evidence_says_which_rule_in_which_version_saw_it_when_and_from_which_events() -> None:
    branch = Branch()
    alert = await branch.leaving()
    await branch.hear(statement(2, moments=[moment("m1", NOON, amount_home=9000.0)], **LEAVING))
    answer = await (await branch.sign_in("agent")).get(f"/v1/alerts/{alert.alert_id}/events")
    told = answer.json()
    assert (told["alert_id"], told["customer_id"]) == (alert.alert_id, "c1")
    assert [(one["rule"], one["customer_version"], one["origin"]) for one in told["evidence"]] == [
        ({"id": "R4", "version": 1}, 1, None), ({"id": "R1", "version": 1}, 2, None),
    ]  # fmt: skip
    assert "salary_missed" in {one["name"] for one in told["evidence"][0]["facts"]}
    assert answer.headers["cache-control"] == "private, no-cache"
    assert [customer for customer, _ in branch.asked] == ["c1", "c1"]


async def test_evidence_from_before_a_merge_is_looked_up_by_the_id_of_then() -> None:
    branch = Branch()
    await branch.leaving("c2")
    await branch.hear(statement(2, "c2", kind="gone", aliases=["c1"]), statement(1, "c1", merged=["c2"], **LEAVING))
    manager = await branch.sign_in("manager")
    [alert] = (await manager.get("/v1/alerts", params={"customer": "c1"})).json()["alerts"]
    branch.asked.clear()
    told = (await manager.get(f"/v1/alerts/{alert['alert_id']}/events")).json()
    origins = [one["origin"] for one in told["evidence"]]
    assert "c2" in origins
    assert [customer for customer, _ in branch.asked] == [origin or "c1" for origin in origins]


async def test_an_alert_nobody_knows_is_not_found() -> None:
    answer = await (await Branch().sign_in("agent")).get("/v1/alerts/al_none/events")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["detail"] == "no alert has this id"


def test_the_document_describes_the_answer() -> None:
    document = openapi_document(Branch().litestar)
    answers = document["paths"]["/v1/alerts/{alert_id}/events"]["get"]["responses"]
    assert answers["200"]["content"]["application/json"]["schema"]["$ref"].endswith(AlertEvents.__name__)
    assert {"401", "403", "404", "503"} <= set(answers)
    assert "`came_later`" in document["components"]["schemas"]["FactEvents"]["description"]
