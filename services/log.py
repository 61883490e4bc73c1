"""The port of the event log: append, batches, positions. It never mentions a customer, and knows no schema."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from schemas.topics import Topic


class TopicPartition(NamedTuple):
    topic: str
    partition: int


class Message(NamedTuple):
    """What is appended. `partition` None means: by hash of the key (murmur2, as Kafka's default partitioner)."""

    key: bytes
    value: bytes
    partition: int | None = None


class Placed(NamedTuple):
    """Where an appended message stands."""

    partition: int
    offset: int


class Record(NamedTuple):
    offset: int
    timestamp_ms: int  # when the log took it
    key: bytes
    value: bytes


class Move(NamedTuple):
    """The position of a partition goes from where a batch starts to where the next one will."""

    topic: str
    topic_id: str
    partition: int
    start: int
    until: int


class Batch(NamedTuple):
    """Consecutive records of one partition.

    `start` is where the partition was sought to, or the `until` of the batch before it; `until` is the last
    offset + 1. Gaps between offsets are fine; `start` of one batch is always `until` of the one before.
    """

    topic: str
    topic_id: str
    partition: int
    start: int
    until: int
    records: Sequence[Record]

    @property
    def move(self) -> Move:
        return Move(*self[:5])


class Position(NamedTuple):
    """The next offset of a partition, with the identity of the topic it was read from."""

    topic_id: str
    next: int


Handler = Callable[[Batch], Awaitable[None]]
"""Applies a batch with all its effects and the moved position in one transaction, or raises and leaves no trace.

`Fenced`: the log drops what is buffered of the partition and seeks to the stored position again. `Unavailable`: the
same after waiting. Any other exception: the same, after the handler's own policy for bugs has had its say; `Stop`
ends work on that partition until the process is restarted."""


class Stop(Exception):  # noqa: N818 - an order to the log, not a programming error
    """Work on this partition must end loudly: the message says what an operator has to do."""


class UnknownTopic(LookupError):  # noqa: N818 - named after what is wrong
    """The log holds no topic of this name: `ensure_topics` was not called, or somebody deleted it."""

    @property
    def message(self) -> str:
        return f"the log holds no topic {self} any more: restore it, or start the platform anew, which makes it"


class PositionStore(Protocol):
    """What the consumer asks of the database that owns the positions."""

    async def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, Position]:
        """Partitions never worked on are left out: they start at the log's first offset."""


class EventLog(Protocol):
    """A partitioned, durable, append-only log."""

    async def ensure_topics(self, topics: Sequence[Topic]) -> None:
        """Creates what is missing, with its partitions and retention. Never changes what exists."""

    async def append(self, topic: str, messages: Sequence[Message]) -> Sequence[Placed]:
        """Returns once every message is durable; messages of one partition stand in the order given.

        Raises `Unavailable` within a bounded time, and then some may be in the log; where somebody deleted the topic,
        too, for whoever has something to say waits until it is back. `Rejected` (`message_too_large`): none is.
        """

    async def ends(self, topic: str) -> Mapping[int, tuple[int, int]]:
        """For every partition the first offset kept and the next one to be written.

        Raises `Unavailable` and `UnknownTopic`.
        """

    async def topic_id(self, topic: str) -> str:
        """The identity of the topic: another one after it was deleted and made anew.

        Raises `Unavailable` and `UnknownTopic`.
        """

    async def offsets_at(self, topic: str, at_ms: int) -> Mapping[int, int]:
        """For every partition the first offset that the log took at or after that time; where there is none, its end.

        Raises `Unavailable` and `UnknownTopic`.
        """

    async def record(self, topic: str, partition: int, offset: int) -> Record | None:
        """One record, for a person to look at; None where the log does not hold it (any more).

        Raises `Unavailable` and `UnknownTopic`.
        """

    async def consume(self, topics: Sequence[str], group: str, positions: PositionStore, handler: Handler) -> None:
        """Works until cancelled: one batch of a partition at a time, at most two of a partition in memory.

        Partitions are worked side by side, and members of one group share them. Raises `UnknownTopic`.

        Cancelling stops fetching, lets the batch in hand finish and leaves the group; then the cancellation goes on,
        as everywhere in asyncio. A second cancellation cancels the batches in hand, too.
        """

    def stopped(self) -> Mapping[TopicPartition, str]:
        """What an operator has to do, of those that met `Stop` while this log consumes."""

    def waiting(self) -> Mapping[TopicPartition, str]:
        """Why the last try failed, of those that this log is to try again."""

    async def close(self) -> None: ...
