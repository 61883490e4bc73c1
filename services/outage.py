"""That something waits for a server is told once for each reason, and once that it goes on: not at every try."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog

from services.failures import Unavailable

Done = TypeVar("Done")
log = structlog.get_logger(__name__)


class Outage:
    """`what` waits: a partition, a start. `place` says which one, in each line."""

    def __init__(self, what: str, **place: Any) -> None:
        self._what, self._place = what, place
        self._told: set[str] = set()

    def waits(self, away: Unavailable) -> None:
        if str(away) not in self._told:
            fields: dict[str, Any] = {"what": str(away), "retry_after_s": away.retry_after}
            if away.__cause__ is not None:
                fields["cause"] = type(away.__cause__).__name__
            log.warning(f"{self._what} waits", **self._place, **fields)
        self._told.add(str(away))

    def goes_on(self) -> None:
        if self._told:
            log.info(f"{self._what} goes on", **self._place)
        self._told.clear()

    async def outlasted(self, work: Callable[[], Awaitable[Done]]) -> Done:
        """Again until the server answers."""
        while True:
            try:
                done = await work()
            except Unavailable as away:
                self.waits(away)
                await asyncio.sleep(away.retry_after)
            else:
                self.goes_on()
                return done
