"""Consumer groups inside one process: the members of a group share its partitions, each has one owner at a time."""

import asyncio
from collections.abc import Mapping, Sequence

from services.assignment import Assignment
from services.log import TopicPartition


class Member:
    """One call of consume: the partitions of the topics it asked for, and those that it is assigned."""

    def __init__(self, wanted: Sequence[TopicPartition], assignment: Assignment) -> None:
        self.wanted, self.assignment = frozenset(wanted), assignment


class Group:
    """Partitions are assigned round robin to those who want them, anew whenever somebody joins or leaves."""

    def __init__(self) -> None:
        self._members: list[Member] = []
        self.locks: dict[TopicPartition, asyncio.Lock] = {}

    async def work(self, member: Member) -> None:
        """Until cancelled; then the batches in hand are finished."""
        self._members.append(member)
        self._assign()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._members.remove(member)
            self._assign()
            await member.assignment.close()

    def stopped(self) -> Mapping[TopicPartition, str]:
        """Why, of each partition that one of the members gave up."""
        return {partition: why for member in self._members for partition, why in member.assignment.stopped.items()}

    def waiting(self) -> Mapping[TopicPartition, str]:
        """Why, of each partition that one of the members is to try again."""
        return {partition: why for member in self._members for partition, why in member.assignment.waiting().items()}

    def _assign(self) -> None:
        assigned: dict[Member, set[TopicPartition]] = {member: set() for member in self._members}
        for index, partition in enumerate(sorted({partition for m in self._members for partition in m.wanted})):
            takers = [member for member in self._members if partition in member.wanted]
            assigned[takers[index % len(takers)]].add(partition)
        for member, partitions in assigned.items():
            member.assignment.assign(partitions)
