"""What the inbox shows, to whom it is narrowed, and how it goes on from page to page."""

import httpx
import pytest

from services.alerts.attend import Attend
from services.alerts.domain.lifecycle import StepRequest
from services.alerts.domain.rules import Desk
from services.alerts.web.language import language
from tests.alerts.told import DAY, HOUR, NOON, moment, statement
from tests.alerts.web.branch import LEAVING, Branch


async def busy() -> tuple[Branch, httpx.AsyncClient]:
    """c1 to c4 leave, of M-1 and M-2, c2 with a large outflow beside; c5 may buy; greatest assets first."""
    branch = Branch()
    out = moment("m1", NOON, amount_home=9000.0)
    for number, owner in enumerate(("M-1", "M-2", "M-1", "M-2"), 1):
        facts = {**LEAVING, "assets": 50_000.0 - number * 10_000, "owner": owner}
        await branch.hear(statement(1, f"c{number}", moments=[out] if number == 2 else [], **facts))
    await branch.hear(statement(1, "c5", balance_total=5000.0))
    return branch, await branch.sign_in("manager", "M-1")


async def customers(client: httpx.AsyncClient, query: str = "") -> list[str]:
    answer = await client.get(f"/v1/alerts{query}")
    assert answer.status_code == 200, answer.text
    return [one["customer_id"] for one in answer.json()["alerts"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"c1", "c2", "c3", "c4", "c5"}),
        ("?owner=M-2", {"c2", "c4"}),
        ("?mine=true", {"c1", "c3", "c5"}),
        ("?kind=upsell", {"c5"}),
        ("?severity=2", {"c2"}),
        ("?situation=growth", {"c5"}),
        ("?rule=R1", {"c2"}),
        ("?rule=R4&owner=M-1", {"c1", "c3"}),
        ("?customer=c3", {"c3"}),
        ("?customer=nobody", set()),
        ("?state=routed", {"c1", "c2", "c3", "c4", "c5"}),
        ("?state=claimed", set()),
        ("?state=all", {"c1", "c2", "c3", "c4", "c5"}),
        ("?state=claimed&state=routed", {"c1", "c2", "c3", "c4", "c5"}),
        ("?owner=M-1&owner=M-2&kind=retention", {"c1", "c2", "c3", "c4"}),
        ("?owner=M-3,M-2&severity=1,3", {"c4"}),
        ("?kind=retention,upsell&severity=1&severity=2&rule=R1,U3", {"c2", "c5"}),
        ("?situation=growth&situation=leaving&state=closed,open", {"c1", "c2", "c3", "c4", "c5"}),
    ],
)
async def test_filters_narrow_the_inbox(query: str, expected: set[str]) -> None:
    _, client = await busy()
    assert set(await customers(client, query)) == expected


async def test_what_is_closed_leaves_the_inbox_and_stays_to_be_read() -> None:
    branch, client = await busy()
    alert = await branch.leaving("c9")
    chief = await branch.sign_in("manager")
    assert (await chief.post(f"/v1/alerts/{alert.alert_id}/false-alarm")).status_code == 200
    assert "c9" not in await customers(client)
    assert await customers(client, "?state=closed") == ["c9"]
    assert "c9" in await customers(client, "?state=all")


async def test_the_greatest_rank_comes_first_and_pages_join_without_gap_or_repeat() -> None:
    _, client = await busy()
    whole = await customers(client)
    assert whole[0] == "c2"  # twice as severe
    paged: list[str] = []
    query = "?limit=2"
    for _ in range(3):
        answer = (await client.get(f"/v1/alerts{query}")).json()
        paged += [one["customer_id"] for one in answer["alerts"]]
        query = f"?limit=2&cursor={answer['next']}"
    assert (paged, answer["next"]) == (whole, None)


