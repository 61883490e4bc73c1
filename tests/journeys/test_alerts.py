"""Stories of what a manager is told of customers, on one machine and on the servers: from the events of the channels to
the inbox."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial

import pytest
import pytest_asyncio

from tests.journeys.bank import Json, ago, cny, event
from tests.journeys.inbox import (
    LONG_S,
    Inbox,
    customer_of,
    is_open,
    managed,
    moved,
    opened_inbox,
    outflow,
    paydays,
    salary,
    spoke,
    taken,
)
from tests.journeys.platforms import empty_servers, until

OWN_RULE = """
rules:
  - id: OWN1
    kind: retention
    situation: service_trouble
    name: {en: A word of praise or blame, zh: 客户评价}
    on: feedback
    when: [moment.score_percent <= 100.0]
    severity: "1.0"
    value_at_stake: "1.0"
    reason: {en: "{moment.score_percent} percent", zh: "{moment.score_percent}"}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["embedded", "servers"])
async def inbox(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Inbox]:
    async with AsyncExitStack() as closing:
        urls: dict[str, str] = {}
        if request.param == "servers":
            urls = await closing.enter_async_context(empty_servers(request.getfixturevalue("breakable_servers")))
        directory = tmp_path_factory.mktemp("alerts")
        yield await closing.enter_async_context(opened_inbox(directory, **urls))


async def test_a_salary_that_stops_is_told_to_the_owner_and_taken_back_when_it_comes_late(inbox: Inbox) -> None:
    number, manager = inbox.bank.no("employee"), inbox.bank.no("manager")
    await inbox.bank.tell(*customer_of(manager, number), *(salary(number, at) for at in paydays(10, 2)))
    await inbox.until(number, partial(has_owner, "R4", manager))
    alert = await inbox.open_one(number, "R4")
    assert (alert["owner"], alert["state"], alert["situation"]) == (manager, "routed", "leaving")
    [evidence] = alert["evidence"]
    assert evidence["values"]["salary_usual"] == 18_500.0
    assert evidence["values"]["salary_missed"] >= 1.0
    assert alert["due_at"] > alert["opened_at"]
    await inbox.bank.tell(*(salary(number, at) for at in paydays(1, 0)))
    [alert] = await inbox.until(number, lambda found: not any(map(is_open, found)))
    last = alert["history"][-1]
    assert (last["state"], last["actor"]) == ("withdrawn", "system")
    assert last["note"].startswith("R4 no longer holds")
    assert alert["evidence"][0]["ended_at"]


async def test_money_that_leaves_step_by_step_leads_to_the_payments_and_a_late_one_stands_apart(inbox: Inbox) -> None:
    number, manager = inbox.bank.no("leaver"), inbox.bank.no("manager")
    came = moved(number, 200, "200000.00", "200000.00", came=True)
    left = [moved(number, days, "30000.00", "100000.00") for days in (20, 12, 5)]
    await inbox.bank.tell(*customer_of(manager, number), came, *left)
    alert = await inbox.open_one(number, "R2")
    late = moved(number, 10, "777.00", "99223.00")
    await inbox.bank.tell(late)
    await inbox.bank.refreshed(number)
    told = await inbox.bank.get(f"/v1/alerts/{alert['alert_id']}/events", "manager")
    [evidence] = [one for one in told["evidence"] if one["rule"]["id"] == "R2"]
    [fact] = [one for one in evidence["facts"] if one["name"] == "external_outflow_30d"]
    assert (fact["value"], fact["counted"], fact["adds_up"]) == (90_000.0, 90_000.0, True)
    assert [one["id"] for one in fact["events"]] == [one["id"] for one in reversed(left)]
    assert [one["id"] for one in fact["came_later"]] == [late["id"]]


