"""What update has committed is read at once, refreshed or not: here nothing refreshes unless a test says so."""

from typing import Any

import httpx
import pytest

from services.profile.adapters.policies import declarations_of, files_of
from services.profile.domain.states.months import OtherShape
from services.profile.domain.value.policy import Policy
from services.profile.ports.records import Mark
from tests.profile.test_refresh import CUT_OFF, NONSENSE, garble
from tests.profile.web.bank import DAY, Bank, open_bank, opened, posted, registered

CASH = {"value": "55.00", "currency": "CNY"}


async def get(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.get(path)).json()
    return answer


async def one_customer(bank: Bank) -> str:
    await bank.tell(registered("C1"), opened("6001", "C1"))
    return f"/v1/customers/{bank.id_of('party:C1')}"


async def test_an_event_is_in_view_facts_and_search_before_any_refresh() -> None:
    bank = await open_bank()
    path = await one_customer(bank)
    agent = await bank.sign_in("agent")
    before = await get(agent, path)
    await bank.take([posted("6001", balance_after=CASH)])
    view = await get(agent, path)
    assert view["accounts"][0]["balance"] == CASH
    assert view["version"] == before["version"]
    assert (await get(agent, f"{path}/facts"))["values"]["balance_total"] == 55.0
    [found] = (await get(agent, "/v1/customers?account_no=6001"))["customers"]
    assert found["accounts"] == view["accounts"]


async def test_what_is_read_before_a_refresh_is_what_the_refresh_then_writes() -> None:
    bank = await open_bank()
    path = await one_customer(bank)
    agent = await bank.sign_in("agent")
    bank.clock.move_to(bank.clock.now_ms() + 60_000)
    await bank.take([posted("6001", balance_after=CASH)])
    early = await get(agent, path)
    await bank.refresh()
    late = await get(agent, path)
    decided = {"version", "changed_at", "tier", "owner", "value"}
    assert {name: early[name] for name in early.keys() - decided} == {
        name: late[name] for name in late.keys() - decided
    }


async def test_the_etag_tells_apart_what_waits_beyond_a_version() -> None:
    bank = await open_bank()
    path = await one_customer(bank)
    agent = await bank.sign_in("agent")
    tags = [(await agent.get(path)).headers["etag"]]
    for value in ("1.00", "2.00"):
        await bank.take([posted("6001", value)])
        answer = await agent.get(path, headers={"if-none-match": ", ".join(tags)})
        assert answer.status_code == 200
        tags.append(answer.headers["etag"])
        assert (await agent.get(path, headers={"if-none-match": tags[-1]})).status_code == 304
    assert tags[1].startswith(tags[0].rstrip('"') + "+")
    await bank.refresh()
    tags.append((await agent.get(path)).headers["etag"])
    assert "+" not in tags[-1]
    assert len(set(tags)) == 4


async def test_a_mark_behind_which_nothing_has_changed_leaves_the_version_its_tag() -> None:
    bank = await open_bank()
    path = await one_customer(bank)
    agent = await bank.sign_in("agent")
    tag = (await agent.get(path)).headers["etag"]
    async with bank.store.updating() as tx:
        await tx.mark([Mark("party:C1", 5)])
    assert await bank.store.marks_waiting()
    assert (await agent.get(path)).headers["etag"] == tag


async def test_a_customer_who_has_just_come_is_shown_with_version_0_and_no_tier() -> None:
    bank = await open_bank()
    agent = await bank.sign_in("agent")
    await bank.take([registered("C1", "Wang Fang"), opened("6001", "C1"), posted("6001", balance_after=CASH)])
    answer = await agent.get(f"/v1/customers/{bank.id_of('party:C1')}")
    assert (answer.status_code, answer.json()["version"], answer.json()["tier"]) == (200, 0, None)
    for found in (await agent.post("/v1/customers/search", json={"name": "wang fang"})).json()["customers"]:
        assert found["customer_id"] == bank.id_of("party:C1")
    assert found["person"]["name"]["value"] == "Wang Fang"


async def test_a_tier_is_shown_as_it_was_last_decided() -> None:
    bank = await open_bank()
    path = await one_customer(bank)
    agent = await bank.sign_in("agent")
    before = await get(agent, path)
    rich = {"value": "9000000.00", "currency": "CNY"}
    await bank.take([posted("6001", "9000000.00", balance_after=rich)])
    now = await get(agent, path)
    assert now["value"]["score"] != before["value"]["score"]
    assert (now["tier"], now["owner"]) == (before["tier"], before["owner"])


