"""A customer's view as it changes; each event is a whole view with its version."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from litestar import Request, get
from litestar.params import FromPath, HeaderParameter
from litestar.response import Stream

from services.access import User
from services.profile.current import CurrentCustomer
from services.profile.web.backend import Backend, Injected
from services.profile.web.customers import current
from services.profile.web.documents import answers
from services.web.live import END, EVENT_STREAM, Live, event, streamed

_SEEN = HeaderParameter(
    name="Last-Event-ID", description="The version that the screen has: what is not newer is left out"
)
LastEventId = Annotated[str | None, _SEEN]


@get("/v1/customers/{customer_id:str}/live", media_type=EVENT_STREAM, responses=answers())
async def follow_customer(
    request: Request[User, Any, Any], customer_id: FromPath[str], backend: Injected, last_event_id: LastEventId = None
) -> Stream:
    """The view now, and again whenever it changes."""
    view = (await current(backend, customer_id))[0].view
    follow = Follow(backend, view.customer_id, _seen(last_event_id or "", view.version))
    live = Live(backend.notifications, backend.access, f"customer/{view.customer_id}", follow.look)
    return streamed(live.events(request.headers.get("authorization", ""), request.user))


def _seen(told: str, newest: int) -> int:
    """A version that is still to come was seen of another database, before it was set back: it would silence the
    screen until this one has got as far."""
    return int(told) if told.isdecimal() and told.isascii() and len(told) < 19 and int(told) <= newest else 0


class Follow:
    """`version` is the newest that the screen has seen."""

    def __init__(self, backend: Backend, customer_id: str, version: int) -> None:
        self._backend, self._customer_id, self._version = backend, customer_id, version

    async def look(self) -> AsyncIterator[bytes]:
        """Ends when the customer was merged into another one, which the stream names."""
        view = await self._backend.read.reader.view(self._customer_id)
        if view is None or view.version <= self._version:
            return
        self._version = view.version
        if view.is_live:
            yield event(
                "view", view.version, (await self._backend.read.shown([CurrentCustomer(view, str(view.version))]))[0]
            )
            return
        now = [one.view.customer_id for one in await self._backend.read.by_id(self._customer_id)]
        yield event("moved", view.version, msgspec.json.encode({"customer_ids": now}))
        yield END
