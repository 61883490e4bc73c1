"""A past lived by the time of its events: the clock of the whole process moves on once all that is due is done."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from services.alerts import stream as alerts
from services.clock import EventClock
from services.failures import Unavailable
from services.pace import every
from services.profile import stream as profile
from services.profile.domain.customers.freshness import reached
from services.profile.timers import next_look
from services.profile.worker import Worker

LOOK_S, PATIENCE_S = 0.003, 30.0
"""Nothing that is due takes longer, unless something is away or has stopped."""
QUIET_S = 0.3
"""After so long without an event the last ones are settled, too, without waiting for the next."""


class EventTime:
    def __init__(self, clock: EventClock, views: Worker, inbox: alerts.Worker) -> None:
        self._clock, self._views, self._inbox = clock, views, inbox
        self._turn, self._asked_at = asyncio.Lock(), 0.0

    async def begin(self) -> None:
        """Where the clock stood when the deployment was stopped, as far as that was worked on. Raises `Unavailable`."""
        self._clock.move_to(reached(await self._views.store.sources_seen()))

    async def advance(self, until: int) -> int:
        """Returns where the clock stands then (ms): at `until` or later. Raises `Unavailable` where what is due is not
        done for long; then it is to be asked again."""
        async with self._turn:
            if 0 < self._clock.now_ms() < until:
                await self._live_through(until)
            # nobody looks at a customer before all that happens then is applied
            self._views.may_refresh.clear()
            self._clock.move_to(until)
            self._asked_at = time.monotonic()
            return self._clock.now_ms()

    async def work(self) -> None:
        """Settles what came last, until cancelled."""
        await every(QUIET_S, self._come_to_rest)

    async def _come_to_rest(self) -> None:
        async with self._turn:
            if not self._views.may_refresh.is_set() and time.monotonic() - self._asked_at > QUIET_S:
                await self._settle()

    async def _live_through(self, until: int) -> None:
        await self._settle()
        while (at := await self._next_look()) is not None and at <= until:
            self._clock.move_to(at)
            await self._settle()

    async def _next_look(self) -> int | None:
        now, seen = self._clock.now_ms(), await self._views.store.sources_seen()
        lateness_ms = {0, self._views.freshness.patience.lateness_ms, *(one.lateness_ms for one in seen)}
        looks = [await next_look(self._views.store, now, lateness_ms), await self._inbox.store.next_due(now)]
        return min((at for at in looks if at is not None), default=None)

    async def _settle(self) -> None:
        """What is due may leave more that is due by now: a salary that is missed by what the sources have just told."""
        await _when(self._is_applied)
        await profile.look_at_sources(self._views)
        self._views.may_refresh.set()
        await profile.fire_due(self._views)
        await _when(self._is_judged)
        while await profile.fire_due(self._views):
            await _when(self._is_judged)
        await alerts.attend(self._inbox)

    async def _is_applied(self) -> bool:
        return not any((await self._views.progress.measure()).values())

    async def _is_judged(self) -> bool:
        """In the order in which one leads to the next. Customers who were set aside are not waited for."""
        views, inbox = self._views, self._inbox
        resting = views.refresh.resting.roots(views.leases)
        return not (
            (await views.store.marks_waiting(resting, 1))
            or (await views.store.lanes_waiting())
            or any((await inbox.progress.measure()).values())
        )


async def _when(done: Callable[[], Awaitable[bool]]) -> None:
    """Raises `Unavailable`."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await done():  # noqa: ASYNC110 - it is the database that tells
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        raise Unavailable("what was due before these events is not done yet", retry_after=1.0) from None
