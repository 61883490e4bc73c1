"""Live screens: server-sent events (WHATWG HTML, 9.2) that follow notifications, and find what these have lost."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

from litestar.response import Stream

from services.access import Access, User
from services.failures import Unavailable
from services.notifications import Notifications
from services.web.guard import still_admitted

WAKE_S = 1.0
# what a notification server lost is found again by looking
LOOK_EVERY = 5
HEARTBEAT_EVERY = 15
HEARTBEAT = b": heartbeat\n\n"
END = b""
"""Told by a look: there is nothing left to follow."""
Look = Callable[[], AsyncIterator[bytes]]
Answer = TypeVar("Answer")
EVENT_STREAM = "text/event-stream"


def event(name: str, tag: str | int, data: bytes) -> bytes:
    return f"id: {tag}\nevent: {name}\ndata: ".encode() + data + b"\n\n"


def streamed(events: AsyncIterator[bytes]) -> Stream:
    headers: dict[str, Any] = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(events, media_type=EVENT_STREAM, headers=headers)


class Live:
    """`look` yields the events of what is new since it looked before; it may raise `Unavailable`."""

    def __init__(self, notifications: Notifications, access: Access, topic: str, look: Look) -> None:
        self._notifications, self._access, self._topic, self._look = notifications, access, topic, look

    async def events(self, authorization: str, user: User) -> AsyncIterator[bytes]:
        """Ends when a look says so, the token is revoked, or the platform stops."""
        async with self._notifications.subscribe(self._topic) as messages:
            yield b": welcome\n\n"
            news = asyncio.ensure_future(anext(messages, None))
            try:
                for wakes in itertools.count(1):
                    is_told = news.done()
                    while news.done():  # whatever was told meanwhile asks for one look
                        if news.result() is None:
                            return
                        news = asyncio.ensure_future(anext(messages, None))
                        await asyncio.sleep(0)
                    if is_told or wakes % LOOK_EVERY == 1:
                        for one in await _whole(self._seen()):
                            if one == END:
                                return
                            yield one
                    await asyncio.wait([news], timeout=WAKE_S)
                    if not await _whole(self._admitted(authorization, user)):
                        return
                    if wakes % HEARTBEAT_EVERY == 0:
                        yield HEARTBEAT
            finally:
                news.cancel()

    async def _seen(self) -> list[bytes]:
        try:
            return [one async for one in self._look()]
        except Unavailable:
            return []  # the screen keeps what it has; the next look may succeed

    async def _admitted(self, authorization: str, user: User) -> bool:
        try:
            return await still_admitted(self._access, authorization, user)
        except Unavailable:
            return True  # it cannot be revoked meanwhile, and nothing can be read either


async def _whole(asked: Coroutine[Any, Any, Answer]) -> Answer:
    """To its end, whoever goes away meanwhile: a screen that is closed cancels again and again, and a connection to a
    database could then be given back only in pieces."""
    return await asyncio.shield(asyncio.ensure_future(asked))
