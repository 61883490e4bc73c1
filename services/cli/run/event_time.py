"""A past lived by the time of its events: the clock of the whole process moves on once all that is due is done."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from services.alerts import stream as alerts
from services.attempts import again_when_contended
from services.cli.refusals import Refusal
from services.clock import EventClock, SystemClock
from services.failures import Unavailable
from services.log import UnknownTopic
from services.pace import every
from services.profile import stream as profile
from services.profile.domain.customers.freshness import latenesses, reached
from services.profile.shard_work import LEASE_MS
from services.profile.timers import next_look
from services.profile.worker import Worker

LOOK_S, PATIENCE_S = 0.003, 30.0
"""Nothing that is due takes longer, unless something is away or has stopped."""
QUIET_S, LONGEST_S = 1.0, 2.0
"""After so long without an event the last ones are settled, without waiting for the rest of their hour; and so often
while only late ones come."""


class EventTime:
    def __init__(self, clock: EventClock, views: Worker, inbox: alerts.Worker) -> None:
        self._clock, self._views, self._inbox = clock, views, inbox
        self._turn, self._taken_at, self._settled_at = asyncio.Lock(), 0.0, 0.0

    async def begin(self) -> None:
        """What is left of a process that was killed is settled with the next event, or soon. Raises `Refusal` where
        another process lives through the same past; `Unavailable`."""
        self._views.may_refresh.clear()
        for _ in range(2 * LEASE_MS // 500):
            if not (others := await self._views.store.leaseholders()):
                return
            await asyncio.sleep(0.5)
        raise Refusal(f"another process refreshes customers of this database: {', '.join(others)}; a past has one")

    @asynccontextmanager
    async def at(self, until: int) -> AsyncIterator[int]:
        """While the block runs the clock stands at `until` or later (ms); what is appended in it is settled together.
        Raises `Unavailable` where what is due before is not done for long: then it is to be asked again."""
        until = min(until, SystemClock().now_ms())
        async with self._turn:
            if until > self._clock.now_ms() or time.monotonic() - self._settled_at > LONGEST_S:
                await self._live_through(until)
            # nobody looks at a customer before all that happens then is applied
            self._views.may_refresh.clear()
            self._clock.move_to(until)
            yield self._clock.now_ms()
            self._taken_at = time.monotonic()

    async def work(self) -> None:
        """Settles what came last, until cancelled."""
        await every(QUIET_S, self._come_to_rest)

    async def _come_to_rest(self) -> None:
        async with self._turn:
            if not self._views.may_refresh.is_set() and time.monotonic() - self._taken_at > QUIET_S:
                await self._settle()

    async def _live_through(self, until: int) -> None:
        await self._settle()
        while (at := await self._next_look()) is not None and at <= until:
            self._clock.move_to(at)
            await self._settle()

    async def _next_look(self) -> int | None:
        now, views = self._clock.now_ms(), self._views
        late = latenesses(await views.store.sources_seen(), views.freshness.patience)
        looks = [await next_look(views.store, now, late), await self._inbox.store.next_due(now)]
        return min((at for at in looks if at is not None), default=None)

    async def _settle(self) -> None:
        try:
            await again_when_contended(self._do_what_is_due)
        except UnknownTopic as unknown:
            raise Unavailable(unknown.message) from None
        self._settled_at = time.monotonic()

    async def _do_what_is_due(self) -> None:
        """It may leave more that is due by now: a salary that is missed by what the sources have just told."""
        await _when(self._is_applied)
        # of a process that was killed before it applied what it had taken
        self._clock.move_to(reached(await self._views.store.sources_seen()))
        await profile.look_at_sources(self._views)
        self._views.may_refresh.set()
        await _when(self._is_judged)
        while await profile.fire_due(self._views) or not await self._is_judged():
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
