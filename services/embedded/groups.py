"""Consumer groups inside one process: the members of a group share its partitions, each has one owner at a time."""

import asyncio
from collections.abc import Mapping, Sequence

from services.holdings import Holdings, Place


class Member:
    """One call of consume: the places of the topics it asked for, and what it holds of them."""

    def __init__(self, wanted: Sequence[Place], holdings: Holdings) -> None:
        self.wanted, self.holdings = frozenset(wanted), holdings


class Group:
    """Places are dealt round robin to those who want them, anew whenever somebody joins or leaves."""

    def __init__(self) -> None:
        self._members: list[Member] = []
        self.locks: dict[Place, asyncio.Lock] = {}

    async def work(self, member: Member) -> None:
        """Until cancelled; then the batches in hand are finished."""
        self._members.append(member)
        self._deal()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._members.remove(member)
            self._deal()
            await member.holdings.close()

    def stopped(self) -> Mapping[Place, str]:
        """Why, of each place that one of the members gave up."""
        return {place: why for member in self._members for place, why in member.holdings.stopped.items()}

    def waiting(self) -> Mapping[Place, str]:
        """Why, of each place that one of the members is to try again."""
        return {place: why for member in self._members for place, why in member.holdings.waiting().items()}

    def _deal(self) -> None:
        dealt: dict[Member, set[Place]] = {member: set() for member in self._members}
        for index, place in enumerate(sorted({place for m in self._members for place in m.wanted})):
            takers = [member for member in self._members if place in member.wanted]
            dealt[takers[index % len(takers)]].add(place)
        for member, places in dealt.items():
            member.holdings.deal(places)
