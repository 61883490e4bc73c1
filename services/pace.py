"""How a step waits: for its turn, for a server, or for word that there is work."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from services.attempts import again_when_contended
from services.failures import Contended, Unavailable
from services.outage import Outage


async def every(seconds: float, work: Callable[[], Awaitable[object]], outage: Outage | None = None) -> None:
    """Repeats the work. Waits for a server that is away; work that loses to others every time is left to the next
    round. `outage` tells of the waiting, once for a process: it does several things at a time that all wait."""
    while True:
        try:
            with contextlib.suppress(Contended):
                await again_when_contended(work)
            if outage is not None:
                outage.goes_on()
        except Unavailable as error:
            if outage is not None:
                outage.waits(error)
            await asyncio.sleep(error.retry_after)
        await asyncio.sleep(seconds)


async def woken(event: asyncio.Event, seconds: float) -> None:
    """Waits for the event, or until the time is over: another process may have left work."""
    # asyncio.wait_for would forget that it was cancelled where the event came at that moment
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