async def test_an_id_that_was_just_absorbed_leads_on_at_once() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"), posted("6001", id="early"))
    agent = await bank.sign_in("agent")
    former = f"/v1/customers/{bank.id_of('account:6001')}"
    assert (await get(agent, former))["kind"] == "anonymous"
    await bank.take([opened("6001", "C1")])
    for path in (former, f"{former}/timeline", f"{former}/facts"):
        answer = await agent.get(path)
        assert answer.json()["customer_id"] == bank.id_of("party:C1")
        assert answer.headers["content-location"] == f"/v1/customers/{bank.id_of('party:C1')}"
    [found] = (await get(agent, "/v1/customers?account_no=6001"))["customers"]
    assert [one["account_no"] for one in found["accounts"]] == ["6001"]


async def test_a_merge_and_its_undoing_show_at_once() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"), opened("6001", "C1"), registered("C2"), opened("6002", "C2"))
    left, right = bank.id_of("party:C1"), bank.id_of("party:C2")
    manager = await bank.sign_in("manager")
    body = {"customer_ids": [left, right], "reason": "the same"}
    assert (await manager.post("/v1/customers/merge", json=body)).json()["customer_ids"] == [left]
    merged = await get(manager, f"/v1/customers/{right}")
    assert (merged["customer_id"], len(merged["accounts"])) == (left, 2)
    body = {"customer_id": right, "reason": "they are not"}
    assert (await manager.post("/v1/customers/split", json=body)).json()["customer_ids"] == [left, right]
    for customer_id, account in ((left, "6001"), (right, "6002")):
        view = await get(manager, f"/v1/customers/{customer_id}")
        assert [one["account_no"] for one in view["accounts"]] == [account]


async def test_a_name_finds_those_who_bear_it_now() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1", "Wang Fang"), registered("C2", "Wang Fang"))
    later = registered("C1", "Li Fang", occurred_at="2026-11-21T10:00:00+08:00")
    await bank.take([later])
    agent = await bank.sign_in("agent")
    found = (await agent.post("/v1/customers/search", json={"name": "Wang Fang"})).json()["customers"]
    assert [one["customer_id"] for one in found] == [bank.id_of("party:C2")]


async def test_until_states_of_another_release_are_rebuilt_the_view_stands_as_it_was_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bank = await open_bank()
    path = await one_customer(bank)
    agent = await bank.sign_in("agent")
    before = await get(agent, path)
    await bank.take([posted("6001", balance_after=CASH)])

    def other(*_: object) -> None:
        raise OtherShape("heads")

    monkeypatch.setattr("services.profile.adapters.memory_customers.kept_subject", other)
    assert await get(agent, path) == before | {"up_to_date": False}


@pytest.mark.parametrize("heads", [CUT_OFF, NONSENSE])
async def test_who_cannot_be_combined_is_shown_as_last_written_and_said_not_to_be_up_to_date(heads: bytes) -> None:
    bank = await open_bank()
    path = await one_customer(bank)
    agent = await bank.sign_in("agent")
    before, tag = await get(agent, path), (await agent.get(path)).headers["etag"]
    assert before["up_to_date"]
    await bank.take([posted("6001", balance_after=CASH)])
    await garble(bank.store, "account:6001", heads)
    known = {"If-None-Match": tag}
    assert (await agent.get(path, headers=known)).json() == before | {"up_to_date": False}
    assert not (await get(agent, f"{path}/facts"))["up_to_date"]
    assert (await get(agent, "/v1/customers?account_no=6001"))["customers"] == [before | {"up_to_date": False}]
    for part in ("timeline", "identity"):
        assert (await agent.get(f"{path}/{part}")).status_code == 200


async def test_who_was_never_written_and_cannot_be_combined_is_a_problem_and_no_mistake() -> None:
    bank = await open_bank()
    await bank.take([registered("C1"), opened("6001", "C1"), registered("C2")])
    await garble(bank.store, "account:6001")
    agent = await bank.sign_in("agent")
    for path in (f"/v1/customers/{bank.id_of('party:C1')}", "/v1/customers?account_no=6001"):
        answer = await agent.get(path)
        assert (answer.status_code, answer.json()["reason"]) == (503, "cannot_be_shown")
    found = (await agent.post("/v1/customers/search", json={"account_no": "6001", "customer_no": "C2"})).json()
    assert ([one["customer_id"] for one in found["customers"]], found["more"]) == ([bank.id_of("party:C2")], True)


async def test_days_are_counted_up_to_the_day_of_reading_though_nothing_was_written_since() -> None:
    bank = await open_bank()
    path = await one_customer(bank)
    agent = await bank.sign_in("agent")
    before = await get(agent, f"{path}/facts")
    bank.clock.move_to(bank.clock.now_ms() + 3 * DAY)
    after = await get(agent, f"{path}/facts")
    assert after["values"]["days_since_last_event"] - before["values"]["days_since_last_event"] == 3
    assert after["version"] == before["version"]


