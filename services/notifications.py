"""The port that tells live screens that something changed. Best effort: the truth is in the database."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Protocol

GAP = b""
"""Delivered when messages may have been missed (a slow reader, a server that was away): read the state again."""

QUEUED_MESSAGES = 256


class Notifications(Protocol):
    """Publishing and subscribing never fail, whatever happened to the server behind them."""

    async def publish(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Topic and message; a message is never empty. What cannot be delivered now is lost."""

    def subscribe(self, topic: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Once entered, everything published on the topic arrives in order, or `GAP` in its place.

        So: subscribe, then read the state, then follow.
        """

    async def close(self) -> None:
        """Ends every subscription."""


class Subscribers:
    """Who listens to what in this process."""

    def __init__(self) -> None:
        self._queues: dict[str, set[asyncio.Queue[bytes | None]]] = defaultdict(set)

    @property
    def topics(self) -> list[str]:
        return list(self._queues)

    @contextmanager
    def added(self, topic: str) -> Iterator[AsyncIterator[bytes]]:
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUED_MESSAGES)
        self._queues[topic].add(queue)
        try:
            yield _messages(queue)
        finally:
            self._queues[topic].discard(queue)
            if not self._queues[topic]:
                del self._queues[topic]

    def deliver(self, topic: str, message: bytes) -> None:
        for queue in self._queues.get(topic, ()):
            _offer(queue, message)

    def tell_gap(self) -> None:
        for topic in self.topics:
            self.deliver(topic, GAP)

    def end(self) -> None:
        for queues in self._queues.values():
            for queue in queues:
                _offer(queue, None)


async def _messages(queue: asyncio.Queue[bytes | None]) -> AsyncIterator[bytes]:
    while (message := await queue.get()) is not None:
        yield message


def _offer(queue: asyncio.Queue[bytes | None], message: bytes | None) -> None:
    """A reader that fell behind loses the backlog, never the news that there was one."""
    if queue.full():
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(GAP)
    queue.put_nowait(message)


class LocalNotifications:
    """Within one process: the default on one machine."""

    def __init__(self) -> None:
        self._subscribers = Subscribers()

    async def publish(self, messages: Iterable[tuple[str, bytes]]) -> None:
        for topic, message in messages:
            self._subscribers.deliver(topic, message)

    @asynccontextmanager
    async def subscribe(self, topic: str) -> AsyncIterator[AsyncIterator[bytes]]:
        with self._subscribers.added(topic) as messages:
            yield messages

    async def close(self) -> None:
        self._subscribers.end()
