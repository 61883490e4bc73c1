"""A profile worker that fails on purpose: the product's own process with its transactions sabotaged from outside.

CHAOS_FAIL_EVERY=n: every n-th transaction fails, in turn by a bug, by contention, by a lost server, and by a commit
whose answer is lost. SIGUSR1: the worker stops inside its next update transaction, for good.
"""

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from services.failures import Contended, Unavailable
from services.profile.__main__ import run
from services.profile.adapters.sql import SqlProfileStore

FAILURES: tuple[Callable[[], Exception], ...] = (
    lambda: RuntimeError("chaos: a bug"),
    lambda: Contended("chaos: a deadlock"),
    lambda: Unavailable("chaos: the server is away", 0.05),
)
Opening = Callable[[SqlProfileStore], AbstractAsyncContextManager[Any]]


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
        async def sabotaged(store: SqlProfileStore) -> AsyncIterator[Any]:
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


def main() -> None:
    sabotage = Sabotage(int(os.environ.get("CHAOS_FAIL_EVERY", "0")))
    SqlProfileStore.updating = sabotage.of(SqlProfileStore.updating, 3)  # type: ignore[method-assign,assignment]  # the point
    # a bug in a refresh ends the worker, which would hide the deaths that are worth finding
    SqlProfileStore.refreshing = sabotage.of(SqlProfileStore.refreshing, 2)  # type: ignore[method-assign,assignment]  # as above
    signal.signal(signal.SIGUSR1, sabotage.freeze)
    asyncio.run(run(os.environ))


if __name__ == "__main__":
    main()
