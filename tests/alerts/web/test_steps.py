"""What a manager does with an alert, and what he or she is told when it cannot be."""

import asyncio
from typing import Any

import httpx
import pytest

from schemas.instants import instant
from services.alerts.screens import INBOX, inbox_of
from services.alerts.web.documents import StepRefused
from tests.alerts.told import DAY, NOON
from tests.alerts.web.branch import Branch
from tests.patience import HANG_S

TOMORROW = instant(NOON + 2 * DAY)
SOLD = {"result": "sold", "product": "fund-7", "amount": {"value": "50000.00", "currency": "CNY"}, "note": "signed"}


async def at_work(branch: Branch) -> tuple[str, httpx.AsyncClient]:
    alert = await branch.leaving()
    return f"/v1/alerts/{alert.alert_id}", await branch.sign_in("manager", "M-1", "Li")


async def test_an_alert_goes_from_its_claim_to_its_outcome() -> None:
    path, manager = await at_work(Branch())
    steps: list[tuple[str, dict[str, Any], str]] = [
        ("claim", {"note": "mine"}, "claimed"), ("plan", {"at": TOMORROW, "note": "at home"}, "planned"),
        ("snooze", {"until": TOMORROW, "note": "away"}, "snoozed"), ("contact", {"note": "called"}, "contacted"),
        ("outcome", SOLD, "closed"),
    ]  # fmt: skip
    for step, body, state in steps:
        answer = await manager.post(f"{path}/{step}", json=body)
        assert (answer.status_code, answer.json()["state"]) == (200, state), answer.text
    closed = (await manager.get(path)).json()
    assert closed["outcome"] == {**SOLD, "reason": ""}
    assert [(one["actor"], one["action"], one["note"]) for one in closed["history"]][-5:] == [
        ("Li", "claim", "mine"), ("Li", "plan", "at home"), ("Li", "snooze", "away"), ("Li", "contact", "called"),
        ("Li", "outcome", "sold: signed"),
    ]  # fmt: skip
    assert (closed["planned_at"], closed["possible"]) == (TOMORROW, [])


async def test_a_step_that_names_what_was_read_is_refused_once_that_has_changed() -> None:
    path, manager = await at_work(Branch())
    read = {"If-Match": (await manager.get(path)).headers["etag"]}
    claimed = await manager.post(f"{path}/claim", headers=read)
    refused = await manager.post(f"{path}/contact", headers=read)
    assert (refused.status_code, refused.headers["content-type"]) == (412, "application/problem+json")
    problem = refused.json()
    assert (problem["reason"], problem["state"], problem["claimed_by"]) == ("changed_meanwhile", "claimed", "Li")
    assert "contact" in problem["possible"]
    assert (await manager.get(path)).json()["state"] == "claimed"
    then = await manager.post(f"{path}/contact", headers={"If-Match": claimed.headers["etag"]})
    assert (then.status_code, then.headers["etag"]) == (200, (await manager.get(path)).headers["etag"])


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ("*", 200), ("{tag}", 200), ('"1-en", {tag}', 200), ("W/{tag}", 412), ('"1-en"', 412), ('"Li"', 412),
        ("1", 412),
    ],
)  # fmt: skip
async def test_any_of_several_tags_may_be_the_alerts_and_a_weak_one_never_is(tags: str, status: int) -> None:
    path, manager = await at_work(Branch())
    tag = (await manager.get(path, headers={"accept-language": "zh"})).headers["etag"]
    answer = await manager.post(f"{path}/claim", headers={"If-Match": tags.replace("{tag}", tag)})
    assert answer.status_code == status


async def test_screens_are_told_of_a_step() -> None:
    branch = Branch()
    path, manager = await at_work(branch)
    async with asyncio.timeout(HANG_S), branch.notifications.subscribe(INBOX) as heard:  # not to hang the suite
        await manager.post(f"{path}/claim")
        assert path.endswith((await anext(heard)).decode())


async def test_the_screens_of_one_manager_are_told_of_what_is_or_was_his_alone() -> None:
    branch = Branch()
    mine, other = await branch.leaving("c1", owner="M-1"), await branch.leaving("c2", owner="M-2")
    chief = await branch.sign_in("manager", name="Chief")
    async with asyncio.timeout(HANG_S), branch.notifications.subscribe(inbox_of("M-1")) as heard:
        await chief.post(f"/v1/alerts/{other.alert_id}/claim")
        await branch.leaving("c3", owner="M-2")
        await chief.post(f"/v1/alerts/{mine.alert_id}/reassign", json={"to": "M-2"})
        assert (await anext(heard)).decode() == mine.alert_id
        await chief.post(f"/v1/alerts/{mine.alert_id}/claim")
        await chief.post(f"/v1/alerts/{other.alert_id}/reassign", json={"to": "M-1"})
        assert (await anext(heard)).decode() == other.alert_id


async def test_a_claim_needs_no_body_and_a_false_alarm_is_one_action() -> None:
    path, manager = await at_work(Branch())
    assert (await manager.post(f"{path}/claim")).json()["claimed_by"] == "Li"
    answer = await manager.post(f"{path}/false-alarm", json={"note": "the file was late"})
    assert answer.json()["outcome"] == {
        "result": "not_relevant", "reason": "false_alarm", "note": "the file was late", "product": "", "amount": None
    }  # fmt: skip


async def test_who_claims_second_is_told_who_was_first_and_what_is_possible() -> None:
    branch = Branch()
    path, manager = await at_work(branch)
    chief = await branch.sign_in("manager", name="Chief")
    assert (await manager.post(f"{path}/claim")).status_code == 200
    answer = await chief.post(f"{path}/claim")
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert (problem["reason"], problem["claimed_by"], problem["state"]) == ("already_claimed", "Li", "claimed")
    assert "contact" in problem["possible"]
    assert "Li has claimed it" in problem["detail"]
    assert set(StepRefused.__struct_fields__) == problem.keys(), "the API document says all that is told"


