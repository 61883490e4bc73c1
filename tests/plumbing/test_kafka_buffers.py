"""No batch is skipped, taken twice or waited for in vain, whatever Faust does with what was fetched."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from aiokafka import ConsumerRecord
from aiokafka.errors import IllegalStateError, KafkaError
from faust.types import TP

from services.failures import Unavailable
from services.kafka import buffers
from services.kafka.buffers import PartitionBuffer, PartitionBuffers
from services.kafka.cluster import Cluster
from services.kafka.fetching import NOWHERE, BatchConsumer, Fetched
from services.kafka.metadata import TopicDescription
from services.log import Batch, Position, TopicPartition, UnknownTopic
from services.partition import Bounds
from tests.patience import HANG_S

PLACE, OTHER = TP("events", 3), TP("events", 4)
MOST = 10


class Kafka:
    """The cluster, the consumer and the thread that fetches at once: what they are asked, and what they answer."""

    def __init__(self) -> None:
        self.topic_id, self.described, self.followed, self.looked = "topic-1", 0, 0, 0
        self.sought: list[tuple[TP, int, int]] = []
        self.lost: type[Exception] | None = None
        self.buffers = PartitionBuffers(cast(Cluster, self), self, self.handle, MOST)
        self.buffers.consumer = lambda: cast(BatchConsumer, self)

    async def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, Position]:
        return {}

    async def handle(self, batch: Batch) -> None:
        raise AssertionError("these tests read the buffers themselves")

    async def bounds(self, topic: str, partition: int) -> Bounds:
        return Bounds(self.topic_id, 5, 99)

    async def describe(self, topic: str) -> TopicDescription:
        self.described += 1
        if not self.topic_id:
            raise UnknownTopic(topic)
        return TopicDescription(self.topic_id, 8, led=True, replicas=1, brokers=1)

    @property
    def fetching(self) -> "Kafka":
        return self

    async def seek_place(self, place: TP, offset: int, ticket: int) -> None:
        assert place not in self.buffers.admitted, "nothing may be fetched in the midst of a seek"
        if self.lost:
            raise self.lost
        self.sought.append((place, offset, ticket))

    def look_again(self) -> None:
        self.looked += 1

    def followed_to(self, place: TP, ticket: int) -> int:
        return self.followed


def fetched(ticket: int, start: int, until: int, place: TP = PLACE) -> Fetched:
    records: list[ConsumerRecord[Any, Any]] = [
        ConsumerRecord(place.topic, place.partition, at, 70 + at, 0, None, b"%d" % at, None, 0, 1, ())
        for at in range(start, until)
    ]
    return Fetched(place, ticket, start, until, records)


@pytest.fixture
def kafka() -> Kafka:
    return Kafka()


@pytest.fixture
async def buffer(kafka: Kafka) -> PartitionBuffer:
    """Sought to offset 5 under ticket 0."""
    buffer = PartitionBuffer(PLACE, cast(Cluster, kafka), kafka.buffers)
    kafka.buffers._buffers[PLACE] = buffer
    await buffer.seek("topic-1", 5)
    assert kafka.sought == [(PLACE, 5, 0)]
    return buffer


async def test_what_has_come_and_goes_on_where_the_one_before_ends_is_one_batch(buffer: PartitionBuffer) -> None:
    for one in (fetched(0, 5, 8), fetched(0, 8, 9), fetched(0, 9, 11)):
        buffer.take(one)
    batch = await buffer.read()
    assert (batch.topic, batch.topic_id, batch.partition) == ("events", "topic-1", 3)
    assert (batch.start, batch.until) == (5, 11)
    assert [(one.offset, one.timestamp_ms, one.key, one.value) for one in batch.records] == [
        (at, 70 + at, b"", b"%d" % at) for at in range(5, 11)
    ]
    buffer.take(fetched(0, 11, 12))
    assert (await buffer.read()).start == 11


async def test_a_record_without_key_or_value_has_empty_ones(buffer: PartitionBuffer) -> None:
    given: list[tuple[bytes | None, bytes | None]] = [(b"key", None), (None, b"value")]
    records: list[ConsumerRecord[Any, Any]] = [
        ConsumerRecord("events", 3, at, 70, 0, key, value, None, 0, 1, ()) for at, (key, value) in enumerate(given, 5)
    ]
    buffer.take(Fetched(PLACE, 0, 5, 7, records))
    assert [(one.key, one.value) for one in (await buffer.read()).records] == [(b"key", b""), (b"", b"value")]


async def test_who_waits_is_told_when_something_comes(buffer: PartitionBuffer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "_PATIENCE_S", 3_600.0)
    waiting = asyncio.create_task(buffer.read())
    await asyncio.sleep(0.01)
    buffer.take(fetched(0, 5, 6))
    async with asyncio.timeout(HANG_S):
        assert (await waiting).until == 6


async def test_what_was_fetched_before_the_last_seek_is_passed_over(buffer: PartitionBuffer, kafka: Kafka) -> None:
    buffer.take(fetched(0, 5, 8))
    await buffer.seek("topic-1", 5)
    for one in (fetched(0, 5, 9), fetched(1, 5, 6), fetched(0, 6, 9), fetched(1, 6, 7)):
        buffer.take(one)
    assert [(await buffer.read()).until for _ in range(2)] == [6, 7]


@pytest.mark.parametrize("gap", [fetched(0, 9, 10), fetched(0, 7, 10)])
async def test_what_does_not_go_on_where_the_one_before_ended_is_sought_again(
    buffer: PartitionBuffer, gap: Fetched
) -> None:
    buffer.take(fetched(0, 5, 8))
    buffer.take(gap)
    assert (await buffer.read()).until == 8
    with pytest.raises(Unavailable, match=f"between 8 and {gap.start} was dropped"):
        await buffer.read()


async def test_an_error_is_met_after_what_came_before_it(buffer: PartitionBuffer) -> None:
    buffer.take(fetched(0, 5, 8))
    buffer.take(KafkaError())
    buffer.take(fetched(0, 8, 9))
    assert (await buffer.read()).until == 8
    with pytest.raises(Unavailable, match="could not be fetched"):
        await buffer.read()


async def test_a_batch_of_this_seek_that_is_dropped_on_the_way_is_sought_again(
    buffer: PartitionBuffer, kafka: Kafka
) -> None:
    await buffer.seek("topic-1", 5)
    for lost in (fetched(0, 5, 6), fetched(1, 5, 6, OTHER)):
        kafka.buffers.drop(lost)
    kafka.buffers.deliver(fetched(1, 5, 6))
    assert (await buffer.read()).until == 6
    kafka.buffers.drop(fetched(1, 6, 7))
    with pytest.raises(Unavailable, match="could not be fetched"):
        await buffer.read()


async def test_batches_are_expected_and_delivered_by_place_and_ticket(buffer: PartitionBuffer, kafka: Kafka) -> None:
    asked = [fetched(0, 5, 6), fetched(1, 5, 6), fetched(0, 5, 6, OTHER)]
    assert [kafka.buffers.expects(one) for one in asked] == [True, False, False]
    kafka.buffers.deliver(fetched(0, 5, 6, OTHER))
    kafka.buffers.deliver(fetched(0, 5, 6))
    assert (await buffer.read()).records[0].offset == 5


async def test_an_error_of_fetching_concerns_every_partition_that_may_be_fetched(
    kafka: Kafka, buffer: PartitionBuffer
) -> None:
    other = kafka.buffers._buffers[OTHER] = PartitionBuffer(OTHER, cast(Cluster, kafka), kafka.buffers)
    await other.seek("topic-1", 5)
    for error, cause in ((KafkaError(), KafkaError), (KeyboardInterrupt(), RuntimeError)):
        kafka.buffers.admitted = {NOWHERE, PLACE, OTHER}
        kafka.buffers.fail(error)
        assert kafka.buffers.admitted == {NOWHERE}
        for one in (buffer, other):
            with pytest.raises(Unavailable, match="could not be fetched") as raised:
                await one.read()
            assert isinstance(raised.value.__cause__, cause)


async def test_a_topic_that_is_another_one_by_now_is_read_no_further(buffer: PartitionBuffer, kafka: Kafka) -> None:
    for is_now, told in (("topic-2", "is not the topic that it was"), ("", "events is gone")):
        kafka.topic_id = is_now
        await buffer.seek("topic-1", 5)
        buffer.take(fetched(kafka.sought[-1][2], 5, 6))
        with pytest.raises(Unavailable, match=told):
            await buffer.read()


async def test_the_identity_of_a_topic_is_asked_for_now_and_then(
    buffer: PartitionBuffer, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at, after_s in enumerate((3_600.0, 0.0, 0.0), 5):
        monkeypatch.setattr(buffers, "_IDENTITY_S", after_s)
        buffer.take(fetched(0, at, at + 1))
        await buffer.read()
    assert kafka.described == 1, "what was asked just now is not asked again"
    buffer._seen_until = asyncio.get_running_loop().time()
    for at in (8, 9):
        buffer.take(fetched(0, at, at + 1))
        await buffer.read()
    assert kafka.described == 3


async def test_what_was_fetched_and_never_arrives_is_sought_again(
    buffer: PartitionBuffer, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffers, "_PATIENCE_S", 0.01)
    waiting = asyncio.create_task(buffer.read())
    for kafka.followed in (-1, 5):
        await asyncio.sleep(0.03)
        assert not waiting.done(), "nothing was fetched that it could wait for"
    buffer.take(fetched(0, 5, 6))
    assert (await waiting).until == 6
    kafka.followed = 7
    async with asyncio.timeout(HANG_S):
        with pytest.raises(Unavailable, match="did not arrive"):
            await buffer.read()


async def test_a_partition_is_fetched_while_less_than_half_a_batch_waits_and_nothing_went_wrong(
    buffer: PartitionBuffer, kafka: Kafka
) -> None:
    admitted = []
    for one in (fetched(0, 5, 9), fetched(0, 9, 10)):
        kafka.buffers.admitted.discard(PLACE)
        buffer.take(one)
        admitted.append(PLACE in kafka.buffers.admitted)
    assert admitted == [True, False], "five of ten are half of them"
    looked = kafka.looked
    await buffer.read()
    assert PLACE in kafka.buffers.admitted, "there is room again"
    assert kafka.looked > looked, "and what fetches is told so"
    kafka.buffers.admitted.discard(PLACE)
    buffer.take(KafkaError())
    assert PLACE not in kafka.buffers.admitted
    await buffer.seek("topic-1", 5)
    assert PLACE in kafka.buffers.admitted
    buffer.take(fetched(1, 5, 6))
    assert (await buffer.read()).until == 6, "the error went with the seek"


async def test_a_place_that_cannot_be_sought_now_is_sought_later(buffer: PartitionBuffer, kafka: Kafka) -> None:
    kafka.lost = IllegalStateError
    with pytest.raises(Unavailable, match="being dealt anew"):
        await buffer.seek("topic-1", 5)
    assert kafka.buffers.admitted == {NOWHERE}
    kafka.buffers.consumer = None
    kafka.buffers.admit(OTHER)
    with pytest.raises(Unavailable, match="starting anew"):
        await buffer.seek("topic-1", 5)
    assert kafka.buffers.fetched_to(PLACE, 0) == -1


async def test_a_partition_that_is_dealt_again_is_begun_anew(kafka: Kafka) -> None:
    """What Faust had fetched for it is lost with the former deal."""
    kafka.buffers.assign([PLACE])
    former = kafka.buffers.assignment._holders[TopicPartition("events", 3)]
    kafka.buffers.assign([PLACE])
    assert kafka.buffers.assignment._holders[TopicPartition("events", 3)] is not former
    await kafka.buffers.assignment.close()


async def test_where_partitions_are_let_go_nothing_of_them_is_fetched_any_more(
    buffer: PartitionBuffer, kafka: Kafka
) -> None:
    kafka.buffers.assign([PLACE, OTHER])
    await asyncio.sleep(0)
    assert kafka.buffers.assignment._holders.keys() == {("events", 3), ("events", 4)}
    kafka.buffers.admitted |= {PLACE, OTHER}
    await kafka.buffers.let_go()
    assert (kafka.buffers.admitted, kafka.buffers.assignment._holders) == ({NOWHERE}, {})
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("hold ")]
