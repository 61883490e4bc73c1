"""Faust as this product uses it: group membership and an agent over whole partition batches.

No command line, no web server, no tables, no producer, no positions of its own, no set-up of logging; it runs inside
our loop and is started and stopped like any service of mode.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer
from faust.app.base import BootStrategy
from faust.transport.drivers import aiokafka as driver
from faust.types import Message
from mode import Service

from services.kafka.fetching import BatchConsumer, Buffers


class BatchTransport(driver.Transport):
    Consumer = BatchConsumer


class _Boot(BootStrategy):
    enable_kafka_producer = False
    enable_web = False


class BatchApp(faust.App):
    BootStrategy = _Boot

    def __init__(
        self, group: str, buffers: Buffers, new_consumer: Callable[[], AIOKafkaConsumer], **options: Any
    ) -> None:
        self.buffers, self.new_consumer = buffers, new_consumer
        super().__init__(group, **options)

    @property
    def batch_consumer(self) -> BatchConsumer:
        return self.consumer  # type: ignore[return-value]  # the transport makes no others

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """There are no tables to keep in any."""


class BatchTopic(faust.Topic):
    async def decode(self, message: Message, *, propagate: bool = False) -> Any:
        return self._create_event(message.key, message.value, headers=None, message=message)


def new_app(
    group: str, topics: Sequence[str], buffers: Buffers, new_consumer: Callable[[], AIOKafkaConsumer], most: int
) -> BatchApp:
    """An app that hands every batch of the topics to its buffer."""
    app = BatchApp(
        group, buffers, new_consumer, broker="kafka://unused", loop=asyncio.get_running_loop(), autodiscover=False,
        value_serializer="raw", key_serializer="raw", topic_allow_declare=False, topic_disable_leader=True,
        web_enabled=False, broker_max_poll_records=most, stream_wait_empty=False, broker_commit_interval=3600.0,
        broker_commit_livelock_soft_timeout=1e9,
    )  # fmt: skip
    topic = BatchTopic(
        app, topics=list(topics), key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )

    async def hand_over(batches: Any) -> None:
        async for fetched in batches:
            buffers.deliver(fetched)

    app.agent(topic, name="hand_over")(hand_over)
    return app


async def stop_app(app: BatchApp) -> None:
    """Stops the app, and the waits for its services' crashes that mode leaves behind whenever a wait is cancelled."""
    await app.stop()
    for node in app.beacon.traverse():
        service = getattr(node, "data", node)
        if isinstance(service, Service) and service.loop is app.loop:
            service._crashed.set()
    await asyncio.sleep(0)
