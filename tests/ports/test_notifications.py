"""The contract of notifications, held in process and over Redis; and what happens when Redis goes."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from services import redis
from services.deployment import open_screens
from services.notifications import GAP, QUEUED_MESSAGES, LocalNotifications, Notifications
from services.redis import RETRY_S, RedisNotifications, open_notifications
from services.settings import SettingsError, read_settings
from tests.conftest import RunningServers
from tests.patience import HANG_S
from tests.ports.redis_rights import PASSWORD, user_of_redis


@pytest_asyncio.fixture(params=["local", "redis"])
async def notifications(request: pytest.FixtureRequest) -> AsyncIterator[Notifications]:
    if request.param == "local":
        local = LocalNotifications()
        yield local
        await local.close()
        return
    async with user_of_redis(request.getfixturevalue("redis_url"), "profile") as url:
        given = {"COUNTERPOINT_REDIS": url, "COUNTERPOINT_REDIS_PASSWORD": PASSWORD}
        made = open_screens(read_settings(given))
        yield made
        await made.close()


async def next_of(messages: AsyncIterator[bytes]) -> bytes:
    return await asyncio.wait_for(anext(messages), HANG_S)


async def test_what_is_published_after_subscribing_arrives_in_order(notifications: Notifications) -> None:
    async with notifications.subscribe("customer:1") as messages:
        await notifications.publish([("customer:1", b"a"), ("customer:1", b"b")])
        assert [await next_of(messages), await next_of(messages)] == [b"a", b"b"]


async def test_every_subscriber_of_a_topic_hears_it_and_no_other(notifications: Notifications) -> None:
    async with (
        notifications.subscribe("customer:1") as first,
        notifications.subscribe("customer:1") as second,
        notifications.subscribe("customer:2") as other,
    ):
        await notifications.publish([("customer:1", b"a"), ("customer:2", b"b")])
        assert [await next_of(first), await next_of(second), await next_of(other)] == [b"a", b"a", b"b"]


async def test_a_topic_still_has_listeners_when_one_of_them_leaves(notifications: Notifications) -> None:
    async with notifications.subscribe("customer:1") as staying:
        async with notifications.subscribe("customer:1"):
            pass
        await notifications.publish([("customer:1", b"a")])
        assert await next_of(staying) == b"a"


async def test_who_has_left_and_listens_anew_hears_again(notifications: Notifications) -> None:
    for _ in range(2):
        async with notifications.subscribe("customer:1") as messages:
            await notifications.publish([("customer:1", b"a")])
            assert await next_of(messages) == b"a"


async def test_the_server_sends_nothing_that_nobody_listens_for_any_more(redis_url: str) -> None:
    notifications, server = open_notifications(redis_url), redis.connect(redis_url)
    topic = f"customer:{uuid.uuid4().hex}"

    async def listeners() -> int:
        return int(dict(await server.pubsub_numsub(redis.PREFIX + topic))[(redis.PREFIX + topic).encode()])

    async with notifications.subscribe(topic):
        assert await listeners() == 1
    for _ in range(2_000):
        if not await listeners():
            break
        await asyncio.sleep(0.01)
    assert await listeners() == 0
    await notifications.close()
    await server.aclose()


async def test_publishing_to_nobody_is_no_error(notifications: Notifications) -> None:
    await notifications.publish([("customer:9", b"a")])


async def test_a_reader_that_falls_behind_is_told_to_read_again(notifications: Notifications) -> None:
    async with notifications.subscribe("slow") as slow, notifications.subscribe("witness") as witness:
        await notifications.publish([("slow", b"%d" % n) for n in range(QUEUED_MESSAGES + 1)])
        await notifications.publish([("witness", b"done")])
        assert await next_of(witness) == b"done"
        assert [await next_of(slow), await next_of(slow)] == [GAP, b"%d" % QUEUED_MESSAGES]


async def test_closing_ends_every_subscription(notifications: Notifications) -> None:
    async with notifications.subscribe("customer:1") as messages:
        await notifications.close()
        assert [message async for message in messages] == []


async def test_messages_pass_between_processes(redis_url: str) -> None:
    here, there = open_notifications(redis_url), open_notifications(redis_url)
    async with here.subscribe("customer:1") as messages:
        await there.publish([("customer:1", b"a")])
        assert await next_of(messages) == b"a"
    await here.close()
    await there.close()


async def hear_again(notifications: Notifications, messages: AsyncIterator[bytes]) -> None:
    """Publishes until it is heard: after an absence nothing else tells that the server is back."""

    async def hear() -> None:
        while await anext(messages) != b"again":
            pass

    hearing = asyncio.ensure_future(hear())
    while not hearing.done():
        await notifications.publish([("customer:1", b"again")])
        await asyncio.wait([hearing], timeout=0.1)
    await hearing


Outage = Callable[[RunningServers], Awaitable[None]]


async def stopped(servers: RunningServers) -> None:
    servers.stop("redis")


async def killed(servers: RunningServers) -> None:
    servers.kill("redis")


@pytest.mark.parametrize("outage", [stopped, killed])
async def test_redis_may_go_and_come_back_without_an_error(breakable_servers: RunningServers, outage: Outage) -> None:
    notifications = open_notifications(breakable_servers.up("redis")["redis"])
    async with notifications.subscribe("customer:1") as messages:
        await outage(breakable_servers)
        await notifications.publish([("customer:1", b"lost")])
        async with notifications.subscribe("customer:2") as late:
            breakable_servers.start("redis")
            assert await next_of(messages) == GAP
            assert await next_of(late) == GAP
            await hear_again(notifications, messages)
    await notifications.close()


async def test_that_redis_is_away_is_told_once_and_so_is_that_it_is_back(breakable_servers: RunningServers) -> None:
    notifications = open_notifications(breakable_servers.up("redis")["redis"])
    with capture_logs() as told:
        async with notifications.subscribe("customer:1") as messages:
            breakable_servers.kill("redis")
            for _ in range(5):
                await notifications.publish([("customer:1", b"lost")])
                await asyncio.sleep(2 * RETRY_S)
            breakable_servers.start("redis")
            await hear_again(notifications, messages)
    await notifications.close()
    *reasons, last = [(one["event"], one.get("what", "").partition(" (")[0]) for one in told]
    assert set(reasons) == {("notification waits", "redis is away")}
    assert last == ("notification goes on", "")
    assert len(reasons) == len({one.get("what") for one in told[:-1]}), "each reason once"


async def test_a_frozen_redis_holds_nobody_up(breakable_servers: RunningServers) -> None:
    notifications = open_notifications(breakable_servers.up("redis")["redis"])
    async with notifications.subscribe("customer:1") as messages:
        breakable_servers.freeze("redis")
        for _ in range(50):
            await notifications.publish([("customer:1", b"lost")])
        breakable_servers.thaw("redis")
        await hear_again(notifications, messages)
    await notifications.close()


async def test_starting_without_redis_is_no_error(breakable_servers: RunningServers) -> None:
    url = breakable_servers.up("redis")["redis"]
    breakable_servers.stop("redis")
    notifications = open_notifications(url)
    async with notifications.subscribe("customer:1") as messages:
        await notifications.publish([("customer:1", b"lost")])
        breakable_servers.start("redis")
        assert await next_of(messages) == GAP
    await notifications.close()


@pytest.mark.parametrize("said", ["colour=red", "socket_timeout=soon", "ssl_cert_reqs=perhaps"])
def test_what_a_url_says_that_redis_does_not_know_is_refused_by_name(said: str) -> None:
    with pytest.raises(SettingsError, match=said.partition("=")[0]):
        open_notifications(f"redis://:hunter2@cache:6379/0?{said}")


class Publishing:
    """Stands for a server, of which it is seen how often it is asked."""

    def __init__(self) -> None:
        self.is_away, self.asked = True, 0

    def pipeline(self, **_: object) -> "Publishing":
        return self

    def publish(self, *_: object) -> None:
        """Queued by the client."""

    async def execute(self) -> None:
        self.asked += 1
        if self.is_away:
            raise OSError("nobody listens there")

    async def aclose(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(("quiet_s", "asked"), [(60.0, 1), (0.0, 5)])
async def test_of_whoever_publishes_to_a_dead_server_only_the_first_waits_for_it_in_a_while(
    quiet_s: float, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis, "QUIET_S", quiet_s)
    server = Publishing()
    notifications = RedisNotifications(cast(Any, server))
    for _ in range(5):
        await notifications.publish([("customer:1", b"lost")])
    await notifications.close()
    assert server.asked == asked


async def test_whoever_only_publishes_tells_of_an_absence_and_of_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "QUIET_S", 0.0)
    server = Publishing()
    notifications = RedisNotifications(cast(Any, server))
    with capture_logs() as told:
        for server.is_away in (True, True, False, False):
            await notifications.publish([("customer:1", b"a")])
    await notifications.close()
    assert [one["event"] for one in told] == ["notification waits", "notification goes on"]
