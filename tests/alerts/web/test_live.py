"""The inbox as it changes, over a real connection."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from services.alerts.ports import AlertFilter
from services.alerts.screens import inbox_of
from services.alerts.web.live import Follow, tag_of
from services.failures import Unavailable
from services.notifications import LocalNotifications
from services.web import live
from services.web.asgi import serve
from tests.alerts.told import statement
from tests.alerts.web.branch import LEAVING, Branch
from tests.event_streams import next_event, sent
from tests.patience import HANG_S

Json = dict[str, Any]


@asynccontextmanager
async def serving(branch: Branch) -> AsyncIterator[str]:
    server = await serve(branch.app, grace_s=1)
    try:
        async with asyncio.timeout(HANG_S):  # a stream that should have ended must not hang the suite
            yield f"http://127.0.0.1:{server.port}"
    finally:
        await branch.notifications.close()
        await server.stop()


@asynccontextmanager
async def following(url: str, client: httpx.AsyncClient, seen: str = "") -> AsyncIterator[AsyncIterator[str]]:
    headers = {**client.headers, **({"last-event-id": seen} if seen else {})}
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, timeout=HANG_S) as connected,
        connected.stream("GET", "/v1/alerts/live", params=dict(client.params)) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield answer.aiter_lines()


async def test_what_could_not_be_told_while_names_were_away_is_told_at_the_next_look() -> None:
    branch = Branch()
    await branch.leaving("c1")
    follow = Follow(branch.backend, AlertFilter(), "en", "")
    branch.profile_is_away = True
    with pytest.raises(Unavailable):
        await told_by(follow)
    branch.profile_is_away = False
    assert [name for name, _ in await told_by(follow)] == ["inbox"]
    second, third = await branch.leaving("c2"), await branch.leaving("c3")
    branch.profile_is_away = True
    with pytest.raises(Unavailable):
        await told_by(follow)
    branch.profile_is_away, branch.named = False, []
    told = await told_by(follow)
    assert {(name, alert["alert_id"]) for name, alert in told} == {
        ("alert", second.alert_id),
        ("alert", third.alert_id),
    }
    assert branch.named == [["c2", "c3"]]
    assert await told_by(follow) == []


async def told_by(follow: Follow) -> list[tuple[str, Json]]:
    """Name and content of each event."""
    lines = [one.decode().splitlines() async for one in follow.look()]
    return [
        (next(line[7:] for line in one if line.startswith("event: ")),
         json.loads(next(line[6:] for line in one if line.startswith("data: "))))
        for one in lines
    ]  # fmt: skip


async def test_a_screen_gets_the_inbox_and_then_each_alert_that_changes() -> None:
    branch = Branch()
    first = await branch.leaving("c1")
    manager = await branch.sign_in("manager")
    agent = await branch.sign_in("agent")
    async with serving(branch) as url, following(url, agent) as lines:
        name, _, inbox = await sent(lines)
        assert (name, [one["alert_id"] for one in inbox["alerts"]]) == ("inbox", [first.alert_id])
        second = await branch.leaving("c2")
        name, _, alert = await sent(lines)
        assert (name, alert["alert_id"], alert["state"]) == ("alert", second.alert_id, "routed")
        await manager.post(f"/v1/alerts/{first.alert_id}/claim")
        name, _, alert = await sent(lines)
        assert (alert["alert_id"], alert["claimed_by"]) == (first.alert_id, "manager")
        await manager.post(f"/v1/alerts/{first.alert_id}/outcome", json={"result": "saved"})
        name, _, alert = await sent(lines)
        assert (alert["alert_id"], alert["state"]) == (first.alert_id, "closed")


async def test_the_screens_of_a_queue_are_told_that_somebody_has_claimed_from_it() -> None:
    branch = Branch()
    alert = await branch.leaving(owner="", branch="BJ-1")
    li = await branch.sign_in("manager", "M-1", "Li")
    async with branch.notifications.subscribe(inbox_of("queue:BJ-1")) as messages:
        await li.post(f"/v1/alerts/{alert.alert_id}/claim")
        await branch.notifications.close()
        assert [one async for one in messages] == [alert.alert_id.encode()]


async def test_an_inbox_that_was_empty_tells_each_step_once_and_the_end_as_well() -> None:
    branch = Branch()
    manager = await branch.sign_in("manager")
    async with serving(branch) as url, following(url, manager) as lines:
        _, empty, inbox = await sent(lines)
        assert inbox == {"alerts": []}
        first = await branch.leaving("c1")
        second = await branch.leaving("c2")
        seen = [await sent(lines), await sent(lines)]
        assert {alert["alert_id"] for _, _, alert in seen} == {first.alert_id, second.alert_id}
        assert empty not in {tag for _, tag, _ in seen}
        await manager.post(f"/v1/alerts/{first.alert_id}/false-alarm")
        _, _, alert = await sent(lines)
        assert (alert["alert_id"], alert["state"]) == (first.alert_id, "closed")


async def test_a_manager_follows_what_is_his_and_sees_it_go_to_another() -> None:
    branch = Branch()
    await branch.leaving("c1", owner="M-2")
    mine = await branch.leaving("c2", owner="M-1")
    chief = await branch.sign_in("manager", name="Chief")
    manager = await branch.sign_in("manager", "M-1")
    manager.params = manager.params.set("mine", "true")
    async with serving(branch) as url, following(url, manager) as lines:
        _, _, inbox = await sent(lines)
        assert [one["customer_id"] for one in inbox["alerts"]] == ["c2"]
        await branch.leaving("c3", owner="M-2")
        await chief.post(f"/v1/alerts/{mine.alert_id}/reassign", json={"to": "M-2"})
        name, _, alert = await sent(lines)
        assert (name, alert["alert_id"], alert["owner"]) == ("alert", mine.alert_id, "M-2")


@pytest.mark.parametrize("asked", [{"mine": "true"}, {"owner": "M-1"}, {}])
async def test_once_an_alert_has_left_a_screen_its_tag_is_that_of_an_empty_inbox(asked: dict[str, str]) -> None:
    branch = Branch()
    alert = await branch.leaving("c1", owner="M-1")
    manager = await branch.sign_in("manager", "M-1")
    step, body = ("reassign", {"to": "M-2"}) if asked else ("outcome", {"result": "saved"})
    if not asked:
        await manager.post(f"/v1/alerts/{alert.alert_id}/claim")
    screen = await branch.sign_in("manager", "M-1", name="Screen")
    screen.params = screen.params.merge(asked)
    async with serving(branch) as url, following(url, screen) as lines:
        await sent(lines)
        chief = await branch.sign_in("manager", name="Chief")
        assert (await (chief if asked else manager).post(f"/v1/alerts/{alert.alert_id}/{step}", json=body)).is_success
        assert (await sent(lines))[:2] == ("alert", tag_of({}))


@pytest.mark.parametrize("asked", [{"mine": "true"}, {"owner": "M-1"}, {}])
async def test_an_alert_that_stays_on_a_screen_stays_in_its_tag(asked: dict[str, str]) -> None:
    branch = Branch()
    alert = await branch.leaving("c1", owner="M-1")
    manager = await branch.sign_in("manager", "M-1")
    screen = await branch.sign_in("manager", "M-1", name="Screen")
    screen.params = screen.params.merge(asked)
    async with serving(branch) as url, following(url, screen) as lines:
        await sent(lines)
        await manager.post(f"/v1/alerts/{alert.alert_id}/claim")
        heard = (await sent(lines))[:2]
        claimed = await branch.store.alert(alert.alert_id)
        assert claimed is not None
        assert heard == ("alert", tag_of({alert.alert_id: claimed.revision}))


async def test_what_is_mine_is_followed_whomever_else_is_asked_for() -> None:
    branch = Branch()
    await branch.leaving("c1", owner="M-2")
    await branch.leaving("c2", owner="M-1")
    screen = await branch.sign_in("manager", "M-1")
    screen.params = screen.params.merge({"mine": "true", "owner": "M-2"})
    async with serving(branch) as url, following(url, screen) as lines:
        _, _, inbox = await sent(lines)
    assert [one["customer_id"] for one in inbox["alerts"]] == ["c2"]


def test_a_tag_does_not_depend_on_the_order_in_which_a_screen_got_its_alerts() -> None:
    assert tag_of({"al_1": 2, "al_2": 3}) == tag_of({"al_2": 3, "al_1": 2}) != tag_of({"al_1": 3, "al_2": 2})


async def test_a_screen_that_comes_back_gets_the_inbox_only_if_it_has_changed() -> None:
    branch = Branch()
    await branch.leaving("c1")
    agent = await branch.sign_in("agent")
    async with serving(branch) as url, following(url, agent) as lines:
        _, seen, _ = await sent(lines)
        async with following(url, agent, seen) as again:
            await branch.leaving("c2")
            name, later, alert = await sent(again)
            assert (name, alert["customer_id"]) == ("alert", "c2")
        async with following(url, agent, seen) as again:
            name, now, inbox = await sent(again)
            assert (name, now, len(inbox["alerts"])) == ("inbox", later, 2)


async def test_a_change_is_seen_even_when_nobody_told_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "WAKE_S", 0.01)
    branch = Branch()
    agent = await branch.sign_in("agent")
    async with serving(branch) as url, following(url, agent) as lines:
        assert (await sent(lines))[0] == "inbox"
        heard, branch.notifications = branch.notifications, LocalNotifications()
        await branch.hear(statement(1, "c1", **LEAVING))
        branch.notifications = heard
        assert (await sent(lines))[2]["customer_id"] == "c1"


async def test_a_revoked_token_ends_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "WAKE_S", 0.01)
    branch = Branch()
    agent = await branch.sign_in("agent")
    async with serving(branch) as url, following(url, agent) as lines:
        await sent(lines)
        [user] = await branch.users.users()
        await branch.users.revoke(user.user_id, 1)
        branch.monotonic += 1
        assert await next_event(lines) is None
