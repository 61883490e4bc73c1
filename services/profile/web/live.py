"""A customer's view as it changes: server-sent events (WHATWG HTML, 9.2), each a full statement with its version."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import Request, get
from litestar.params import FromPath
from litestar.response import Stream

from services.access import User
from services.failures import Unavailable
from services.guard import still_admitted
from services.profile.ports import StoredView
from services.profile.web.customers import current
from services.profile.web.desk import AtDesk, Desk
from services.profile.web.documents import answers

WAKE_S = 1.0
# what a notification server lost is found again by looking
LOOK_EVERY = 5
HEARTBEAT_EVERY = 15
HEARTBEAT = b": heartbeat\n\n"


@get("/v1/customers/{customer_id:str}/live", media_type="text/event-stream", responses=answers())
async def follow_customer(request: Request[User, Any, Any], customer_id: FromPath[str], desk: AtDesk) -> Stream:
    """The view now, and again whenever it changes. `Last-Event-ID` is a version: what is not newer is left out."""
    view, _ = await current(desk, customer_id)
    told = request.headers.get("last-event-id", "")
    follow = Follow(desk, view.customer_id, int(told) if told.isdecimal() and len(told) < 19 else 0)
    events = follow.events(request.headers.get("authorization", ""), request.user)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(events, media_type="text/event-stream", headers=headers)


class Follow:
    """`version` is the newest that the screen has seen."""

    def __init__(self, desk: Desk, customer_id: str, version: int) -> None:
        self._desk, self._customer_id, self._version = desk, customer_id, version
        self._ended = False

    async def events(self, authorization: str, user: User) -> AsyncIterator[bytes]:
        """Ends when the customer has become another, the token is revoked, or the platform stops."""
        async with self._desk.notifications.subscribe(f"customer/{self._customer_id}") as messages:
            yield b": welcome\n\n"
            wakes = 0
            news = asyncio.ensure_future(anext(messages, None))
            try:
                while not self._ended:
                    if news.done() or wakes % LOOK_EVERY == 0:
                        if news.done():
                            if news.result() is None:
                                return
                            news = asyncio.ensure_future(anext(messages, None))
                        async for event in self._look():
                            yield event
                    await asyncio.wait([news], timeout=WAKE_S)
                    wakes += 1
                    if not await self._admitted(authorization, user):
                        return
                    if wakes % HEARTBEAT_EVERY == 0:
                        yield HEARTBEAT
            finally:
                news.cancel()

    async def _admitted(self, authorization: str, user: User) -> bool:
        try:
            return await still_admitted(self._desk.access, authorization, user)
        except Unavailable:
            return True  # it cannot be revoked meanwhile, and nothing can be read either

    async def _look(self) -> AsyncIterator[bytes]:
        try:
            view = await self._desk.read.reader.view(self._customer_id)
            if view is None or view.version <= self._version:
                return
            yield await (self._moved(view) if view.state != "live" else self._changed(view))
        except Unavailable:
            return  # the screen keeps what it has; the next look may succeed

    async def _changed(self, view: StoredView) -> bytes:
        self._version = view.version
        return _event("view", view.version, (await self._desk.read.shown([view]))[0])

    async def _moved(self, view: StoredView) -> bytes:
        """Merged into others: the stream says into whom, and ends."""
        now = await self._desk.read.reader.resolve(self._customer_id)
        self._version, self._ended = view.version, True
        return _event("moved", view.version, msgspec.json.encode({"customer_ids": now}))


def _event(name: str, version: int, data: bytes) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (version, name.encode(), data)