async def test_who_looks_again_sees_the_same_until_more_is_committed_or_the_day_is_over() -> None:
    bank = await open_bank()
    path = await one_customer(bank)
    agent = await bank.sign_in("agent")
    await bank.take([posted("6001", balance_after=CASH)])
    first, seen = await agent.get(path), [await get(agent, path)]
    bank.clock.move_to(bank.clock.now_ms() + 60_000)
    again = await agent.get(path)
    assert (again.json(), again.headers["etag"]) == (first.json(), first.headers["etag"])
    more = {"value": "77.00", "currency": "CNY"}
    await bank.take([posted("6001", balance_after=more, occurred_at="2026-11-20T11:00:00+08:00")])
    seen.append(await get(agent, path))
    bank.clock.move_to(bank.clock.now_ms() + DAY)
    seen.append(await get(agent, path))
    assert [one["accounts"][0]["balance"] for one in seen] == [CASH, more, more]
    assert len({one["changed_at"] for one in seen}) == 3


async def test_those_looked_at_long_ago_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.profile.recent_views.MOST", 2)
    bank = await open_bank()
    agent = await bank.sign_in("agent")
    await bank.take([registered(f"C{number}") for number in range(3)])

    async def told_at(number: int) -> str:
        bank.clock.move_to(bank.clock.now_ms() + 1_000)
        return str((await get(agent, f"/v1/customers/{bank.id_of(f'party:C{number}')}"))["changed_at"])

    first = [await told_at(number) for number in (0, 1)]
    assert await told_at(0) == first[0]
    await told_at(2)
    assert await told_at(0) == first[0]
    assert await told_at(1) != first[1]


async def test_who_looks_again_after_a_refresh_sees_the_version_that_it_wrote() -> None:
    bank = await open_bank()
    path = await one_customer(bank)
    agent = await bank.sign_in("agent")
    await bank.take([posted("6001", balance_after=CASH)])
    early = await get(agent, path)
    await bank.refresh()
    async with bank.store.updating() as tx:
        await tx.mark([Mark("party:C1", 5)])
    assert (await get(agent, path))["version"] == early["version"] + 1


DOLLARS = {"value": "100.00", "currency": "USD"}


def by_rates(usd: str) -> Policy:
    written = files_of().texts()
    rates = f"base: CNY\nrates: {{USD: {{2026-01-01: '{usd}'}}}}".encode()
    tables = written.reference._replace(product={**written.reference.product, "rates.yaml": rates})
    return declarations_of(written._replace(reference=tables), None).policy


async def holds_dollars(bank: Bank) -> str:
    path = await one_customer(bank)
    bank.policy.take(by_rates("7.00"))
    await bank.tell(posted("6001", balance_after=DOLLARS, amount=DOLLARS))
    return path


async def shown(client: httpx.AsyncClient, path: str) -> tuple[str, int, str]:
    """(assets, version, tag)"""
    answer = await client.get(path)
    view = answer.json()
    return view["assets"]["total"]["value"], view["version"], answer.headers["etag"]


async def test_a_view_as_it_was_written_is_shown_by_the_rates_of_now() -> None:
    bank = await open_bank()
    path, agent = await holds_dollars(bank), await bank.sign_in("agent")
    assets, version, tag = await shown(agent, path)
    assert assets == "700.00"
    bank.policy.take(by_rates("7.50"))
    once = await shown(agent, path)
    assert once[:2] == ("750.00", version)
    assert once[2] != tag
    assert await shown(agent, path) == once
    assert (await get(agent, f"{path}/facts"))["values"]["assets"] == 750.0
    bank.policy.take(by_rates("7.00"))
    assert await shown(agent, path) == ("700.00", version, tag)


async def test_a_view_combined_by_former_rates_is_not_shown_again() -> None:
    bank = await open_bank()
    path, agent = await holds_dollars(bank), await bank.sign_in("agent")
    await bank.take([posted("6001", balance_after={**DOLLARS, "value": "200.00"}, amount=DOLLARS)])
    assert (await shown(agent, path))[0] == "1400.00"
    bank.policy.take(by_rates("7.50"))
    assert (await shown(agent, path))[0] == "1500.00"


async def test_a_refresh_writes_and_tells_what_other_rates_have_changed() -> None:
    bank = await open_bank()
    path, agent = await holds_dollars(bank), await bank.sign_in("agent")
    bank.policy.take(by_rates("7.50"))
    before = await shown(agent, path)
    async with bank.store.updating() as tx:
        await tx.mark([Mark("party:C1", 0)])
    assert await bank.refresh() == [bank.id_of("party:C1")]
    after = await shown(agent, path)
    assert after[:2] == ("750.00", before[1] + 1)


async def test_rates_that_concern_nobody_change_no_version_and_no_tag() -> None:
    bank = await open_bank()
    path, agent = await one_customer(bank), await bank.sign_in("agent")
    before = await shown(agent, path)
    bank.policy.take(by_rates("7.50"))
    assert await shown(agent, path) == before
    async with bank.store.updating() as tx:
        await tx.mark([Mark("party:C1", 0)])
    assert await bank.refresh() == []
