"""Several appends to a topic as one: a batch a partition, for a batch costs Kafka and its client more than the messages
in it, and a request more than its batches."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer

from services.log import Message, Placed


class Append(NamedTuple):
    """`partitions`: of each message. `done` gets where each stands."""

    messages: Sequence[Message]
    partitions: Sequence[int]
    size: int
    done: "asyncio.Future[list[Placed]]"


class _Batch(NamedTuple):
    """Which messages are in it, in order: the number of the append, and of the message in that."""

    partition: int
    holds: list[tuple[int, int]]
    sent: "asyncio.Future[Any]"


async def send_together(
    producer: AIOKafkaProducer, topic: str, appends: Sequence[Append]
) -> list[list[Placed] | BaseException]:
    """Of each append where its messages stand, or what kept one of them out: the others are not concerned."""
    by_partition: dict[int, list[tuple[int, int]]] = {}
    for number, append in enumerate(appends):
        for index, partition in enumerate(append.partitions):
            by_partition.setdefault(partition, []).append((number, index))
    batches: list[_Batch] = []
    while by_partition:  # a round: one batch of each partition, all of them in one request to their broker
        for partition, left in list(by_partition.items()):
            batch, rest = await _send(producer, topic, partition, left, appends)
            batches.append(batch)
            if rest:
                by_partition[partition] = rest
            else:
                del by_partition[partition]
    done = await asyncio.gather(*(batch.sent for batch in batches), return_exceptions=True)
    return _outcomes(appends, batches, done)


async def _send(
    producer: AIOKafkaProducer, topic: str, partition: int, left: list[tuple[int, int]], appends: Sequence[Append]
) -> tuple[_Batch, list[tuple[int, int]]]:
    """As many as one batch holds, once the partition's batch before it is on its way."""
    builder, taken = producer.create_batch(), 0
    for number, index in left:
        message = appends[number].messages[index]
        if builder.append(key=message.key, value=message.value, timestamp=None) is None:
            break
        taken += 1
    sent = await producer.send_batch(builder, topic, partition=partition)
    sent.add_done_callback(_heard)
    return _Batch(partition, left[:taken], sent), left[taken:]


def _heard(sent: "asyncio.Future[Any]") -> None:
    """Where a later batch of the round is not taken at all, nobody waits for this one: asyncio would tell of its error
    as of one that was lost, and whoever appended is told in any case."""
    if not sent.cancelled():
        sent.exception()


def _outcomes(
    appends: Sequence[Append], batches: Sequence[_Batch], done: Sequence[Any]
) -> list[list[Placed] | BaseException]:
    placed = [[Placed(0, 0)] * len(append.messages) for append in appends]
    failed: dict[int, BaseException] = {}
    for batch, metadata in zip(batches, done, strict=True):
        for at, (number, index) in enumerate(batch.holds):
            if isinstance(metadata, BaseException):
                failed.setdefault(number, metadata)
            else:
                placed[number][index] = Placed(batch.partition, metadata.offset + at)
    return [failed.get(number, places) for number, places in enumerate(placed)]
