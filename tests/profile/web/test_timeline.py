"""What happened to a customer, newest first."""

from typing import Any

import httpx
import pytest

from tests.profile.web.bank import Bank, event, open_bank, opened, posted, registered


def on(day: int) -> str:
    return f"2026-11-{day:02d}T10:00:00+08:00"


async def story(bank: Bank) -> str:
    await bank.tell(
        registered("C1", "Wang Fang", phone="13912345678", occurred_at=on(1), id="1"),
        opened("6001", "C1", occurred_at=on(2), id="2"),
        posted("6001", occurred_at=on(3), id="3", counterparty={"name": "Old Mill Bakery", "kind": "shop"}),
        posted("6001", occurred_at=on(3), id="4", channel="atm"),
        event(
            "case.opened", {"case_id": "K1", "customer_no": "C1"}, occurred_at=on(5), id="5",
            case_kind="complaint", due_at="2026-11-12T18:00:00+08:00", note="called twice",
        ),
    )  # fmt: skip
    return f"/v1/customers/{bank.id_of('party:C1')}/timeline"


async def ids(client: httpx.AsyncClient, path: str, **params: Any) -> list[str]:
    return [one["id"] for one in (await client.get(path, params=params)).json()["events"]]


async def test_events_of_all_subjects_come_newest_first_in_the_form_that_channels_send() -> None:
    bank = await open_bank()
    path = await story(bank)
    agent = await bank.sign_in("agent")
    events = (await agent.get(path)).json()["events"]
    assert events[0]["id"] == "5"
    assert [one["id"] for one in events[-2:]] == ["2", "1"]
    bakery = next(one for one in events if one["id"] == "3")
    assert bakery["amount"] == {"value": "100.00", "currency": "CNY"}
    assert bakery["counterparty"]["name"] == "Old Mill Bakery"
    assert bakery["occurred_at"] == "2026-11-03T02:00:00Z"
    assert events[-1]["identifiers"]["phone"] == "+8613912345678"
    assert events[-1]["attributes"]["name"] == "Wang Fang"
    assert events[0]["attributes"]["due_at"] == "2026-11-12T10:00:00Z"
    assert events[0]["attributes"]["note"] == "called twice"


async def test_what_happened_in_one_instant_comes_in_the_order_that_its_source_tells() -> None:
    bank = await open_bank()
    path, order = await story(bank), "cafebd"
    await bank.tell(*(posted("6001", occurred_at=on(9), id=one, sequence=n) for n, one in enumerate(order)))
    assert (await ids(await bank.sign_in("agent"), path))[: len(order)] == list(reversed(order))


async def test_pages_follow_each_other_without_gap_or_repeat() -> None:
    bank = await open_bank()
    path = await story(bank)
    agent = await bank.sign_in("agent")
    whole = await ids(agent, path)
    found: list[str] = []
    cursor = None
    while True:
        page = (await agent.get(path, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        found += [one["id"] for one in page["events"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == whole
    assert len(whole) == 5


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"type": "transaction.posted"}, {"3", "4"}),
        ({"type": "account.opened,case.opened"}, {"2", "5"}),
        ({"type": ["account.opened", "case.opened"]}, {"2", "5"}),
        ({"channel": "atm"}, {"4"}),
        ({"since": "2026-11-03T10:00:00+08:00", "until": "2026-11-05T02:00:00Z"}, {"3", "4"}),
        ({"until": "2026-11-05T02:00:00Z", "type": "transaction.posted,case.opened"}, {"3", "4"}),
        ({"since": "2026-11-05T02:00:00Z"}, {"5"}),
        ({"type": "transaction.posted", "channel": "atm"}, {"4"}),
    ],
)
async def test_the_timeline_is_narrowed_by_type_channel_and_time(params: dict[str, Any], expected: set[str]) -> None:
    bank = await open_bank()
    path = await story(bank)
    agent = await bank.sign_in("agent")
    assert set(await ids(agent, path, **params)) == expected


@pytest.mark.parametrize(
    ("params", "field", "possible"),
    [
        ({"type": "case.open"}, "type", "case.opened"),
        ({"type": "card.paid,Wang Fang"}, "type", "GET /v1/event-types"),
        ({"channel": "atm,Wang Fang"}, "channel", "counter, atm, online"),
    ],
)
async def test_a_filter_that_nothing_can_match_is_refused_with_what_is_possible(
    params: dict[str, Any], field: str, possible: str
) -> None:
    bank = await open_bank()
    path = await story(bank)
    answer = await (await bank.sign_in("agent")).get(path, params=params)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert possible in answer.json()["detail"]
    assert "Wang Fang" not in answer.text
    assert "did you mean ?" not in answer.text


async def test_a_type_beyond_the_catalogue_narrows_where_it_has_happened() -> None:
    bank = await open_bank()
    path = await story(bank)
    await bank.tell(event("bank.own_type", {"customer_no": "C1"}, occurred_at=on(6), id="6"))
    assert await ids(await bank.sign_in("agent"), path, type="bank.own_type") == ["6"]


@pytest.mark.parametrize(
    "params",
    [{"since": "yesterday"}, {"cursor": "zz"}, {"cursor": f"1-{2**63}-{'a' * 32}"}, {"limit": 0}, {"limit": 501}],
)
async def test_what_cannot_be_meant_is_refused(params: dict[str, Any]) -> None:
    bank = await open_bank()
    path = await story(bank)
    agent = await bank.sign_in("agent")
    assert (await agent.get(path, params=params)).status_code == 400


async def test_an_attorney_s_own_story_is_not_that_of_the_account() -> None:
    bank = await open_bank()
    attorney = event("holder.added", {"account_no": "6001", "customer_no": "C2"}, role="attorney", occurred_at=on(1))
    await bank.tell(registered("C1"), registered("C2"), opened("6001", "C1"), attorney, posted("6001", id="not C2's"))
    agent = await bank.sign_in("agent")
    assert "not C2's" in await ids(agent, f"/v1/customers/{bank.id_of('party:C1')}/timeline")
    assert "not C2's" not in await ids(agent, f"/v1/customers/{bank.id_of('party:C2')}/timeline")


async def test_a_household_s_timeline_tells_each_event_of_a_joint_account_once() -> None:
    bank = await open_bank()
    joined = [event("household.joined", {"customer_no": number, "household_no": "H1"}) for number in ("C1", "C2")]
    await bank.tell(
        registered("C1"), registered("C2"), opened("6001", "C1"), opened("6001", "C2", role="joint"),
        *joined, posted("6001", id="once", occurred_at="2026-11-21T10:00:00+08:00"),
    )  # fmt: skip
    agent = await bank.sign_in("agent")
    found = await ids(agent, f"/v1/customers/{bank.id_of('household:H1')}/timeline")
    assert found.count("once") == 1


@pytest.mark.parametrize("query", ["from=2026-11-02", "since=2026-11-02T00:00:00Z&colour=red"])
async def test_a_filter_that_is_not_known_is_refused_not_passed_over(query: str) -> None:
    bank = await open_bank()
    path = await story(bank)
    agent = await bank.sign_in("agent")
    answer = await agent.get(f"{path}?{query}")
    assert answer.status_code == 400
    assert answer.json()["detail"] == "the parameters of this path are type, channel, since, until, cursor, limit"
    view = await agent.get(f"{path.removesuffix('/timeline')}?a=1")
    assert (view.status_code, view.json()["detail"]) == (400, "this path takes no parameters")