async def test_a_complaint_holds_an_offer_back_until_it_is_resolved(inbox: Inbox) -> None:
    number, manager, case = inbox.bank.no("rich"), inbox.bank.no("manager"), inbox.bank.no("case")
    await inbox.bank.tell(*customer_of(manager, number), moved(number, 1, "90000.00", "95000.00", came=True))
    assert (await inbox.open_one(number, "U1"))["state"] == "routed"
    complaint = event("case.opened", ago(0.5), "call_center", customer_no=number, case_id=case, case_kind="complaint")
    await inbox.bank.tell(complaint)
    await inbox.open_one(number, "R11")
    offer = await inbox.open_one(number, "U1")
    assert (offer["state"], offer["waiting"]) == ("new", "G1")
    refused = await inbox.bank.http.post(f"/v1/alerts/{offer['alert_id']}/claim", headers=inbox.bank.as_("manager"))
    assert (refused.status_code, refused.json()["reason"]) == (409, "held_back")
    await inbox.bank.tell(event("case.resolved", ago(0.1), "call_center", case_id=case))
    found = await inbox.until(number, lambda found: not any(is_open(one) and "R11" in spoke(one) for one in found))
    [offer] = [one for one in found if "U1" in spoke(one)]
    assert (offer["state"], offer["waiting"]) == ("routed", None)
    assert taken(offer)[-3:] == ["hold", "release", "route"]
    assert [one["state"] for one in found if "R11" in spoke(one)] == ["withdrawn"]


async def test_a_large_outflow_is_worked_to_its_outcome_and_not_told_again_so_soon(inbox: Inbox) -> None:
    number, manager = inbox.bank.no("leaving"), inbox.bank.no("manager")
    await inbox.bank.tell(*customer_of(manager, number), *outflow(number))
    alert = await inbox.open_one(number, "R1")
    [paid] = [one for one in alert["evidence"] if one["rule"]["id"] == "R1"]
    assert (paid["values"]["moment.amount_home"], paid["values"]["moment.percent_of_balance"]) == (90_000.0, 45.0)
    timeline = (await inbox.bank.get(f"/v1/customers/{alert['customer_id']}/timeline"))["events"]
    assert paid["event_id"] in {one["id"] for one in timeline}
    for step, body in (("claim", {}), ("contact", {"note": "called"}), ("outcome", {"result": "saved"})):
        alert = await inbox.act(alert, step, **body)
    assert (alert["state"], alert["claimed_by"], alert["outcome"]["result"]) == ("closed", "first manager", "saved")
    again = await inbox.bank.http.post(
        f"/v1/alerts/{alert['alert_id']}/outcome", json={"result": "lost"}, headers=inbox.bank.as_("manager")
    )
    assert again.status_code == 409
    await inbox.bank.tell(moved(number, 1, "50000.00", "60000.00"))
    # what comes after it in the stream was judged later: then the second payment has been judged, too
    await inbox.bank.tell(event("feedback.given", ago(0), "mobile", customer_no=number, score=1, scale=10))
    await inbox.open_one(number, "R28")
    assert [one["state"] for one in await inbox.of(number) if one["situation"] == "leaving"] == ["closed"]


async def test_a_merge_joins_the_open_alerts_and_a_split_parts_them_again(inbox: Inbox) -> None:
    numbers, manager = (inbox.bank.no("twin1"), inbox.bank.no("twin2")), inbox.bank.no("manager")
    for number in numbers:
        await inbox.bank.tell(*customer_of(manager, number), *outflow(number))
    alerts = [await inbox.open_one(number, "R1") for number in numbers]
    ids = [one["customer_id"] for one in alerts]
    merged = await inbox.bank.decide("merge", customer_ids=ids, reason="one person")
    found = await inbox.until(numbers[0], lambda found: any(is_open(one) and "merge" in taken(one) for one in found))
    [joined] = [one for one in found if is_open(one)]
    gone = next(one for one in ids if one != joined["customer_id"])
    assert {one["origin"] for one in joined["evidence"] if one["rule"]["id"] == "R1"} == {None, gone}
    [replaced] = [one for one in alerts if one["customer_id"] == gone]
    replaced = await inbox.bank.get(f"/v1/alerts/{replaced['alert_id']}", "manager")
    assert replaced["state"] == "superseded"
    assert joined["alert_id"] in replaced["history"][-1]["note"]
    for either in ids:
        assert replaced["alert_id"] in [one["alert_id"] for one in await inbox.of_id(either)]
    await inbox.bank.decide("split", customer_id=ids[0], decision_id=merged["decision_id"], reason="two after all")
    for number, own in zip(numbers, ids, strict=True):
        await inbox.until(number, partial(has_one_payment, own))


