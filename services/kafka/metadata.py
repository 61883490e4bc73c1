"""Asks Kafka for the identity of a topic (KIP-516), by Metadata of version 10; aiokafka stops at 5."""

from typing import NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import UnknownTopicOrPartitionError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)  # fmt: skip

from services.log import UnknownTopic

_VERSION = 10
_UUID = Schema(("high", Int64), ("low", Int64))


class _MetadataResponse(Response):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = 3
    API_VERSION = _VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(
            ("node_id", Int32), ("host", CompactString()), ("port", Int32), ("rack", CompactString()),
            ("tags", TaggedFields),
        )),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        ("topics", CompactArray(
            ("error_code", Int16), ("name", CompactString()), ("topic_id", _UUID), ("is_internal", Boolean),
            ("partitions", CompactArray(
                ("error_code", Int16), ("partition", Int32), ("leader", Int32), ("leader_epoch", Int32),
                ("replicas", CompactArray(Int32)), ("isr", CompactArray(Int32)), ("offline", CompactArray(Int32)),
                ("tags", TaggedFields),
            )),
            ("authorized_operations", Int32), ("tags", TaggedFields),
        )),
        ("cluster_authorized_operations", Int32),
        ("tags", TaggedFields),
    )  # fmt: skip


class _MetadataRequestV10(RequestStruct):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = 3
    API_VERSION = _VERSION
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _UUID), ("name", CompactString()), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataRequestV10]):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = 3

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def build(self, request_struct_class: type[_MetadataRequestV10]) -> _MetadataRequestV10:
        return request_struct_class([((0, 0), self._topic, {})], False, False, False, {})


class TopicDescription(NamedTuple):
    id: str  # as 32 hexadecimal digits
    partitions: int
    led: bool  # every partition has a leader
    replicas: int  # of the partition that has the fewest
    brokers: int


async def describe_topic(client: AIOKafkaClient, topic: str) -> TopicDescription:
    """Raises `UnknownTopic`, and the errors of aiokafka."""
    response = await client.send(client.get_random_node(), _MetadataRequest(topic))
    (described,) = response.topics
    error_code, _, (high, low), _, partitions, *_ = described
    error = for_code(error_code)
    if error is UnknownTopicOrPartitionError:
        raise UnknownTopic(topic)
    if error_code:
        raise error(topic)
    led = all(partition[2] >= 0 for partition in partitions)
    replicas = min(len(partition[4]) for partition in partitions)
    identity = f"{high & (1 << 64) - 1:016x}{low & (1 << 64) - 1:016x}"
    return TopicDescription(identity, len(partitions), led, replicas, len(response.brokers))
