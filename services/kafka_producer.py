"""Appends to Kafka: acknowledged by all in-sync replicas, idempotent, in bounded time."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError

from services.failures import Rejected, Unavailable
from services.holdings import Place
from services.kafka_cluster import Connection, answered_within
from services.log import Message, Placed
from services.murmur2 import partition_of

log = structlog.get_logger()

_WHOLE_BATCHES_FROM = 32
_STOPPING_S = 5.0


class Producer:
    def __init__(self, connection: Connection, timeout_s: float, max_message_bytes: int, linger_ms: int) -> None:
        self._connection, self._timeout_s, self._linger_ms = connection, timeout_s, linger_ms
        self._max_message_bytes = max_message_bytes
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._retiring: set[asyncio.Task[None]] = set()
        self._turns: defaultdict[Place, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def append(self, topic: str, messages: Sequence[Message], partitions: int) -> list[Placed]:
        for message in messages:
            size = len(message.key) + len(message.value)
            if size > self._max_message_bytes:
                raise _too_large(f"a message is limited to {self._max_message_bytes} bytes, this one has {size}")
            if message.partition is not None and not 0 <= message.partition < partitions:
                raise ValueError(f"{topic} has {partitions} partitions, not one numbered {message.partition}")
        producer: AIOKafkaProducer | None = None
        try:
            async with answered_within(self._timeout_s):
                producer = await self._started()
                if len(messages) < _WHOLE_BATCHES_FROM:
                    return await _send_each(producer, topic, messages, partitions)
                return await _send_batches(producer, topic, messages, partitions, self._turns)
        except Unavailable as away:
            log.warning("append failed", topic=topic, what=str(away))
            if producer is self._producer:  # not one that was started since, for another append that failed with it
                self._retire()  # what it still holds may fail with it; the next append starts with a clean one
            if isinstance(away.__cause__, MessageSizeTooLargeError | RecordListTooLargeError):
                raise _too_large("the broker takes no message of this size") from away
            raise

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is not None:
                return self._producer
            # Kept at hand: while it starts, an append that failed may retire it, and then it says so itself.
            producer = self._producer = AIOKafkaProducer(
                **self._connection, acks="all", enable_idempotence=True, linger_ms=self._linger_ms,
                compression_type="lz4", max_batch_size=256 << 10, request_timeout_ms=int(self._timeout_s * 1000),
                max_request_size=self._max_message_bytes + (16 << 10),
            )  # fmt: skip
            try:
                await producer.start()
            except BaseException:
                self._retire()
                raise
            return producer

    def _retire(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            task = asyncio.create_task(_stop(producer), name="retire a Kafka producer")
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)

    async def close(self) -> None:
        self._retire()
        if self._retiring:
            await asyncio.wait(self._retiring)


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        async with answered_within(_STOPPING_S):
            await producer.stop()
    except Unavailable:
        await producer.client.close()


async def _send_each(
    producer: AIOKafkaProducer, topic: str, messages: Sequence[Message], partitions: int
) -> list[Placed]:
    """Few messages: the producer joins them with those of other appends."""
    sent = [
        await producer.send(topic, m.value, m.key, _partition(m, partitions))
        for m in messages
    ]  # fmt: skip
    return [Placed(done.partition, done.offset) for done in await asyncio.gather(*sent)]


async def _send_batches(
    producer: AIOKafkaProducer,
    topic: str,
    messages: Sequence[Message],
    partitions: int,
    turns: Mapping[Place, asyncio.Lock],
) -> list[Placed]:
    """Many messages: whole batches, which costs a tenth per message.

    One append at a time waits for a partition's place in the producer: where several do, aiokafka 0.14 takes the time
    since the first off the patience of each at every round, and gives up within a fraction of it.
    """
    indexes: dict[int, list[int]] = {}
    for index, message in enumerate(messages):
        indexes.setdefault(_partition(message, partitions), []).append(index)
    batches: list[tuple[int, list[int], asyncio.Future[Any]]] = []
    for partition, own in indexes.items():
        while own:
            builder, taken = producer.create_batch(), 0
            for index in own:
                if builder.append(key=messages[index].key, value=messages[index].value, timestamp=None) is None:
                    break
                taken += 1
            async with turns[Place(topic, partition)]:
                sent = await producer.send_batch(builder, topic, partition=partition)
            batches.append((partition, own[:taken], sent))
            own = own[taken:]
    placed: dict[int, Placed] = {}
    done = await asyncio.gather(*(future for _, _, future in batches))
    for (partition, own, _), metadata in zip(batches, done, strict=True):
        placed |= {index: Placed(partition, metadata.offset + at) for at, index in enumerate(own)}
    return [placed[index] for index in range(len(messages))]


def _partition(message: Message, partitions: int) -> int:
    return partition_of(message.key, partitions) if message.partition is None else message.partition


def _too_large(message: str) -> Rejected:
    return Rejected("message_too_large", message)