async def test_a_customer_who_asks_to_be_forgotten_is_and_what_is_open_is_taken_back(inbox: Inbox) -> None:
    bank = inbox.bank
    number, manager, name = bank.no("forgotten"), bank.no("manager"), f"Fang {bank.no('Wang')}"
    person = event("customer.registered", ago(900), customer_no=number, phone=f"+86139{bank.digits(8)}", name=name)
    await bank.tell(person, *customer_of(manager, number), *outflow(number))
    alert = await inbox.act(await inbox.open_one(number, "R1"), "claim", note=f"call {name}")
    asked = {"customer_id": alert["customer_id"], "reason": "asked for it in writing"}
    made = await bank.decide("erase", "admin", **asked)
    [withdrawn] = await inbox.until(number, lambda found: not any(map(is_open, found)))
    assert (withdrawn["state"], withdrawn["history"][-1]["note"]) == ("withdrawn", "the customer was erased")
    view = await bank.refreshed(number)
    assert (view["erased_at"], [one["balance"] for one in view["accounts"]]) == (made["at"], [cny("110000.00")])
    assert [await bank.customers(name=name), await bank.customers(phone=person["identifiers"]["phone"])] == [[], []]
    await bank.tell(person | {"id": bank.no("again")}, moved(number, 4, "10.00", "110000.00"))
    told = [view, withdrawn, await bank.about(view, "timeline"), await bank.about(view, "facts"),
            await bank.get(f"/v1/alerts/{alert['alert_id']}/events"), await bank.refreshed(number)]  # fmt: skip
    assert not [word for word in (name, "Elsewhere", "+86139", '"p_') if word in json.dumps(told)]


def has_one_payment(customer_id: str, found: list[Json]) -> bool:
    """One open alert, which tells of one payment of this customer."""
    alerts = [one for one in found if is_open(one)]
    said = [one for alert in alerts for one in alert["evidence"] if one["rule"]["id"] == "R1" and not one["ended_at"]]
    whose = [one["origin"] in (None, customer_id) for one in said]
    return [one["customer_id"] for one in alerts] == [customer_id] and whose == [True]


async def test_when_a_manager_leaves_the_successor_is_told_of_every_good_customer_the_richest_first(
    inbox: Inbox,
) -> None:
    leaves, stays = inbox.bank.no("leaves"), inbox.bank.no("stays")
    numbers = [inbox.bank.no(f"good{place}") for place in range(3)]
    for number, millions in zip(numbers, (7, 9, 8), strict=True):
        before, after = f"{millions}000000.00", f"{millions}060000.00"
        money = [moved(number, 200, before, before, came=True), moved(number, 1, "60000.00", after, came=True)]
        # a tier once given is kept for days: the first look at the customer must find the money
        for told in (*money, *customer_of(leaves, number)):
            await inbox.bank.tell(told)
            await inbox.bank.customer(account_no=f"{number}-a")
        await inbox.until(number, partial(has_owner, "U1", leaves))
    await inbox.bank.tell(managed("manager.left", 0.1, leaves, successor_id=stays))
    for number in numbers:
        await inbox.until(number, partial(has_owner, "R25", stays))
        await inbox.until(number, partial(has_owner, "U1", stays))
    found: list[Json] = (await inbox.bank.get("/v1/alerts", "manager", owner=stays, situation="hand_over"))["alerts"]
    assert [one["evidence"][0]["values"]["assets"] for one in found] == [9_060_000.0, 8_060_000.0, 7_060_000.0]


