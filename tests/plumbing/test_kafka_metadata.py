"""What a broker tells of a topic."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import LeaderNotAvailableError, UnknownTopicOrPartitionError

from services.kafka.metadata import TopicDescription, describe_topic
from services.log import UnknownTopic

LEADER, NOBODY = 0, -1


def partition(leader: int = LEADER, replicas: int = 3) -> tuple[Any, ...]:
    return 0, 0, leader, 7, list(range(replicas)), [], [], {}


async def described(*partitions: tuple[Any, ...], error: int = 0, high: int = 1, low: int = 2) -> TopicDescription:
    told = SimpleNamespace(brokers=[(), ()], topics=[(error, "t", (high, low), False, partitions, 0, {})])

    async def send(node: int, request: Any) -> object:
        topics, makes_them, *_ = request.build(lambda *fields: fields)
        assert (topics, makes_them) == ([((0, 0), "t", {})], False), "asking for a topic does not make it"
        return told

    return await describe_topic(cast(AIOKafkaClient, SimpleNamespace(get_random_node=lambda: 0, send=send)), "t")


async def test_a_topic_is_led_where_each_of_its_partitions_has_a_leader() -> None:
    assert (await described(partition(), partition())).led
    assert not (await described(partition(), partition(NOBODY))).led


async def test_it_is_told_how_many_brokers_keep_the_partition_that_the_fewest_keep() -> None:
    told = await described(partition(replicas=3), partition(replicas=2), partition(replicas=3))
    assert (told.partitions, told.replicas, told.brokers) == (3, 2, 2)


@pytest.mark.parametrize(("high", "low", "identity"), [
    (1, 2, "0000000000000001" "0000000000000002"),
    (-1, 1 - (1 << 63), "ffffffffffffffff" "8000000000000001"),
])  # fmt: skip
async def test_its_identity_has_32_digits_whatever_the_signs_of_its_halves(high: int, low: int, identity: str) -> None:
    assert (await described(partition(), high=high, low=low)).id == identity


async def test_a_topic_that_is_not_there_is_unknown_and_any_other_error_is_told_as_it_is() -> None:
    with pytest.raises(UnknownTopic):
        await described(error=UnknownTopicOrPartitionError.errno)
    with pytest.raises(LeaderNotAvailableError):
        await described(partition(), error=LeaderNotAvailableError.errno)
