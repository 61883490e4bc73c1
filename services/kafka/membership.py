"""Whether the group lets this process in. aiokafka keeps a refusal to itself, and stands still, until it is asked."""

import asyncio
from collections.abc import MutableMapping, Sequence

from aiokafka.errors import KafkaError

from services.failures import Unavailable
from services.kafka.away import away
from services.kafka.cluster import Cluster
from services.kafka.faust import BatchApp
from services.log import TopicPartition, UnknownTopic
from services.outage import Outage

LOOK_S = 1.0


async def watch_membership(
    app: BatchApp, group: str, topics: Sequence[str], cluster: Cluster, refused: MutableMapping[TopicPartition, str]
) -> None:
    """Asks until cancelled; after a refusal aiokafka tries to join again. `refused`: why none of these partitions is
    worked here."""
    outage = Outage("consumer", group=group)
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            if await app.batch_consumer.fetching.has_joined():
                refused.clear()
                outage.goes_on()
        except KafkaError as error:
            why = away(error)
            outage.waits(why)
            refused.update(dict.fromkeys(await _partitions(cluster, topics), str(why)))
        except Exception as bug:
            await app.crash(bug)  # who runs it starts another one
            return


async def _partitions(cluster: Cluster, topics: Sequence[str]) -> list[TopicPartition]:
    """As far as they can be asked for now."""
    found = []
    for topic in topics:
        try:
            count = (await cluster.describe(topic)).partitions
        except (Unavailable, UnknownTopic):
            continue
        found += [TopicPartition(topic, number) for number in range(count)]
    return found
