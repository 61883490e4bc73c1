"""No batch is skipped, taken twice or waited for in vain, whatever Faust does with what was fetched."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from aiokafka import ConsumerRecord
from aiokafka.errors import IllegalStateError, KafkaError
from faust.types import TP

from services.failures import Unavailable
from services.holdings import Place
from services.kafka import desks
from services.kafka.cluster import Cluster
from services.kafka.desks import Desk, DeskRoom
from services.kafka.fetching import NOWHERE, BatchConsumer, Fetched
from services.kafka.metadata import TopicDescription
from services.log import Batch, Position, UnknownTopic
from services.partition import Bounds
from tests.ports.log_places import HANG_S

PLACE, OTHER = TP("events", 3), TP("events", 4)
MOST = 10


class Kafka:
    """The cluster, the consumer and the thread that fetches at once: what they are asked, and what they answer."""

    def __init__(self) -> None:
        self.topic_id, self.described, self.followed, self.looked = "topic-1", 0, 0, 0
        self.sought: list[tuple[TP, int, int]] = []
        self.lost: type[Exception] | None = None
        self.room = DeskRoom(cast(Cluster, self), self, self.handle, MOST)
        self.room.consumer = lambda: cast(BatchConsumer, self)

    async def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, Position]:
        return {}

    async def handle(self, batch: Batch) -> None:
        raise AssertionError("these tests read the desks themselves")

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
        assert place not in self.room.admitted, "nothing may be fetched in the midst of a seek"
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
async def desk(kafka: Kafka) -> Desk:
    """Sought to offset 5 under ticket 0."""
    desk = Desk(PLACE, cast(Cluster, kafka), kafka.room)
    kafka.room._desks[PLACE] = desk
    await desk.seek("topic-1", 5)
    assert kafka.sought == [(PLACE, 5, 0)]
    return desk


async def test_what_has_come_and_goes_on_where_the_one_before_ends_is_one_batch(desk: Desk) -> None:
    for one in (fetched(0, 5, 8), fetched(0, 8, 9), fetched(0, 9, 11)):
        desk.take(one)
    batch = await desk.read()
    assert (batch.topic, batch.topic_id, batch.partition) == ("events", "topic-1", 3)
    assert (batch.start, batch.until) == (5, 11)
    assert [(one.offset, one.timestamp_ms, one.key, one.value) for one in batch.records] == [
        (at, 70 + at, b"", b"%d" % at) for at in range(5, 11)
    ]
    desk.take(fetched(0, 11, 12))
    assert (await desk.read()).start == 11


async def test_a_record_without_key_or_value_has_empty_ones(desk: Desk) -> None:
    given: list[tuple[bytes | None, bytes | None]] = [(b"key", None), (None, b"value")]
    records: list[ConsumerRecord[Any, Any]] = [
        ConsumerRecord("events", 3, at, 70, 0, key, value, None, 0, 1, ()) for at, (key, value) in enumerate(given, 5)
    ]
    desk.take(Fetched(PLACE, 0, 5, 7, records))
    assert [(one.key, one.value) for one in (await desk.read()).records] == [(b"key", b""), (b"", b"value")]


async def test_who_waits_is_told_when_something_comes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desks, "_PATIENCE_S", 3_600.0)
    waiting = asyncio.create_task(desk.read())
    await asyncio.sleep(0.01)
    desk.take(fetched(0, 5, 6))
    async with asyncio.timeout(HANG_S):
        assert (await waiting).until == 6


async def test_what_was_fetched_before_the_last_seek_is_passed_over(desk: Desk, kafka: Kafka) -> None:
    desk.take(fetched(0, 5, 8))
    await desk.seek("topic-1", 5)
    for one in (fetched(0, 5, 9), fetched(1, 5, 6), fetched(0, 6, 9), fetched(1, 6, 7)):
        desk.take(one)
    assert [(await desk.read()).until for _ in range(2)] == [6, 7]


@pytest.mark.parametrize("gap", [fetched(0, 9, 10), fetched(0, 7, 10)])
async def test_what_does_not_go_on_where_the_one_before_ended_is_sought_again(desk: Desk, gap: Fetched) -> None:
    desk.take(fetched(0, 5, 8))
    desk.take(gap)
    assert (await desk.read()).until == 8
    with pytest.raises(Unavailable, match=f"between 8 and {gap.start} was dropped"):
        await desk.read()


async def test_an_error_is_met_after_what_came_before_it(desk: Desk) -> None:
    desk.take(fetched(0, 5, 8))
    desk.take(KafkaError())
    desk.take(fetched(0, 8, 9))
    assert (await desk.read()).until == 8
    with pytest.raises(Unavailable, match="could not be fetched"):
        await desk.read()


async def test_a_batch_of_this_seek_that_is_dropped_on_the_way_is_sought_again(desk: Desk, kafka: Kafka) -> None:
    await desk.seek("topic-1", 5)
    for lost in (fetched(0, 5, 6), fetched(1, 5, 6, OTHER)):
        kafka.room.drop(lost)
    kafka.room.deliver(fetched(1, 5, 6))
    assert (await desk.read()).until == 6
    kafka.room.drop(fetched(1, 6, 7))
    with pytest.raises(Unavailable, match="could not be fetched"):
        await desk.read()


async def test_batches_are_expected_and_delivered_by_place_and_ticket(desk: Desk, kafka: Kafka) -> None:
    asked = [fetched(0, 5, 6), fetched(1, 5, 6), fetched(0, 5, 6, OTHER)]
    assert [kafka.room.expects(one) for one in asked] == [True, False, False]
    kafka.room.deliver(fetched(0, 5, 6, OTHER))
    kafka.room.deliver(fetched(0, 5, 6))
    assert (await desk.read()).records[0].offset == 5


async def test_an_error_of_fetching_concerns_every_partition_that_may_be_fetched(kafka: Kafka, desk: Desk) -> None:
    other = kafka.room._desks[OTHER] = Desk(OTHER, cast(Cluster, kafka), kafka.room)
    await other.seek("topic-1", 5)
    for error, cause in ((KafkaError(), KafkaError), (KeyboardInterrupt(), RuntimeError)):
        kafka.room.admitted = {NOWHERE, PLACE, OTHER}
        kafka.room.fail(error)
        assert kafka.room.admitted == {NOWHERE}
        for one in (desk, other):
            with pytest.raises(Unavailable, match="could not be fetched") as raised:
                await one.read()
            assert isinstance(raised.value.__cause__, cause)


async def test_a_topic_that_is_another_one_by_now_is_read_no_further(desk: Desk, kafka: Kafka) -> None:
    for is_now, told in (("topic-2", "is not the topic that it was"), ("", "events is gone")):
        kafka.topic_id = is_now
        await desk.seek("topic-1", 5)
        desk.take(fetched(kafka.sought[-1][2], 5, 6))
        with pytest.raises(Unavailable, match=told):
            await desk.read()


async def test_the_identity_of_a_topic_is_asked_for_now_and_then(
    desk: Desk, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at, after_s in enumerate((3_600.0, 0.0, 0.0), 5):
        monkeypatch.setattr(desks, "_IDENTITY_S", after_s)
        desk.take(fetched(0, at, at + 1))
        await desk.read()
    assert kafka.described == 1, "what was asked just now is not asked again"
    desk._seen_until = asyncio.get_running_loop().time()
    for at in (8, 9):
        desk.take(fetched(0, at, at + 1))
        await desk.read()
    assert kafka.described == 3


async def test_what_was_fetched_and_never_arrives_is_sought_again(
    desk: Desk, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "_PATIENCE_S", 0.01)
    waiting = asyncio.create_task(desk.read())
    for kafka.followed in (-1, 5):
        await asyncio.sleep(0.03)
        assert not waiting.done(), "nothing was fetched that it could wait for"
    desk.take(fetched(0, 5, 6))
    assert (await waiting).until == 6
    kafka.followed = 7
    async with asyncio.timeout(HANG_S):
        with pytest.raises(Unavailable, match="did not arrive"):
            await desk.read()


async def test_a_partition_is_fetched_while_less_than_half_a_batch_waits_and_nothing_went_wrong(
    desk: Desk, kafka: Kafka
) -> None:
    admitted = []
    for one in (fetched(0, 5, 9), fetched(0, 9, 10)):
        kafka.room.admitted.discard(PLACE)
        desk.take(one)
        admitted.append(PLACE in kafka.room.admitted)
    assert admitted == [True, False], "five of ten are half of them"
    looked = kafka.looked
    await desk.read()
    assert PLACE in kafka.room.admitted, "there is room again"
    assert kafka.looked > looked, "and what fetches is told so"
    kafka.room.admitted.discard(PLACE)
    desk.take(KafkaError())
    assert PLACE not in kafka.room.admitted
    await desk.seek("topic-1", 5)
    assert PLACE in kafka.room.admitted
    desk.take(fetched(1, 5, 6))
    assert (await desk.read()).until == 6, "the error went with the seek"


async def test_a_place_that_cannot_be_sought_now_is_sought_later(desk: Desk, kafka: Kafka) -> None:
    kafka.lost = IllegalStateError
    with pytest.raises(Unavailable, match="being dealt anew"):
        await desk.seek("topic-1", 5)
    assert kafka.room.admitted == {NOWHERE}
    kafka.room.consumer = None
    kafka.room.admit(OTHER)
    with pytest.raises(Unavailable, match="starting anew"):
        await desk.seek("topic-1", 5)
    assert kafka.room.fetched_to(PLACE, 0) == -1


async def test_a_partition_that_is_dealt_again_is_begun_anew(kafka: Kafka) -> None:
    """What Faust had fetched for it is lost with the former deal."""
    kafka.room.deal([PLACE])
    former = kafka.room.holdings._holders[Place("events", 3)]
    kafka.room.deal([PLACE])
    assert kafka.room.holdings._holders[Place("events", 3)] is not former
    await kafka.room.holdings.close()


async def test_where_partitions_are_let_go_nothing_of_them_is_fetched_any_more(desk: Desk, kafka: Kafka) -> None:
    kafka.room.deal([PLACE, OTHER])
    await asyncio.sleep(0)
    assert kafka.room.holdings._holders.keys() == {("events", 3), ("events", 4)}
    kafka.room.admitted |= {PLACE, OTHER}
    await kafka.room.let_go()
    assert (kafka.room.admitted, kafka.room.holdings._holders) == ({NOWHERE}, {})
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("hold ")]