async def test_that_the_customer_was_spoken_to_needs_no_words() -> None:
    path, manager = await at_work(Branch())
    await manager.post(f"{path}/claim")
    answer = await manager.post(f"{path}/contact")
    assert (answer.status_code, answer.json()["state"]) == (200, "contacted")


async def test_who_may_not_yet_is_told_nobodys_name_where_nobody_has_claimed() -> None:
    path, manager = await at_work(Branch())
    problem = (await manager.post(f"{path}/outcome", json={"result": "sold", "note": ""})).json()
    assert (problem.get("status"), problem.get("claimed_by", None)) == (409, None)


@pytest.mark.parametrize("step", ["claim", "contact", "false-alarm"])
async def test_an_unknown_field_is_told_the_known_ones_where_the_body_may_be_left_out(step: str) -> None:
    path, manager = await at_work(Branch())
    answer = await manager.post(f"{path}/{step}", json={"why": "x"})
    assert (answer.status_code, answer.json()["detail"]) == (400, "why: unknown field, known are note")


@pytest.mark.parametrize("step", ["claim", "contact", "false-alarm"])
@pytest.mark.parametrize("body", [b"[null]", b"[]", b"1", b'"x"', b"true"])
async def test_what_is_no_object_is_refused_where_the_body_may_be_left_out(step: str, body: bytes) -> None:
    path, manager = await at_work(Branch())
    answer = await manager.post(f"{path}/{step}", content=body)
    assert (answer.status_code, answer.json()["detail"]) == (400, "a JSON object is expected")


async def test_an_outcome_posted_twice_is_told_what_the_alert_is_now() -> None:
    path, manager = await at_work(Branch())
    await manager.post(f"{path}/claim")
    assert (await manager.post(f"{path}/outcome", json={"result": "saved"})).status_code == 200
    again = await manager.post(f"{path}/outcome", json={"result": "saved"})
    assert again.status_code == 409
    assert {**again.json(), "detail": ""} == {
        "type": "about:blank", "title": "Conflict", "status": 409, "detail": "", "reason": "illegal_step",
        "field": "action", "state": "closed", "claimed_by": "Li", "possible": [],
    }  # fmt: skip
    assert len((await manager.get(path)).json()["history"]) == 4


async def test_a_manager_outside_the_portfolio_is_refused_until_it_is_reassigned() -> None:
    branch = Branch()
    path, manager = await at_work(branch)
    other = await branch.sign_in("manager", "M-2", "Wu")
    answer = await other.post(f"{path}/claim")
    assert (answer.status_code, answer.json()["reason"]) == (403, "not_yours")
    assert (await manager.post(f"{path}/reassign", json={"to": "M-2", "note": "on leave"})).json()["owner"] == "M-2"
    assert (await other.post(f"{path}/claim")).json()["claimed_by"] == "Wu"


@pytest.mark.parametrize(
    ("step", "body", "field"),
    [
        ("outcome", {"result": "not_relevant"}, "reason"),
        ("outcome", {"result": "sold"}, "product"),
        ("outcome", {"result": "sold", "product": "fund"}, "amount"),
        ("outcome", {"result": "sold", "product": "f", "amount": {"value": "1.234", "currency": "CNY"}}, "amount"),
        ("outcome", {"result": "sold", "product": "f", "amount": {"value": "1", "currency": "XYZ"}}, "amount"),
        ("snooze", {"until": instant(NOON)}, "until"),
        ("plan", {"at": instant(NOON)}, "at"),
        ("reassign", {"to": " "}, "to"),
        ("contact", {"note": "x" * 2001}, "note"),
    ],
)
async def test_what_cannot_be_meant_is_refused_by_field(step: str, body: dict[str, Any], field: str) -> None:
    path, manager = await at_work(Branch())
    await manager.post(f"{path}/claim")
    answer = await manager.post(f"{path}/{step}", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
    assert (await manager.get(path)).json()["state"] == "claimed"


@pytest.mark.parametrize(
    ("step", "body", "place", "told"),
    [
        ("outcome", {}, "result", "required"),
        ("outcome", {"result": "won"}, "result", "one of saved, lost, sold, not_relevant, unreachable is expected"),
        ("outcome", {"result": "saved", "amount": {"value": "1", "currency": 3}}, "amount.currency", "text is"),
        ("outcome", {"result": "saved", "amount": "1"}, "amount", "a JSON object of value and currency is expected"),
        ("snooze", {"until": "2027-01-01T00:00:00"}, "until", "a time with its zone is expected, such as 2026-"),
        ("plan", {"at": "tomorrow"}, "at", "a time with its zone is expected, such as 2026-"),
        ("reassign", {"note": "no word to whom"}, "to", "required"),
    ],
)
async def test_a_body_of_another_shape_is_refused_naming_the_place_and_what_is_expected(
    step: str, body: dict[str, Any], place: str, told: str
) -> None:
    path, manager = await at_work(Branch())
    await manager.post(f"{path}/claim")
    answer = await manager.post(f"{path}/{step}", json=body)
    assert answer.status_code == 400
    assert answer.json()["field"] == place
    assert answer.json()["detail"].startswith(f"{place}: {told}")


async def test_a_step_on_nothing_is_not_found() -> None:
    _, manager = await at_work(Branch())
    assert (await manager.post("/v1/alerts/al_none/claim")).status_code == 404
