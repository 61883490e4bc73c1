"""The partitions that one consumer is assigned by its group: each worked by itself, let go after the batch in hand."""

import asyncio
from collections.abc import Callable, Iterable
from typing import cast

from services.log import TopicPartition
from services.partition import PartitionWork


class Assignment:
    """Works on the partitions assigned. Work on one begins when the former work on it has ended.

    `locks` are shared by all consumers of the process that may be assigned the same partitions. One that met `Stop` is
    not taken up again, and `stopped` says why.
    """

    def __init__(
        self, start: Callable[[TopicPartition], PartitionWork], locks: dict[TopicPartition, asyncio.Lock]
    ) -> None:
        self._start, self._locks = start, locks
        self._holders: dict[TopicPartition, asyncio.Task[None]] = {}
        self._works: dict[asyncio.Task[None], PartitionWork] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.stopped: dict[TopicPartition, str] = {}

    def waiting(self) -> dict[TopicPartition, str]:
        """Why the last try failed, of those to be tried again."""
        works = self._works.values()
        return {work.topic_partition: work.failed_by for work in works if work.failed_by is not None}

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        """These partitions and no others. The batches in hand of those let go are finished meanwhile."""
        assigned = set(partitions) - self.stopped.keys()
        for partition in self._holders.keys() - assigned:
            holder = self._holders.pop(partition)
            if work := self._works.get(holder):
                work.stop()
            else:
                holder.cancel()
        for partition in assigned - self._holders.keys():
            self._holders[partition] = holder = asyncio.create_task(self._hold(partition), name=f"hold {partition}")
            self._tasks.add(holder)
            holder.add_done_callback(self._tasks.discard)

    async def settle(self, most_s: float | None = None) -> None:
        """Waits, at most `most_s` seconds, until what was let go has ended."""
        letting_go = self._tasks - set(self._holders.values())
        if letting_go:
            await asyncio.wait(letting_go, timeout=most_s)

    async def close(self) -> None:
        """Lets go of everything. A cancellation meanwhile cancels the batches in hand, too."""
        self.assign(())
        try:
            await self.settle()
        except asyncio.CancelledError:
            for work in self._works.values():
                work.task.cancel()
            await self.settle()
            raise

    async def _hold(self, partition: TopicPartition) -> None:
        async with self._locks.setdefault(partition, asyncio.Lock()):
            work = self._start(partition)
            holder = cast("asyncio.Task[None]", asyncio.current_task())
            self._works[holder] = work
            try:
                await asyncio.wait([work.task])
            finally:
                del self._works[holder]
            if work.stopped_by is not None:
                self.stopped[partition] = str(work.stopped_by)
