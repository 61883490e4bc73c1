"""A past lived by the time of its events: the clock of the whole process moves on once all that is due is done."""

import asyncio
from collections.abc import Awaitable, Callable

from services.alerts import stream as alerts
from services.clock import EventClock
from services.failures import Unavailable
from services.profile import stream as profile
from services.profile.domain.customers.freshness import reached
from services.profile.timers import next_look
from services.profile.worker import Worker

LOOK_S, PATIENCE_S = 0.003, 30.0
"""Nothing that is due takes longer, unless something is away or has stopped."""


class EventTime:
    def __init__(self, clock: EventClock, views: Worker, inbox: alerts.Worker) -> None:
        self._clock, self._views, self._inbox = clock, views, inbox

    async def begin(self) -> None:
        """Where the clock stood when the deployment was stopped, as far as that was worked on. Raises `Unavailable`."""
        self._clock.move_to(reached(await self._views.store.sources_seen()))

    async def advance(self, until: int) -> int:
        """Returns where the clock stands then (ms): at `until` or later. Raises `Unavailable` where what is due is not
        done for long; then it is to be asked again."""
        now = self._clock.now_ms()
        if until <= now:
            return now
        if now:
            await self._settle()
            while (at := await self._next_look()) is not None and at <= until:
                self._clock.move_to(at)
                await self._settle()
        self._clock.move_to(until)
        return self._clock.now_ms()

    async def _next_look(self) -> int | None:
        now, seen = self._clock.now_ms(), await self._views.store.sources_seen()
        lateness_ms = {0, self._views.freshness.patience.lateness_ms, *(one.lateness_ms for one in seen)}
        looks = [await next_look(self._views.store, now, lateness_ms), await self._inbox.store.next_due(now)]
        return min((at for at in looks if at is not None), default=None)

    async def _settle(self) -> None:
        await _when(self._is_applied)
        await profile.look_at_sources(self._views)
        await profile.fire_due(self._views)
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
