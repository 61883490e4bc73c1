"""The partitions that one consumer holds: dealt by the group, worked one by one, let go batch by batch."""

import asyncio
from collections.abc import Callable, Iterable
from typing import NamedTuple, cast

from services.partition import PartitionWork


class Place(NamedTuple):
    topic: str
    partition: int


class Holdings:
    """Works on the places dealt to it. Work on a place begins when the former work on it has ended.

    `locks` are shared by all consumers of the process that may be dealt the same places. A place that met `Stop` is
    not taken up again, and `stopped` says why.
    """

    def __init__(self, start: Callable[[Place], PartitionWork], locks: dict[Place, asyncio.Lock]) -> None:
        self._start, self._locks = start, locks
        self._holders: dict[Place, asyncio.Task[None]] = {}
        self._works: dict[asyncio.Task[None], PartitionWork] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.stopped: dict[Place, str] = {}

    def waiting(self) -> dict[Place, str]:
        """Why the last try failed, of those to be tried again."""
        works = self._works.values()
        return {Place(*work.place): work.failed_by for work in works if work.failed_by is not None}

    def deal(self, places: Iterable[Place]) -> None:
        """These places and no others. The batches in hand of those let go are finished meanwhile."""
        dealt = set(places) - self.stopped.keys()
        for place in self._holders.keys() - dealt:
            holder = self._holders.pop(place)
            if work := self._works.get(holder):
                work.stop()
            else:
                holder.cancel()
        for place in dealt - self._holders.keys():
            self._holders[place] = holder = asyncio.create_task(self._hold(place), name=f"hold {place}")
            self._tasks.add(holder)
            holder.add_done_callback(self._tasks.discard)

    async def settle(self, most_s: float | None = None) -> None:
        """Waits, at most `most_s` seconds, until what was let go has ended."""
        letting_go = self._tasks - set(self._holders.values())
        if letting_go:
            await asyncio.wait(letting_go, timeout=most_s)

    async def close(self) -> None:
        """Lets go of everything. A cancellation meanwhile cancels the batches in hand, too."""
        self.deal(())
        try:
            await self.settle()
        except asyncio.CancelledError:
            for work in self._works.values():
                work.task.cancel()
            await self.settle()
            raise

    async def _hold(self, place: Place) -> None:
        async with self._locks.setdefault(place, asyncio.Lock()):
            work = self._start(place)
            holder = cast("asyncio.Task[None]", asyncio.current_task())
            self._works[holder] = work
            try:
                await asyncio.wait([work.task])
            finally:
                del self._works[holder]
            if work.stopped_by is not None:
                self.stopped[place] = str(work.stopped_by)
