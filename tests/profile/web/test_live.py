"""A view as it changes, over a real connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from services.notifications import LocalNotifications
from services.profile.web.live import Follow
from services.web import live
from services.web.asgi import serve
from tests.event_streams import next_event, sent
from tests.patience import HANG_S
from tests.profile.told import NOW
from tests.profile.web.bank import Bank, open_bank, opened, registered


@asynccontextmanager
async def following(bank: Bank, customer_id: str, seen: int = 0) -> AsyncIterator[AsyncIterator[str]]:
    signed_in = await bank.sign_in("agent")
    server = await serve(bank.app, grace_s=1)
    headers = {**signed_in.headers, **({"last-event-id": str(seen)} if seen else {})}
    try:
        async with (
            asyncio.timeout(HANG_S),  # a stream that should have ended must not hang the suite
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", headers=headers, timeout=HANG_S) as client,
            client.stream("GET", f"/v1/customers/{customer_id}/live") as answer,
        ):
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield answer.aiter_lines()
    finally:
        await bank.notifications.close()
        await server.stop()


async def version_told(lines: AsyncIterator[str]) -> int:
    _, version, _ = await sent(lines)
    return int(version)


async def test_a_screen_gets_the_view_of_now_and_every_later_version() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1", "Wang Fang"))
    async with following(bank, bank.id_of("party:C1")) as lines:
        name, version, view = await sent(lines)
        assert (name, int(version), view["version"]) == ("view", NOW, NOW)
        await bank.tell(opened("6001", "C1"))
        name, version, view = await sent(lines)
        assert (name, int(version), view["version"]) == ("view", NOW + 1, NOW + 1)
        assert view["accounts"]


async def test_a_screen_that_comes_back_is_told_only_what_it_has_not_seen() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"))
    async with following(bank, bank.id_of("party:C1"), seen=NOW) as lines:
        await bank.tell(opened("6001", "C1"))
        assert await version_told(lines) == NOW + 1


async def test_what_a_screen_has_seen_is_not_told_once_more_when_there_is_no_news(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked, look = asyncio.Event(), Follow.look

    async def seen(follow: Follow) -> AsyncIterator[bytes]:
        async for one in look(follow):
            yield one
        looked.set()

    monkeypatch.setattr(Follow, "look", seen)
    bank = await open_bank()
    await bank.tell(registered("C1"))
    customer = bank.id_of("party:C1")
    async with following(bank, customer) as lines:
        assert await version_told(lines) == NOW
        await looked.wait()
        looked.clear()
        await bank.notifications.publish([(f"customer/{customer}", b"changed")])
        await looked.wait()
        await bank.tell(opened("6001", "C1"))
        assert await version_told(lines) == NOW + 1


@pytest.mark.parametrize("seen", [NOW + 1, NOW + 99, 10**30, -1])
async def test_a_version_that_is_none_of_this_customer_hides_nothing(seen: int) -> None:
    """A database set back from a copy has lower versions than the screens have seen."""
    bank = await open_bank()
    await bank.tell(registered("C1"))
    async with following(bank, bank.id_of("party:C1"), seen) as lines:
        for expected in (NOW, NOW + 1):
            assert await version_told(lines) == expected
            await bank.tell(opened("6001", "C1"))


async def test_a_customer_who_is_merged_away_says_into_whom_and_the_stream_ends() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"), registered("C2"))
    left, right = bank.id_of("party:C1"), bank.id_of("party:C2")
    manager = await bank.sign_in("manager")
    async with following(bank, right) as lines:
        await sent(lines)
        await manager.post("/v1/customers/merge", json={"customer_ids": [left, right], "reason": "the same"})
        await bank.refresh()
        name, _, data = await sent(lines)
        assert (name, data) == ("moved", {"customer_ids": [left]})
        assert await next_event(lines) is None


async def test_a_change_is_seen_even_when_nobody_told_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A notification server may vanish: the screen looks by itself from time to time."""
    monkeypatch.setattr(live, "WAKE_S", 0.01)
    bank = await open_bank()
    await bank.tell(registered("C1"))
    async with following(bank, bank.id_of("party:C1")) as lines:
        await sent(lines)
        silenced, bank.notifications = bank.notifications, LocalNotifications()
        await bank.tell(opened("6001", "C1"))
        bank.notifications = silenced
        assert await version_told(lines) == NOW + 1


async def test_a_revoked_token_ends_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "WAKE_S", 0.01)
    bank = await open_bank()
    await bank.tell(registered("C1"))
    async with following(bank, bank.id_of("party:C1")) as lines:
        await sent(lines)
        [user] = await bank.users.users()
        await bank.users.revoke(user.user_id, 1)
        bank.monotonic += 1
        assert await next_event(lines) is None


async def test_the_stream_ends_when_the_platform_stops() -> None:
    bank = await open_bank()
    await bank.tell(registered("C1"))
    async with following(bank, bank.id_of("party:C1")) as lines:
        await sent(lines)
        await bank.notifications.close()
        assert await next_event(lines) is None


async def test_nobody_follows_a_customer_who_never_was() -> None:
    bank = await open_bank()
    agent = await bank.sign_in("agent")
    assert (await agent.get("/v1/customers/cus_nobody/live")).status_code == 404
