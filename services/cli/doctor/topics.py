"""Whether the log has the topics of the topic table, and keeps them as that says."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from schemas.instants import DAY_MS
from schemas.topics import TOPICS, Topic
from services.cli.doctor.findings import Finding, Patient, ok, warning, wrong
from services.failures import Unavailable
from services.log import EventLog, UnknownTopic

if TYPE_CHECKING:
    from services.kafka.cluster import Kept


async def topics(patient: Patient) -> Sequence[Finding]:
    if patient.log is None:
        return []
    missing, few, badly_kept = list[str](), list[str](), list[str]()
    for topic in TOPICS:
        try:
            held = len(await patient.log.ends(topic.name))
            if not patient.beside.settings.embedded:  # that keeps what it declares itself
                badly_kept += [f"{topic.name} {one}" for one in await _badly_kept(patient.log, topic)]
        except UnknownTopic:
            missing.append(topic.name)
            continue
        if held < topic.partitions:
            few.append(f"{topic.name} has {held} partitions, {topic.partitions} are declared")
    if missing:
        return [wrong("topics", f"{', '.join(missing)} missing: start the platform, it makes them")]
    told = [*few, *badly_kept]
    return [warning("topics", "; ".join(told))] if told else [ok("topics", f"all {len(TOPICS)} are there")]


async def _badly_kept(log: EventLog, topic: Topic) -> Sequence[str]:
    from services.kafka.log import KafkaLog  # brings Faust along

    assert isinstance(log, KafkaLog)  # noqa: S101 - the other kind is asked nothing
    try:
        return list(weaknesses(topic, await log.kept(topic.name)))
    except Unavailable:
        return ["does not say how it is kept: is this user allowed to DescribeConfigs?"]


def weaknesses(topic: Topic, kept: "Kept") -> Iterator[str]:
    """One broker alone can keep no second replica, and is not told so."""
    if "compact" in kept.cleanup_policy:
        yield "is compacted, which loses what has the same key: set cleanup.policy=delete"
    retention_ms = int(kept.retention_ms or -1)
    if 0 <= retention_ms < topic.retention_days * DAY_MS:
        days = f"{retention_ms / DAY_MS:.1f} days, {topic.retention_days} are declared"
        yield f"keeps {days}: set retention.ms={topic.retention_days * DAY_MS}"
    if int(kept.retention_bytes or -1) >= 0:
        yield "drops records by size, however young: set retention.bytes=-1"
    if kept.unclean_leaders == "true":
        yield "may lose what was acknowledged, untold: set unclean.leader.election.enable=false"
    insync = int(kept.min_insync_replicas or 1)
    if kept.brokers == 1:
        return
    if kept.replicas == 1:
        yield "has one replica, and is lost with its broker: give it three (kafka-reassign-partitions)"
    elif insync == 1:
        yield "may be acknowledged by one replica alone: set min.insync.replicas=2"
    elif insync >= kept.replicas:
        yield f"takes nothing while any replica is away: set min.insync.replicas={max(1, kept.replicas - 1)}"
