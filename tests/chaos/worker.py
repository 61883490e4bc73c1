"""A worker of the profile or of alerts that fails on purpose: the product's own process, its transactions sabotaged.

CHAOS_FAIL_EVERY=n: every n-th transaction fails, in turn by a bug, by contention, by a lost server, and by a commit
whose answer is lost; and one event in a thousand meets a bug whenever it is folded.
SIGUSR1: the worker stops inside its next transaction, for good.
"""

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from zlib import crc32

from schemas.events import ChannelEvent
from services.alerts.adapters.sql import SqlAlertStore
from services.cli.run.alerting import run as run_alerts
from services.failures import Contended, Unavailable
from services.profile.__main__ import run
from services.profile.adapters.sql import SqlProfileStore
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.state import State
from tests.chaos.workers import ALERTS

FAILURES: tuple[Callable[[], Exception], ...] = (
    lambda: RuntimeError("chaos: a bug"),
    lambda: Contended("chaos: a deadlock"),
    lambda: Unavailable("chaos: the server is away", 0.05),
)
Folding = Callable[[Fold, State, ChannelEvent, State | None], bool]
Opening = Callable[[Any], AbstractAsyncContextManager[Any]]


class Sabotage:
    def __init__(self, every: int) -> None:
        self._every = every
        self._freeze = False

    def freeze(self, *_: object) -> None:
        self._freeze = True

    def of(self, opening: Opening, failures: int) -> Opening:
        """`failures`: how many of the kinds may happen inside; one more happens after the commit."""

        numbers = itertools.count(1)

        @asynccontextmanager
        async def sabotaged(store: Any) -> AsyncIterator[Any]:
            round_, place = divmod(next(numbers), self._every or sys.maxsize)
            turn = (round_ - 1) % (failures + 1) if round_ and place == 0 else None
            async with opening(store) as tx:
                yield tx
                if self._freeze:
                    os.kill(os.getpid(), signal.SIGSTOP)
                if turn is not None and turn < failures:
                    raise FAILURES[len(FAILURES) - failures + turn]()
            if turn == failures:
                raise Unavailable("chaos: the answer to the commit was lost", 0.05)

        return sabotaged


def poisoned(fold: Folding) -> Folding:
    def add(self: Fold, state: State, event: ChannelEvent, original: State | None = None) -> bool:
        if crc32(event.id.encode()) % 1000 == 0:
            raise ZeroDivisionError("chaos: a bug that this event meets")
        return fold(self, state, event, original)

    return add


def main(kind: str) -> None:
    every = int(os.environ.get("CHAOS_FAIL_EVERY", "0"))
    sabotage = Sabotage(every)
    signal.signal(signal.SIGUSR1, sabotage.freeze)
    if kind == ALERTS:
        # as with a refresh below: a bug while attending ends the worker
        SqlAlertStore.working = sabotage.of(SqlAlertStore.working, 2)  # type: ignore[method-assign,assignment]  # the point
        asyncio.run(run_alerts(os.environ))
        return
    if every:
        Fold.add = poisoned(Fold.add)  # type: ignore[method-assign,assignment]  # the point
    SqlProfileStore.updating = sabotage.of(SqlProfileStore.updating, 3)  # type: ignore[method-assign,assignment]  # the point
    # a bug in a refresh ends the worker, which would hide the deaths that are worth finding
    SqlProfileStore.refreshing = sabotage.of(SqlProfileStore.refreshing, 2)  # type: ignore[method-assign,assignment]  # as above
    asyncio.run(run(os.environ))


if __name__ == "__main__":
    main(sys.argv[1])
