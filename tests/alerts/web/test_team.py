"""What a team leader sees of his or her people."""

from typing import Any

import httpx
import pytest

from services.alerts.domain.rules import Desk
from tests.alerts.told import DAY, statement
from tests.alerts.web.branch import LEAVING, Branch

SOLD = {"result": "sold", "product": "fund-7", "amount": {"value": "50000.00", "currency": "CNY"}}


async def at_work() -> tuple[Branch, dict[str, str]]:
    """M-1 has two open alerts, one of them claimed, and has closed two; M-2 has one; both report to M-9."""
    branch = Branch()
    branch.current.take(branch.current.rules, Desk(superiors={"M-1": "M-9", "M-2": "M-9"}))
    paths = {}
    for number, owner in enumerate(("M-1", "M-1", "M-1", "M-1", "M-2"), 1):
        await branch.hear(statement(1, f"c{number}", **{**LEAVING, "owner": owner}))
        paths[f"c{number}"] = f"/v1/alerts/{(await branch.leaving(f'c{number}', owner=owner)).alert_id}"
    manager = await branch.sign_in("manager", "M-1", "Li")
    for customer in ("c1", "c2", "c3"):
        assert (await manager.post(f"{paths[customer]}/claim")).status_code == 200
    assert (await manager.post(f"{paths['c2']}/outcome", json=SOLD)).status_code == 200
    assert (await manager.post(f"{paths['c3']}/false-alarm")).status_code == 200
    return branch, paths


async def team(client: httpx.AsyncClient, query: str = "") -> dict[str, Any]:
    answer = await client.get(f"/v1/team{query}")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_leader_sees_what_is_open_with_each_and_what_came_of_what_they_closed() -> None:
    branch, _ = await at_work()
    told = await team(await branch.sign_in("manager", "M-9", "Chief"))
    figures = {one["owner"]: one for one in told["members"]}
    assert list(figures) == ["M-1", "M-2", "M-9"]
    assert figures["M-1"] == {
        "owner": "M-1", "open": 2, "overdue": 0, "waiting": 0, "unclaimed": 1, "in_hand": 1, "planned": 0, "saved": 0,
        "lost": 0, "sold": 1, "not_relevant": 1, "unreachable": 0, "relevant": 0.5,
        "amounts": [{"value": "50000.00", "currency": "CNY"}],
    }  # fmt: skip
    assert (figures["M-9"]["open"], figures["M-9"]["relevant"]) == (0, None)
    together = told["together"]
    assert (together["owner"], together["open"], together["sold"], together["relevant"]) == (None, 3, 1, 0.5)


async def test_what_nobody_answered_in_time_is_overdue_and_another_month_has_its_own_outcomes() -> None:
    branch, _ = await at_work()
    branch.clock.move_to(branch.clock.now_ms() + 40 * DAY)
    told = await team(await branch.sign_in("manager", "M-9", "Chief"))
    assert [one["overdue"] for one in told["members"]] == [2, 1, 0]
    assert told["together"]["relevant"] is None
    before = await team(await branch.sign_in("manager", "M-9", "Chief"), "?month=2026-11")
    assert (before["since"], before["until"]) == ("2026-10-31T16:00:00Z", "2026-11-30T16:00:00Z")
    assert before["together"]["sold"] == 1


async def test_who_leads_nobody_sees_his_own_and_who_oversees_all_sees_all_or_whom_he_names() -> None:
    branch, _ = await at_work()
    own = await team(await branch.sign_in("manager", "M-2", "Wu"))
    assert [one["owner"] for one in own["members"]] == ["M-2"]
    everybody = await branch.sign_in("manager", None, "Head")
    assert [one["owner"] for one in (await team(everybody))["members"]] == ["M-1", "M-2"]
    assert [one["owner"] for one in (await team(everybody, "?owner=M-2,M-7"))["members"]] == ["M-2", "M-7"]


@pytest.mark.parametrize("month", ["2026-13", "2026", "11", "", "2026-11-01"])
async def test_a_month_is_named_as_such(month: str) -> None:
    answer = await (await Branch().sign_in("manager")).get("/v1/team", params={"month": month})
    assert (answer.status_code, answer.json()["field"]) == (400, "month")
