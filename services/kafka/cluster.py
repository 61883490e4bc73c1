"""What is asked of a Kafka cluster beside appending and consuming: which topics there are, and what they hold.

Every question is answered or `Unavailable` within the time limit.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from schemas.instants import DAY_MS
from schemas.topics import Topic
from services.failures import Unavailable
from services.kafka.away import SETTING, away
from services.kafka.metadata import TopicDescription, describe_topic
from services.log import Record, UnknownTopic
from services.partition import Bounds

Connection = Mapping[str, Any]
"""How to reach the brokers: aiokafka's bootstrap_servers, security_protocol, ssl_context, sasl_…"""


@contextlib.asynccontextmanager
async def answered_within(seconds: float) -> AsyncIterator[None]:
    """Turns whatever says that the brokers are away into `Unavailable`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Unavailable(f"Kafka did not answer within {seconds:g} s", setting=SETTING) from None
    except (KafkaError, OSError) as error:
        raise away(error) from error


@contextlib.asynccontextmanager
async def administering(connection: Connection) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**connection)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


def _new(topic: Topic) -> NewTopic:
    kept = {"cleanup.policy": "delete", "retention.ms": str(topic.retention_days * DAY_MS)}
    return NewTopic(topic.name, topic.partitions, 1, topic_configs=kept)


class Kept(NamedTuple):
    """How the cluster keeps a topic: on how many of its brokers, and what is set for it."""

    brokers: int
    replicas: int
    min_insync_replicas: str
    retention_ms: str
    retention_bytes: str
    cleanup_policy: str
    unclean_leaders: str


_LOOK_MS = 100
_SETTINGS = (
    "min.insync.replicas", "retention.ms", "retention.bytes", "cleanup.policy", "unclean.leader.election.enable",
)  # fmt: skip


class Cluster:
    def __init__(self, connection: Connection, timeout_s: float, replication_factor: int) -> None:
        self._connection, self._timeout_s, self._replication_factor = connection, timeout_s, replication_factor
        self._reader: AIOKafkaConsumer | None = None
        self._starting = asyncio.Lock()

    async def ensure_topics(self, topics: Sequence[Topic]) -> None:
        async with answered_within(max(30.0, self._timeout_s)):
            async with administering(self._connection) as admin:
                await self._create(admin, topics)
            for topic in topics:
                while not await self._is_led(topic.name):  # noqa: ASYNC110 - no event tells
                    await asyncio.sleep(0.05)

    async def _create(self, admin: AIOKafkaAdminClient, topics: Sequence[Topic]) -> None:
        known = set(await admin.list_topics())
        missing = [_new(topic) for topic in topics if topic.name not in known]
        for new in missing:
            new.replication_factor = self._replication_factor  # the constructor refuses -1, the broker's own default
        if missing:
            response = await admin.create_topics(missing)
            for name, code, *_ in response.topic_errors:
                if code not in (0, TopicAlreadyExistsError.errno):
                    raise for_code(code)(name)

    async def _is_led(self, topic: str) -> bool:
        try:
            return (await self.describe(topic)).led
        except UnknownTopic:
            return False  # made a moment ago, and this broker has not heard of it

    async def describe(self, topic: str) -> TopicDescription:
        async with self._client() as reader:
            return await describe_topic(reader._client, topic)

    async def kept(self, topic: str) -> Kept:
        """Raises `UnknownTopic`, `Unavailable`."""
        description = await self.describe(topic)
        async with answered_within(self._timeout_s), administering(self._connection) as admin:
            [response] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        [(code, _, _, _, entries)] = response.resources
        if code:
            raise away(for_code(code)(topic))
        settings = {entry[0]: entry[1] for entry in entries}
        return Kept(description.brokers, description.replicas, *(settings.get(name) or "" for name in _SETTINGS))

    async def ends(self, topic: str) -> dict[int, tuple[int, int]]:
        partitions = (await self.describe(topic)).partitions
        return await self._ends(topic, range(partitions))

    async def offsets_at(self, topic: str, at_ms: int) -> dict[int, int]:
        """For every partition the first offset taken at or after that time, or the end."""
        ends = await self.ends(topic)
        async with self._client() as reader:
            found = await reader.offsets_for_times({TopicPartition(topic, at): at_ms for at in ends})
        return {place.partition: first.offset if first else ends[place.partition][1] for place, first in found.items()}

    async def record(self, topic: str, partition: int, offset: int) -> Record | None:
        bounds = await self.bounds(topic, partition)
        if not bounds.first <= offset < bounds.end:
            return None
        place = TopicPartition(topic, partition)
        async with answered_within(self._timeout_s):
            # one of its own: an assignment would disturb the questions of others
            reader = AIOKafkaConsumer(**self._connection, enable_auto_commit=False)
            try:
                await reader.start()
                reader.assign([place])
                reader.seek(place, offset)
                found: Sequence[Any] = ()
                while not found and await reader.position(place) <= offset:  # behind a marker nothing may come
                    found = (await reader.getmany(place, timeout_ms=_LOOK_MS, max_records=1)).get(place, ())
            finally:
                await reader.stop()
        return next(
            (Record(one.offset, one.timestamp, one.key, one.value) for one in found if one.offset == offset), None
        )

    async def bounds(self, topic: str, partition: int) -> Bounds:
        description = await self.describe(topic)
        ends = await self._ends(topic, [partition])
        return Bounds(description.id, *ends[partition])

    async def _ends(self, topic: str, partitions: Iterable[int]) -> dict[int, tuple[int, int]]:
        places = [TopicPartition(topic, partition) for partition in partitions]
        async with self._client() as reader:
            first, end = await reader.beginning_offsets(places), await reader.end_offsets(places)
        return {place.partition: (first[place], end[place]) for place in places}

    @contextlib.asynccontextmanager
    async def _client(self) -> AsyncIterator[AIOKafkaConsumer]:
        async with answered_within(self._timeout_s):
            async with self._starting:
                if self._reader is None:
                    reader = AIOKafkaConsumer(**self._connection, enable_auto_commit=False)
                    try:
                        await reader.start()
                    except BaseException:
                        await reader.stop()
                        raise
                    self._reader = reader
            yield self._reader

    async def close(self) -> None:
        if self._reader:
            await self._reader.stop()
            self._reader = None
