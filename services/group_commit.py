"""Group commit: batches of several partitions that wait at the same time are applied in one transaction, because most
of its cost does not depend on its size.

If that fails, each batch is applied alone, so that one partition's failure does not spread to the others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from services.failures import Contended, Unavailable
from services.log import Batch

FETCHED_TOGETHER_S = 0.005
"""A wait that suffices for what was fetched together: it is handed on one after the other."""
Outcome = asyncio.Future[Exception | None]
"""What a batch has met; None once it is applied."""


class GroupCommit:
    """A handler. `apply` writes all batches or none. Transactions follow one another, each of at most `most` records
    unless a single batch has more. `linger_s`: how long a transaction that could begin waits for company."""

    def __init__(
        self, apply: Callable[[Sequence[Batch]], Awaitable[None]], most: int, linger_s: float = FETCHED_TOGETHER_S
    ) -> None:
        self._apply, self._most, self._linger_s = apply, most, linger_s
        self._turn = asyncio.Lock()
        self._waiting: dict[Outcome, Batch] = {}

    async def __call__(self, batch: Batch) -> None:
        """Whoever gets the turn applies all batches that wait; the others find theirs applied when their turn comes."""
        outcome: Outcome = asyncio.get_running_loop().create_future()
        self._waiting[outcome] = batch
        try:
            async with self._turn:
                if outcome in self._waiting:
                    await asyncio.sleep(self._linger_s)
                while outcome in self._waiting:
                    await self._commit(self._next_group())
            error = await outcome
        finally:
            self._waiting.pop(outcome, None)
        if error is not None:
            raise error

    def _next_group(self) -> dict[Outcome, Batch]:
        group, records = dict[Outcome, Batch](), 0
        for outcome, batch in self._waiting.items():
            records += len(batch.records)
            if group and records > self._most:
                break
            group[outcome] = batch
        for outcome in group:
            del self._waiting[outcome]
        return group

    async def _commit(self, group: Mapping[Outcome, Batch]) -> None:
        try:
            if not await self._is_settled(group):
                for outcome, batch in group.items():
                    await self._is_settled({outcome: batch})
        except asyncio.CancelledError:
            _tell(group, Contended("the transaction that it was part of was given up"))
            raise

    async def _is_settled(self, group: Mapping[Outcome, Batch]) -> bool:
        """False where it failed for several: nothing was written, and each has to be tried alone."""
        try:
            await self._apply(list(group.values()))
        except Unavailable as away:
            _tell(group, away)
        except Exception as error:
            if len(group) > 1:
                return False
            _tell(group, error)
        else:
            _tell(group, None)
        return True


def _tell(group: Mapping[Outcome, Batch], met: Exception | None) -> None:
    for outcome in group:
        if not outcome.done():  # else it has been told before, or nobody waits for it any more
            outcome.set_result(met)
