"""Consumer groups inside one process: the members of a group share its partitions, each has one owner at a time."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from services.partition import PartitionWork, settle


class Place(NamedTuple):
    topic: str
    partition: int


class Group:
    """Every member takes its turn in the sorted list of places; whoever joins or leaves deals them anew."""

    def __init__(self) -> None:
        self._members: list[Member] = []
        self.held: dict[Place, asyncio.Lock] = {}

    def join(self, member: "Member") -> None:
        self._members.append(member)
        self._deal()

    def leave(self, member: "Member") -> None:
        self._members.remove(member)
        self._deal()

    def _deal(self) -> None:
        dealt: dict[Member, set[Place]] = {member: set() for member in self._members}
        for index, place in enumerate(sorted({place for m in self._members for place in m.wanted})):
            takers = [m for m in self._members if place in m.wanted]
            dealt[takers[index % len(takers)]].add(place)
        for member, places in dealt.items():
            member.deal(places)


class Member:
    """Holds the places that are dealt to it; each holder waits until the former owner has let go."""

    def __init__(self, group: Group, wanted: Sequence[Place], start: Callable[[Place], PartitionWork]) -> None:
        self.wanted = frozenset(wanted)
        self._group, self._start = group, start
        self._holders: dict[Place, asyncio.Task[None]] = {}
        self._works: dict[Place, PartitionWork] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until cancelled; then the batches in hand are finished."""
        self._group.join(self)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._group.leave(self)
            self.deal(set())
            await settle(list(self._works.values()))
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def deal(self, places: set[Place]) -> None:
        for place in self._holders.keys() - places:
            holder = self._holders.pop(place)
            if place in self._works:
                self._works[place].stop()
            else:
                holder.cancel()
        for place in places - self._holders.keys():
            holder = asyncio.create_task(self._hold(place), name=f"hold {place.topic}/{place.partition}")
            self._holders[place] = holder
            self._tasks.add(holder)
            holder.add_done_callback(self._tasks.discard)

    async def _hold(self, place: Place) -> None:
        async with self._group.held.setdefault(place, asyncio.Lock()):
            self._works[place] = work = self._start(place)
            try:
                await asyncio.wait([work.task])
            finally:
                del self._works[place]
