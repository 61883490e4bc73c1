"""The log on Apache Kafka: appends by aiokafka, consumer groups by Faust. Both stand behind this module alone."""

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

import structlog

from schemas.topics import Topic
from services.failures import Unavailable, trace_of
from services.kafka.buffers import PartitionBuffers
from services.kafka.cluster import Cluster, Kept
from services.kafka.faust import BatchApp, new_app, stop_app
from services.kafka.fetching import group_consumer
from services.kafka.membership import watch_membership
from services.kafka.probing import why_refused
from services.kafka.producer import Producer
from services.log import Handler, Message, Placed, PositionStore, Record, TopicPartition, UnknownTopic
from services.outage import Outage

log = structlog.get_logger()

_MAX_MESSAGE_BYTES = 1_000_000
_RESTART_S = 1.0
_STOPPING_S = 30.0


class KafkaLog:
    """`servers` are host:port pairs, separated by commas; `security` are aiokafka's options for TLS and SASL.

    Connects when first used. Belongs to one event loop.
    """

    def __init__(
        self,
        servers: str,
        *,
        security: Mapping[str, Any] | None = None,
        timeout_s: float = 5.0,
        replication_factor: int = -1,
        linger_ms: int = 0,
        batch_records: int = 5_000,
        session_timeout_s: float = 10.0,
    ) -> None:
        self._connection = {"bootstrap_servers": servers, **(security or {})}
        self._timeout_s = timeout_s
        self._cluster = Cluster(self._connection, timeout_s, replication_factor)
        self._producer = Producer(self._connection, timeout_s, _MAX_MESSAGE_BYTES, linger_ms)
        self._batch_records = batch_records
        self._consumer = partial(group_consumer, self._connection, session_timeout_s)
        self._partitions: dict[str, int] = {}
        self._consuming: list[PartitionBuffers] = []
        self._refused: dict[TopicPartition, str] = {}

    async def ensure_topics(self, topics: Sequence[Topic]) -> None:
        await self._cluster.ensure_topics(topics)

    async def append(self, topic: str, messages: Sequence[Message]) -> Sequence[Placed]:
        if topic not in self._partitions:
            try:
                self._partitions[topic] = (await self._cluster.describe(topic)).partitions
            except UnknownTopic as unknown:
                raise Unavailable(unknown.message) from None
        try:
            return await self._producer.append(topic, messages, self._partitions[topic]) if messages else []
        except Unavailable:
            self._partitions.pop(topic, None)  # it may have been made anew with another number
            raise

    async def why_refused(self) -> str | None:
        """In words, where no broker lets this process in."""
        return await why_refused(self._connection, self._timeout_s)

    async def kept(self, topic: str) -> Kept:
        """Raises `UnknownTopic`, `Unavailable`."""
        return await self._cluster.kept(topic)

    async def ends(self, topic: str) -> Mapping[int, tuple[int, int]]:
        return await self._cluster.ends(topic)

    async def offsets_at(self, topic: str, at_ms: int) -> Mapping[int, int]:
        return await self._cluster.offsets_at(topic, at_ms)

    async def record(self, topic: str, partition: int, offset: int) -> Record | None:
        return await self._cluster.record(topic, partition, offset)

    async def topic_id(self, topic: str) -> str:
        return (await self._cluster.describe(topic)).id

    async def consume(self, topics: Sequence[str], group: str, positions: PositionStore, handler: Handler) -> None:
        buffers = PartitionBuffers(self._cluster, positions, handler, self._batch_records)
        self._consuming.append(buffers)
        consumer = partial(self._consumer, group)
        try:
            while True:
                await self._await_topics(topics)
                app = new_app(group, topics, buffers, consumer, self._batch_records)
                await _run(app, buffers, watch_membership(app, group, topics, self._cluster, self._refused))
                await asyncio.sleep(_RESTART_S)
        finally:
            self._consuming.remove(buffers)
            await buffers.assignment.close()

    def stopped(self) -> Mapping[TopicPartition, str]:
        return {place: why for buffers in self._consuming for place, why in buffers.assignment.stopped.items()}

    def waiting(self) -> Mapping[TopicPartition, str]:
        tried = {place: why for buffers in self._consuming for place, why in buffers.assignment.waiting().items()}
        return self._refused | tried

    async def _await_topics(self, topics: Sequence[str]) -> None:
        for topic in topics:
            await Outage("log", topic=topic).outlasted(partial(self._cluster.describe, topic))

    async def close(self) -> None:
        await self._producer.close()
        await self._cluster.close()


async def _run(app: BatchApp, buffers: PartitionBuffers, watch: Coroutine[None, None, None]) -> None:
    """Until cancelled, or until Faust has crashed. Either way the batches in hand are finished first."""
    buffers.consumer = lambda: app.batch_consumer
    starting = asyncio.create_task(app.start(), name="start Faust")
    watching = asyncio.create_task(watch, name="watch the group")
    try:
        await asyncio.wait([starting])
        if not starting.exception():
            await app.wait_until_stopped()
        reason = starting.exception() or app.crash_reason
        log.error("consumer starts anew", error=trace_of(reason or RuntimeError()))
    finally:
        watching.cancel()
        buffers.stop_fetching()
        await buffers.assignment.close()
        buffers.consumer = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOPPING_S):
                await stop_app(app)
        starting.cancel()
        await asyncio.wait([starting])
