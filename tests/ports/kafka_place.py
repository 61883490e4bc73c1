"""Kafka for the contract suite of the log: topics are deleted and cut with the admin client."""

import contextlib
from contextlib import AbstractAsyncContextManager
from urllib.parse import urlsplit

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from services.kafka.cluster import administering
from services.kafka.log import KafkaLog
from services.log import EventLog, UnknownTopic


class KafkaPlace:
    def __init__(self, url: str) -> None:
        self.servers = urlsplit(url).netloc
        self._open: list[KafkaLog] = []

    async def open(self) -> EventLog:
        log = KafkaLog(self.servers, batch_records=100)
        self._open.append(log)
        return log

    async def another(self, log: EventLog) -> EventLog:
        return await self.open()

    async def delete(self, log: EventLog, topic: str) -> None:
        async with self._admin() as admin:
            await admin.delete_topics([topic])
        with contextlib.suppress(UnknownTopic):
            while True:
                await log.topic_id(topic)

    async def forget(self, log: EventLog, topic: str) -> None:
        _, end = (await log.ends(topic))[0]
        async with self._admin() as admin:
            await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(end)})

    async def close(self) -> None:
        for log in self._open:
            await log.close()

    def _admin(self) -> AbstractAsyncContextManager[AIOKafkaAdminClient]:
        return administering({"bootstrap_servers": self.servers})
