"""The doctor looks at how Kafka keeps the topics."""

import uuid

import pytest

from schemas.topics import Topic
from services.cli.doctor.topics import weaknesses
from services.kafka.cluster import Kept
from services.kafka.log import KafkaLog

TOPIC = Topic("events", 8, "subject", 14)
GOOD = Kept(3, 3, "2", str(14 * 86_400_000), "-1", "delete", "false")


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        (GOOD, []),
        (GOOD._replace(retention_ms="-1"), []),
        (GOOD._replace(retention_ms="86400000"), ["keeps 1.0 days, 14 are declared: set retention.ms=1209600000"]),
        (GOOD._replace(retention_bytes="1000"), ["drops records by size, however young: set retention.bytes=-1"]),
        (GOOD._replace(cleanup_policy="compact,delete"), ["is compacted, which loses what has the same key"]),
        (GOOD._replace(unclean_leaders="true"), ["may lose what was acknowledged, untold"]),
        (GOOD._replace(replicas=1, min_insync_replicas="1"), ["has one replica, and is lost with its broker"]),
        (GOOD._replace(min_insync_replicas="1"), ["may be acknowledged by one replica alone"]),
        (GOOD._replace(min_insync_replicas="3"), ["takes nothing while any replica is away"]),
        (GOOD._replace(brokers=1, replicas=1, min_insync_replicas="1"), []),
    ],
)
def test_what_is_kept_worse_than_declared_is_told_with_what_to_set(kept: Kept, told: list[str]) -> None:
    found = list(weaknesses(TOPIC, kept))
    assert len(found) == len(told)
    assert all(one.startswith(start) for one, start in zip(found, told, strict=True))


async def test_how_a_topic_is_kept_is_asked_of_the_cluster(kafka_url: str) -> None:
    topic, log = Topic(f"t-{uuid.uuid4().hex}", 2, "", 3), KafkaLog(kafka_url.removeprefix("kafka://"))
    await log.ensure_topics([topic])
    kept = await log.kept(topic.name)
    assert (kept.retention_ms, kept.retention_bytes, kept.cleanup_policy) == (str(3 * 86_400_000), "-1", "delete")
    assert (kept.replicas, kept.min_insync_replicas, kept.brokers >= 1) == (1, "1", True)
    assert kept.unclean_leaders == "false"
    await log.close()