@pytest.mark.parametrize("query", [
    "cursor=%22", "cursor=AAAA", "state=lost", "state=open,lost", "state=", "severity=4", "severity=x", "limit=0",
    "kind=x", "situation=x", "owner=", "customer=", "customer=c1&customer=c2", "customer=10000218",
    "customer=customer_no%3D10000218", "limit=1&limit=2", "mine=true&mine=false",
])  # fmt: skip
async def test_a_filter_that_means_nothing_is_refused(query: str) -> None:
    _, client = await busy()
    answer = await client.get(f"/v1/alerts?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["detail"]
    assert query.partition("=")[0] == answer.json()["field"]


async def test_what_was_escalated_to_a_superior_is_among_what_is_his_until_it_is_somebody_elses() -> None:
    branch = Branch()
    branch.current.take(branch.current.rules, Desk(superiors={"M-1": "M-9"}))
    alert = await branch.leaving("c1")
    superior, chief = await branch.sign_in("manager", "M-9", "Bo"), await branch.sign_in("manager", name="Chief")
    assert (await superior.get("/v1/alerts?mine=true")).json()["alerts"] == []
    await Attend(branch.store, branch.current).apply(alert.due_at)
    mine = (await superior.get("/v1/alerts?mine=true")).json()["alerts"]
    assert [(one["alert_id"], one["owner"]) for one in mine] == [(alert.alert_id, "M-1")]
    await chief.post(f"/v1/alerts/{alert.alert_id}/reassign", json={"to": "M-2"})
    assert (await superior.get("/v1/alerts?mine=true")).json()["alerts"] == []


async def test_mine_is_refused_where_the_token_works_no_portfolio() -> None:
    branch, _ = await busy()
    chief = await branch.sign_in("manager")
    answer = await chief.get("/v1/alerts?mine=true")
    assert (answer.status_code, answer.json()["field"]) == (422, "mine")


async def test_a_former_customer_id_asks_for_the_one_that_it_went_into() -> None:
    branch, client = await busy()
    await branch.hear(statement(2, "c1", kind="gone", aliases=["c9"]))
    assert await customers(client, "?customer=c1") == ["c9"]


async def test_what_had_ended_before_two_became_one_is_found_by_the_id_of_either_until_they_part() -> None:
    branch = Branch()
    client = await branch.sign_in("manager", "M-1")
    ended = await branch.leaving("c1")
    assert (await client.post(f"/v1/alerts/{ended.alert_id}/false-alarm")).status_code == 200
    await branch.hear(
        statement(2, "c1", kind="gone", aliases=["c9"]), statement(1, "c9", aliases=["c1"], merged=["c1"])
    )
    assert await customers(client, "?state=closed&customer=c9") == ["c1"]
    assert await customers(client, "?state=closed&customer=c1") == ["c1"]
    await branch.hear(statement(2, "c9", at=NOON + 9 * HOUR), statement(3, "c1", at=NOON + 9 * HOUR))
    assert await customers(client, "?state=closed&customer=c9") == []
    assert await customers(client, "?state=closed&customer=c1") == ["c1"]


async def test_an_alert_is_shown_whole_with_its_evidence_and_history() -> None:
    _, client = await busy()
    [found] = (await client.get("/v1/alerts?customer=c2")).json()["alerts"]
    one = (await client.get(f"/v1/alerts/{found['alert_id']}")).json()
    assert one == found
    wanted = {"alert_id", "customer_id", "kind", "situation", "severity", "title", "reason", "rules", "evidence",
              "owner", "state", "opened_at", "due_at", "suggested", "history"}  # fmt: skip
    assert wanted <= one.keys()
    assert one["rules"] == [{"id": "R4", "version": 1}, {"id": "R1", "version": 1}]
    salary, outflow = one["evidence"]
    assert (salary["event_id"], outflow["event_id"]) == (None, "m1")
    assert outflow["values"]["moment.amount_home"] == 9000.0
    assert salary["values"] == {"assets": 30_000.0, "has_salary": True, "salary_missed": 1.0}
    assert [step["action"] for step in one["history"]] == ["open", "evidence_added", "raise", "route"]
    assert one["possible"] == ["claim", "reassign", "false_alarm"]


async def test_a_value_at_stake_that_is_not_known_is_no_zero() -> None:
    branch, client = await busy()
    await branch.hear(statement(1, "c7", has_salary=True, salary_missed=1.0, missing=["assets"]))
    [found] = (await client.get("/v1/alerts?customer=c7")).json()["alerts"]
    assert (found["value"], found["evidence"][0]["value"]) == (None, None)
    told = (await client.get("/v1/customers/c7/rules")).json()["rules"]
    assert {one["id"]: one["value"] for one in told}["R4"] is None


async def test_an_unchanged_alert_is_not_sent_again_and_a_changed_one_is() -> None:
    branch, client = await busy()
    alert = await branch.leaving("c9")
    path = f"/v1/alerts/{alert.alert_id}"
    tag = (await client.get(path)).headers["etag"]
    assert (await client.get(path, headers={"if-none-match": tag})).status_code == 304
    assert (await client.get(path, headers={"if-none-match": tag, "accept-language": "zh"})).status_code == 200
    await client.post(f"{path}/claim")
    assert (await client.get(path, headers={"if-none-match": tag})).status_code == 200


async def test_texts_come_in_the_readers_language() -> None:
    branch, client = await busy()
    alert = await branch.leaving("c9")
    answer = await client.get(f"/v1/alerts/{alert.alert_id}", headers={"accept-language": "zh-CN,en;q=0.5"})
    assert (answer.json()["reason"], answer.headers["content-language"]) == ("R4", "zh")
    answer = await client.get(f"/v1/alerts/{alert.alert_id}")
    assert (answer.json()["reason"], answer.headers["content-language"]) == ("R4 holds", "en")


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, "en"), ("", "en"), ("zh", "zh"), ("zh-Hans-CN", "zh"), ("en,zh", "en"), ("en;q=0.3, zh;q=0.8", "zh"),
     ("fr, de", "en"), ("zh;q=x", "en"), ("zh;q=0", "en"), ("*", "en")],
)  # fmt: skip
def test_the_language_wanted_most_is_taken(header: str | None, expected: str) -> None:
    assert language(header) == expected