async def test_a_household_s_alert_comes_to_the_manager_of_its_richest_member_and_follows_the_successor(
    inbox: Inbox,
) -> None:
    home, rich, poor = (inbox.bank.no(f"family-{one}") for one in ("home", "rich", "poor"))
    managers = ("leaves", "stands-in", "stays", "other")
    leaves, stands_in, stays, other = (inbox.bank.no(f"family-{one}") for one in managers)
    for number, manager, assets in ((rich, leaves, "6100000.00"), (poor, other, "200000.00")):
        joined = event("household.joined", ago(290), customer_no=number, household_no=home)
        await inbox.bank.tell(*customer_of(manager, number), joined, moved(number, 90, assets, assets, came=True))
        owned = await until_owned(inbox, home, leaves)  # chosen before the money is known, it could be either
    assert (owned["kind"], owned["assets"]["band"], owned["owner"]["reason"]) == (
        "household",
        "above",
        "follows_member",
    )
    await inbox.bank.tell(moved(rich, 0.2, "2000000.00", "4100000.00"))
    found = await inbox.until(home, partial(has_owner, "R26", leaves), "household_no")
    mine = (await inbox.bank.get("/v1/alerts", "manager", owner=leaves, customer=owned["customer_id"]))["alerts"]
    assert ([one["state"] for one in found], [one["alert_id"] for one in mine]) == (["routed"], [found[0]["alert_id"]])
    away = {"from": ago(0.1), "until": ago(-3), "delegate_id": stands_in}
    await inbox.bank.tell(managed("manager.absent", 0.15, leaves, **away))
    await inbox.until(home, partial(has_owner, "R26", stands_in), "household_no")
    await inbox.bank.tell(managed("manager.left", 0.05, leaves, successor_id=stays))
    assert (await until_owned(inbox, home, stays))["owner"]["former"] == leaves
    [followed] = await inbox.until(home, partial(has_owner, "R26", stays), "household_no")
    assert (followed["alert_id"], followed["state"]) == (found[0]["alert_id"], "routed")
    assert taken(followed)[-2:] == ["hand_over", "hand_over"]
    for number in (rich, poor):
        assert "R26" not in [one["id"] for one in await spoken(inbox, number)]


async def test_what_members_of_a_household_have_together_is_told_once_of_the_household_and_of_none_of_them(
    inbox: Inbox,
) -> None:
    home, manager = inbox.bank.no("together"), inbox.bank.no("together-manager")
    members = [inbox.bank.no(f"together-{one}") for one in ("one", "two", "three")]
    for number in members:
        joined = event("household.joined", ago(290), customer_no=number, household_no=home)
        lay = moved(number, 90, "1700000.00", "1700000.00", came=True)
        await inbox.bank.tell(*customer_of(manager, number), joined, lay)
    near = await until_owned(inbox, home, manager)
    assert (near["kind"], near["assets"]["band"]) == ("household", "near")
    assert [one["id"] for one in await spoken(inbox, home, "household_no")] == []
    for number in members:  # each alone is far below, and rises as the household does
        await inbox.bank.tell(moved(number, 0.2, "60000.00", "1760000.00", came=True))
    await inbox.until(home, lambda found: any(is_open(one) and "U7" in spoke(one) for one in found), "household_no")
    for number in members:
        await inbox.until(number, lambda found: any(is_open(one) and "U1" in spoke(one) for one in found))
        view = await inbox.bank.refreshed(number)
        assert (view["assets"]["band"], view["assets"]["direction"]) == ("near", "rising")
        assert "U7" not in [one["id"] for one in await spoken(inbox, number)]


async def spoken(inbox: Inbox, number: str, kind: str = "customer_no") -> list[Json]:
    return [rule for alert in await inbox.of(number, kind) for rule in alert["rules"]]


async def until_owned(inbox: Inbox, household_no: str, manager: str) -> Json:
    """A household follows the owners of its members by a refresh of its own."""

    async def is_owned() -> bool:
        return owner_of(await inbox.bank.customers(household_no=household_no)) == manager

    await until(is_owned)
    return await inbox.bank.customer(household_no=household_no)


