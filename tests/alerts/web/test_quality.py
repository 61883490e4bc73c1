"""How right the rules are over HTTP, and what is told of those that do not speak."""

from typing import Any

import httpx
import pytest

from services.alerts.domain.notices import notice
from services.alerts.ports import RuleSwitch
from services.alerts.record import record_file
from tests.alerts.told import NOON, rule, rules
from tests.alerts.web.branch import Branch

OWNED = rules(rule("R4", when=("has_salary", "salary_missed >= 1.0"), owner="M-9"))


async def closed(desk: Branch, customer_id: str, result: dict[str, Any], **facts: Any) -> None:
    alert = await desk.leaving(customer_id, **facts)
    chief = await desk.sign_in("manager")
    for step, body in (("claim", {}), ("outcome", result)):
        answer = await chief.post(f"/v1/alerts/{alert.alert_id}/{step}", json=body)
        assert answer.status_code == 200, answer.text


async def worked() -> tuple[Branch, httpx.AsyncClient]:
    branch = Branch(OWNED)
    await closed(branch, "c1", {"result": "saved"}, branch="BJ")
    await closed(branch, "c2", {"result": "not_relevant", "reason": "moved"}, branch="BJ", owner="M-2")
    await closed(branch, "c3", {"result": "lost"}, branch="SH")
    return branch, await branch.sign_in("manager")


async def test_precision_is_told_by_rule_branch_and_manager_or_together() -> None:
    _, manager = await worked()

    async def told(**asked: Any) -> list[tuple[Any, ...]]:
        found = (await manager.get("/v1/rules/precision", params=asked)).json()["outcomes"]
        return [(one["rule"], one["branch"], one["owner"], one["closed"], one["relevant"]) for one in found]

    assert await told() == [("R4", None, None, 3, 0.6667)]
    assert await told(by=["branch"]) == [(None, "BJ", None, 2, 0.5), (None, "SH", None, 1, 1.0)]
    assert await told(by=["owner", "rule"]) == [("R4", None, "M-1", 2, 1.0), ("R4", None, "M-2", 1, 0.0)]
    assert await told(by="owner,rule") == await told(by=["owner", "rule"])
    assert await told(rule="R1") == []
    refused = await manager.get("/v1/rules/precision", params={"by": "rule,colour"})
    assert (refused.status_code, refused.json()["detail"]) == (400, "by: colour is none of rule, branch, owner")


async def test_notices_say_what_does_not_speak_and_what_to_do_in_both_languages() -> None:
    branch, manager = await worked()
    told = notice(OWNED, "R4", "paused", 5, began=True, seen=101, among=12)
    async with branch.store.working() as tx:
        await tx.notify([told])
    found = (await manager.get("/v1/notices")).json()
    [one] = found["standing"]
    assert one["said"] == "Rule R4 (R4) is paused: it began to speak of 101 customers in one day, at most 12 before"
    assert (one["owner"], one["actor"], one["to_do"][:25]) == ("M-9", "system", "See whether a file is lat")
    chinese = (await manager.get("/v1/notices", headers={"accept-language": "zh"})).json()
    assert "已暂停" in chinese["standing"][0]["said"]
    await branch.store.switch(RuleSwitch("R4", True, "Mei", 6))
    async with branch.store.working() as tx:
        await tx.notify([notice(OWNED, "R4", "paused", 7, began=False, actor="Mei")])
    found = (await manager.get("/v1/notices")).json()
    assert (found["standing"], [one["began"] for one in found["recent"]]) == ([], [False, True])
    assert found["recent"][0]["said"] == "Rule R4 (R4) is paused no longer"


async def test_who_changed_the_desk_is_told_to_everybody_and_what_destinations_say_to_nobody() -> None:
    branch, _ = await worked()
    for file, settings in (("desk.yaml", {"daily_capacity": 9}), ("destinations.yaml", {"destinations": []})):
        await record_file(branch.store, file, settings, "Wang Lei", NOON)
    agent = await branch.sign_in("agent")

    async def told(of: str) -> list[tuple[Any, ...]]:
        found = (await agent.get("/v1/rules/history", params={"rule": of})).json()["editions"]
        return [(one["rule"], one["file"], one["change"], one["actor"], one["settings"]) for one in found]

    assert await told("desk.yaml") == [(None, "desk.yaml", "added", "Wang Lei", {"daily_capacity": 9})]
    assert await told("destinations.yaml") == [(None, "destinations.yaml", "added", "Wang Lei", None)]


async def test_how_managers_did_is_not_for_agents() -> None:
    branch, _ = await worked()
    agent = await branch.sign_in("agent")
    for path in ("/v1/rules/precision", "/v1/notices"):
        assert (await agent.get(path)).status_code == 403


@pytest.mark.parametrize(
    "path", ["/v1/rules/history?rule=A&rule=B", "/v1/rules/history?limit=1&limit=2", "/v1/notices?limit=1&limit=2",
             "/v1/rules/precision?rule=A&rule=B", "/v1/alerts/live?mine=true&mine=false"],
)  # fmt: skip
async def test_what_can_be_asked_for_once_only_is_not_half_heard(path: str) -> None:
    _, manager = await worked()
    answer = await manager.get(path)
    field = path.partition("?")[2].partition("=")[0]
    told = (answer.status_code, answer.json().get("field"), answer.json()["detail"])
    assert told == (400, field, f"{field} can be asked for once only")