async def test_what_waits_says_what_for() -> None:
    branch, client = await busy()
    await branch.hear(statement(1, "c8", balance_total=5000.0, complaint_open=True))
    [one] = (await client.get("/v1/alerts?customer=c8")).json()["alerts"]
    assert (one["state"], one["waiting"], one["possible"]) == ("new", "G1", ["false_alarm"])
    answer = await client.post(f"/v1/alerts/{one['alert_id']}/claim")
    assert (answer.status_code, answer.json()["reason"]) == (409, "held_back")


async def test_a_snoozed_alert_says_until_when() -> None:
    branch, client = await busy()
    alert = await branch.leaving("c9")
    await client.post(f"/v1/alerts/{alert.alert_id}/claim")
    until = branch.clock.now_ms() + DAY
    user = (await branch.users.users())[0]
    await branch.act.on(alert.alert_id, StepRequest("snooze", until=until), user)
    assert (await client.get(f"/v1/alerts/{alert.alert_id}")).json()["snoozed_until"].startswith("2026-11-25T04")


async def test_the_inbox_says_what_each_customer_is_called_and_asks_once_for_all_of_them() -> None:
    branch, client = await busy()
    branch.names = {"c1": "王芳", "c3": "Li Wei"}
    branch.named.clear()
    told = (await client.get("/v1/alerts")).json()["alerts"]
    names = {one["customer_id"]: one["customer_name"] for one in told}
    assert names == {"c1": "王芳", "c2": None, "c3": "Li Wei", "c4": None, "c5": None}
    assert branch.named == [["c1", "c2", "c3", "c4", "c5"]]


async def test_a_name_that_has_changed_is_read_anew_though_the_alert_has_not() -> None:
    branch, client = await busy()
    path = f"/v1/alerts/{(await branch.leaving('c1')).alert_id}"
    branch.names = {"c1": "王芳"}
    read = await client.get(path)
    assert read.json()["customer_name"] == "王芳"
    branch.names = {}
    again = await client.get(path, headers={"if-none-match": read.headers["etag"]})
    assert (again.status_code, again.json()["customer_name"]) == (200, None)
    assert (await client.post(f"{path}/claim", headers={"if-match": read.headers["etag"]})).status_code == 200