def owner_of(views: list[Json]) -> str | None:
    return next((one["owner"]["manager_id"] for one in views if one["owner"]), None)


def has_owner(rule: str, owner: str, found: list[Json]) -> bool:
    return any(is_open(one) and rule in spoke(one) and one["owner"] == owner for one in found)


async def test_a_salary_file_that_is_late_for_everybody_raises_no_alarm_then_or_after(inbox: Inbox) -> None:
    """All but one of the salaries are in the file: that one is told once the source has come so far."""
    manager, numbers = inbox.bank.no("manager"), [inbox.bank.no(f"paid{place}") for place in range(12)]
    key = await inbox.source("payroll", "corebank")

    async def complete(days: float) -> None:
        await inbox.bank.tell(event("source.heartbeat", ago(days), complete_up_to=ago(days)), key=key)

    async def is_behind() -> bool:
        await inbox.bank.tell(event("page.viewed", ago(0), "mobile", customer_no=numbers[0], page="/"))
        view = await inbox.bank.customer(customer_no=numbers[0])
        return "salary_missed" in (await inbox.bank.about(view, "facts"))["missing"]

    await complete(50)
    await until(is_behind, LONG_S)
    for number in numbers:
        earned = [salary(number, at) for at in paydays(10, 2)]
        await inbox.bank.tell(*customer_of(manager, number), *earned)
        await inbox.bank.tell(event("page.viewed", ago(0), "mobile", customer_no=number, page="/"))
    *lucky, forgotten = numbers
    await inbox.bank.tell(*(salary(number, at) for number in lucky for at in paydays(1, 0)))
    await complete(0)
    await inbox.open_one(forgotten, "R4")
    assert [one for number in lucky for one in await inbox.of(number) if "R4" in spoke(one)] == []


async def test_changed_rules_are_loaded_while_running_and_a_bad_file_leaves_the_good_one_standing(
    inbox: Inbox,
) -> None:
    number, file = inbox.bank.no("critic"), inbox.rules / "own.yaml"
    file.write_text(OWN_RULE)

    async def loaded() -> bool:
        return "OWN1" in await inbox.rule_ids()

    await until(loaded)
    await inbox.bank.tell(*customer_of(inbox.bank.no("manager"), number))
    await inbox.bank.tell(event("feedback.given", ago(0), "mobile", customer_no=number, score=10, scale=10))
    await inbox.open_one(number, "OWN1")
    before = await loaded_rules(inbox)
    file.write_text(OWN_RULE.replace("moment.score_percent <= 100.0", "no_such_fact >= 1.0"))
    (inbox.rules / "added.yaml").write_text(OWN_RULE.replace("OWN1", "OWN2"))
    await asyncio.sleep(2 * LONG_S + 4.0)  # nobody tells a reader that a file was refused: twice the time of a look
    assert await loaded_rules(inbox) == before
    file.write_text("changed_by: Wang Lei\n" + OWN_RULE.replace("id: OWN1", "id: OWN1\n    version: 2"))

    async def both() -> bool:
        return {"OWN1", "OWN2"} <= await inbox.rule_ids()

    await until(both)

    async def written() -> bool:
        return len((await inbox.bank.get("/v1/rules/history", rule="OWN1"))["editions"]) == 2

    await until(written)
    history = (await inbox.bank.get("/v1/rules/history", rule="OWN1"))["editions"]
    assert [(one["change"], one["version"]) for one in history] == [("changed", 2), ("added", 1)]
    assert (history[0]["actor"], history[0]["declared"]["when"]) == ("Wang Lei", ["moment.score_percent <= 100.0"])
    for one in (file, inbox.rules / "added.yaml"):
        one.unlink()


async def loaded_rules(inbox: Inbox) -> Json:
    """Without what outcomes teach of them meanwhile."""
    told: Json = await inbox.bank.get("/v1/rules")
    return {**told, "rules": [{**one, "precision": None} for one in told["rules"]]}
