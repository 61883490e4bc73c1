"""Notifications between processes over Redis or Valkey, which may vanish at any time without an error to anybody."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from services.failures import Unavailable
from services.notifications import Subscribers
from services.outage import Outage
from services.settings import SettingsError

PREFIX = "counterpoint:"
ALIVE = PREFIX + "alive"  # always subscribed: a connection without a subscription cannot be listened to
PATIENCE_S = 0.5
SILENCE_S = 2.0
RETRY_S = 0.2
QUIET_S = 1.0
"""Nobody who publishes waits for a dead server twice within this time."""
AWAY = (RedisError, OSError, TimeoutError, RuntimeError)
"""What the driver raises of a server that is away; RuntimeError is uvloop's, of a connection that it has closed."""


class RedisNotifications:
    """Made by `open_notifications`. One connection listens for the whole process."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._subscribers = Subscribers()
        self._listening: PubSub | None = None
        self._confirmed: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._quiet_until = 0.0  # of the event loop's clock
        self._outage = Outage("notification")
        self._missed = False  # since the listener last stood, something may have been published
        self._task: asyncio.Task[None] | None = None

    async def publish(self, messages: Iterable[tuple[str, bytes]]) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._quiet_until:
            return
        pipeline = self._client.pipeline(transaction=False)
        for topic, message in messages:
            pipeline.publish(PREFIX + topic, message)
        try:
            await pipeline.execute()
        except AWAY as error:
            self._quiet_until = asyncio.get_running_loop().time() + QUIET_S
            self._went(error)
        else:
            self._outage.goes_on()

    @asynccontextmanager
    async def subscribe(self, topic: str) -> AsyncIterator[AsyncIterator[bytes]]:
        if self._task is None:
            self._task = asyncio.create_task(self._listen(), name="redis-notifications")
        try:
            with self._subscribers.added(topic) as messages:
                await self._confirm(topic)
                yield messages
        finally:
            await self._forget(topic)

    async def close(self) -> None:
        self._subscribers.end()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        with suppress(*AWAY):
            await self._client.aclose()

    async def _confirm(self, topic: str) -> None:
        """Waits for the server's confirmation, for a moment: without it `GAP` comes when the server is back."""
        confirmed = self._confirmed[topic]
        if self._listening is not None and not confirmed.is_set():
            with suppress(*AWAY):
                await self._listening.subscribe(PREFIX + topic)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await confirmed.wait()

    async def _forget(self, topic: str) -> None:
        if topic in self._subscribers.topics:
            return
        self._confirmed.pop(topic, None)
        if self._listening is not None:
            with suppress(*AWAY):
                await self._listening.unsubscribe(PREFIX + topic)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._client.pubsub() as pubsub:
                    await self._follow(pubsub)
            except AWAY as error:
                self._went(error)
            finally:
                self._listening = None
                for confirmed in self._confirmed.values():
                    confirmed.clear()
            self._missed = True
            await asyncio.sleep(RETRY_S)

    async def _follow(self, pubsub: PubSub) -> None:
        """Returns when the server has been silent to two pings: frozen, or behind a cut network."""
        self._listening = pubsub
        # confirmations come in this order: once ALIVE is confirmed, so is everything else
        await pubsub.subscribe(*(PREFIX + topic for topic in self._subscribers.topics), ALIVE)
        silent = 0
        while silent < 2:
            message = await pubsub.get_message(timeout=SILENCE_S)
            if message is None:
                silent += 1
                await pubsub.ping()
            else:
                silent = 0
                self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] not in ("message", "subscribe"):
            return
        channel: str = message["channel"].decode()
        topic = channel.removeprefix(PREFIX)
        if message["type"] == "message":
            self._subscribers.deliver(topic, message["data"])
        elif channel != ALIVE:
            self._confirmed[topic].set()
        else:
            self._outage.goes_on()
            if self._missed:
                self._missed = False
                self._subscribers.tell_gap()

    def _went(self, error: Exception) -> None:
        self._outage.waits(away(error, "live screens poll until it is back"))


def away(error: Exception, meanwhile: str) -> Unavailable:
    """What went wrong in the form in which an outage is told, and what happens `meanwhile`."""
    return Unavailable(f"redis is away ({type(error).__name__}): {meanwhile}")


def connect(url: str, patience_s: float = PATIENCE_S) -> Redis:
    """`redis://host:port/number`. Connects when first used; nobody waits long for a server that is away. Raises
    `SettingsError`."""
    try:
        client = Redis.from_url(
            url, socket_timeout=patience_s, socket_connect_timeout=patience_s, retry=Retry(NoBackoff(), 0)
        )
        # what the URL says is judged only here
        client.connection_pool.make_connection()  # type: ignore[no-untyped-call]  # has no types in the library
    except (TypeError, ValueError):
        said = ", ".join(dict(parse_qsl(urlsplit(url).query))) or "nothing"
        raise SettingsError(f"COUNTERPOINT_REDIS cannot be used: behind its `?` it says {said}") from None
    return client


def open_notifications(url: str) -> RedisNotifications:
    return RedisNotifications(connect(url))
