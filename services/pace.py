"""How a step waits: for its turn, for a server, or for word that there is work."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from services.attempts import again_when_contended
from services.failures import Contended, Unavailable


async def every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Again and again; a server that is away is waited for, and who loses every time tries the next time."""
    while True:
        try:
            with contextlib.suppress(Contended):
                await again_when_contended(work)
        except Unavailable as error:
            await asyncio.sleep(error.retry_after)
        await asyncio.sleep(seconds)


async def woken(event: asyncio.Event, seconds: float) -> None:
    """By the event, or when the time is over: another process may have left work."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
