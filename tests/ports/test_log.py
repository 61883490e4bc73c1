"""The contract of the log, held by every adapter."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from schemas.instants import DAY_MS
from schemas.topics import Topic
from services.failures import Fenced, Rejected, Unavailable
from services.log import Batch, EventLog, Handler, Message, Placed, Position, Stop, TopicPartition, UnknownTopic
from tests.patience import HANG_S
from tests.ports.kafka_place import KafkaPlace
from tests.ports.log_places import Applied, EmbeddedPlace, LogPlace, consuming, orders_to_stop


@pytest.fixture(params=["embedded", "kafka"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LogPlace]:
    where: LogPlace = EmbeddedPlace(tmp_path)
    if request.param == "kafka":
        where = KafkaPlace(request.getfixturevalue("kafka_url"))
    yield where
    await where.close()


@pytest.fixture
async def log(place: LogPlace) -> EventLog:
    return await place.open()


@pytest.fixture
async def topic(log: EventLog) -> str:
    name = f"t-{uuid.uuid4().hex}"
    await log.ensure_topics([Topic(name, 4)])
    return name


def numbered(count: int, keys: int = 10) -> list[Message]:
    return [Message(b"key-%d" % (i % keys), b"%d" % i) for i in range(count)]


async def test_a_batch_of_appends_stands_in_order_per_partition(log: EventLog, topic: str) -> None:
    placed = await log.append(topic, numbered(200))
    by_partition: dict[int, list[int]] = {}
    for spot in placed:
        by_partition.setdefault(spot.partition, []).append(spot.offset)
    assert all(offsets == list(range(len(offsets))) for offsets in by_partition.values())
    assert len(by_partition) > 1


async def test_a_key_stands_where_kafka_puts_it(log: EventLog, topic: str) -> None:
    """Partitions of 4 by org.apache.kafka's Utils.murmur2, taken from its own unit tests' hashes."""
    placed = await log.append(topic, [Message(key, b"") for key in (b"21", b"foobar", b"a-little-bit-long-string")])
    hashes = (-973932308, -790332482, -985981536)
    assert [spot.partition for spot in placed] == [(h & 0x7FFFFFFF) % 4 for h in hashes]


async def test_records_of_a_key_are_applied_in_the_order_of_their_appends(log: EventLog, topic: str) -> None:
    applied = Applied()
    async with consuming(log, topic, applied):
        for begin in range(0, 1_000, 100):
            await log.append(topic, [Message(b"one", b"%d" % i) for i in range(begin, begin + 100)])
        await applied.reaches(1_000)
    (values,) = applied.values.values()
    assert values == [b"%d" % i for i in range(1_000)]


async def test_every_batch_starts_where_the_one_before_ended(log: EventLog, topic: str) -> None:
    applied = Applied()
    await log.append(topic, numbered(2_000))
    async with consuming(log, topic, applied):
        await log.append(topic, numbered(500))
        await applied.reaches(2_500)
    expected: dict[int, int] = {}
    for batch in applied.batches:
        assert batch.start == expected.get(batch.partition, 0)
        assert batch.start <= batch.records[0].offset
        assert batch.until == batch.records[-1].offset + 1
        assert batch.topic_id == await log.topic_id(topic)
        expected[batch.partition] = batch.until
    assert expected == {p: end for p, (_, end) in (await log.ends(topic)).items() if end}


async def test_what_was_appended_is_there_after_reopening(place: LogPlace, log: EventLog, topic: str) -> None:
    await log.append(topic, numbered(300))
    identity, ends = await log.topic_id(topic), await log.ends(topic)
    await log.close()
    again = await place.open()
    assert await again.topic_id(topic) == identity
    assert await again.ends(topic) == ends
    (spot,) = await again.append(topic, [Message(b"", b"", partition=2)])
    assert spot == Placed(2, ends[2][1])
    applied = Applied()
    async with consuming(again, topic, applied):
        await applied.reaches(301)


async def test_consuming_goes_on_from_the_stored_position(log: EventLog, topic: str) -> None:
    applied = Applied()
    await log.append(topic, numbered(100))
    async with consuming(log, topic, applied):
        await applied.reaches(100)
    await log.append(topic, numbered(50))
    async with consuming(log, topic, applied):
        await applied.reaches(150)
    assert applied.fenced == 0
    assert applied.count == 150


@pytest.mark.parametrize("failure", [Unavailable("database", retry_after=0.01), RuntimeError("a bug"), Fenced()])
async def test_a_failed_batch_comes_again_and_nothing_is_skipped(log: EventLog, topic: str, failure: Exception) -> None:
    applied, seen = Applied(), 0

    async def handler(batch: Batch) -> None:
        nonlocal seen
        seen += 1
        if seen % 3 == 1:
            raise failure
        await applied.apply(batch)

    messages = [Message(b"one", b"%d" % i) for i in range(1_000)]
    async with consuming(log, topic, applied, handler):
        for begin in range(0, 1_000, 100):
            await log.append(topic, messages[begin : begin + 100])
        await applied.reaches(1_000)
    (values,) = applied.values.values()
    assert values == [message.value for message in messages]
    assert seen > len(applied.batches)


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (Unavailable("its disk is full", retry_after=0.01), "its disk is full"),
        (RuntimeError("of a customer"), "a batch fails with RuntimeError"),
    ],
)
async def test_a_partition_whose_batch_fails_says_why_until_it_succeeds(
    log: EventLog, topic: str, failure: Exception, told: str
) -> None:
    applied, is_mended = Applied(), False

    async def handler(batch: Batch) -> None:
        if batch.partition == 1 and not is_mended:
            raise failure
        await applied.apply(batch)

    async with consuming(log, topic, applied, handler):
        await log.append(topic, [Message(b"", b"x", partition=partition) for partition in range(2)])
        async with asyncio.timeout(HANG_S):
            while log.waiting() != {(topic, 1): told}:  # noqa: ASYNC110 - the port tells nobody
                await asyncio.sleep(0.01)
            is_mended = True
            await applied.reaches(2)
            while log.waiting():  # noqa: ASYNC110 - see above
                await asyncio.sleep(0.01)


async def test_stop_ends_work_on_that_partition_only(log: EventLog, topic: str) -> None:
    applied = Applied()

    async def handler(batch: Batch) -> None:
        if batch.partition == 1:
            raise Stop("an operator has to look")
        await applied.apply(batch)

    with orders_to_stop() as orders:
        async with consuming(log, topic, applied, handler):
            for _ in range(3):
                await log.append(topic, [Message(b"", b"x", partition=p) for p in range(4)])
            await applied.reaches(9)
            await orders.reach(1)
            assert await stopped_places(log, 1) == {(topic, 1): "an operator has to look"}
    assert log.stopped() == {}, "nobody consumes any more"
    assert (topic, 1) not in applied.stored
    assert [(line["partition"], line["why"]) for line in orders.lines] == [(1, "an operator has to look")]


async def test_a_handler_that_hangs_holds_up_its_own_partition_only(log: EventLog, topic: str) -> None:
    applied, go_on = Applied(), asyncio.Event()

    async def handler(batch: Batch) -> None:
        if batch.partition == 2:
            await go_on.wait()
        await applied.apply(batch)

    async with consuming(log, topic, applied, handler):
        for _ in range(4):
            await log.append(topic, [Message(b"", b"x", partition=p) for p in range(4)] * 100)
        await applied.reaches(1_200)
        assert (topic, 2) not in applied.stored
        go_on.set()
        await applied.reaches(1_600)


async def test_two_consumers_of_a_group_share_partitions_and_apply_each_record_once(
    place: LogPlace, log: EventLog, topic: str
) -> None:
    applied = Applied()
    workers: list[set[int]] = [set(), set()]

    def worker(number: int) -> Handler:
        async def handler(batch: Batch) -> None:
            await applied.apply(batch)
            workers[number].add(batch.partition)
            await applied.tell()

        return handler

    sent = 0
    async with consuming(log, topic, applied, worker(0)):
        sent += len(await log.append(topic, numbered(400)))
        await applied.reaches(sent)
        workers[0].clear()
        async with consuming(await place.another(log), topic, applied, worker(1)):
            async with asyncio.timeout(HANG_S):
                while not (workers[0] and workers[1]):
                    sent += len(await log.append(topic, [Message(b"", b"%d" % p, partition=p) for p in range(4)]))
                    await applied.reaches(sent)
        sent += len(await log.append(topic, numbered(400)))
        await applied.reaches(sent)
    assert applied.count == sent


async def test_a_topic_made_anew_is_another_topic_and_stops_its_partitions(
    place: LogPlace, log: EventLog, topic: str
) -> None:
    applied = Applied()
    await log.append(topic, [Message(b"", b"x", partition=p) for p in range(4)])
    async with consuming(log, topic, applied):
        await applied.reaches(4)
    before = await log.topic_id(topic)
    await place.delete(log, topic)
    await log.ensure_topics([Topic(topic, 4)])
    assert await log.topic_id(topic) != before
    await log.append(topic, [Message(b"", b"y", partition=p) for p in range(4) for _ in range(3)])
    why = await reasons_to_stop(log, topic, applied, partitions=4)
    assert applied.count == 4
    assert all("made anew" in order for order in why)


async def test_a_position_beyond_the_end_is_refused(log: EventLog, topic: str) -> None:
    applied = Applied()
    await log.append(topic, [Message(b"", b"x", partition=0)])
    applied.stored[topic, 0] = Position(await log.topic_id(topic), 2)
    (why,) = await reasons_to_stop(log, topic, applied, partitions=1)
    assert "never written" in why
    assert "positions rewind" in why


async def test_a_position_before_the_first_offset_is_refused(place: LogPlace, log: EventLog, topic: str) -> None:
    applied = Applied()
    await log.append(topic, [Message(b"", b"x", partition=0)] * 3)
    applied.stored[topic, 0] = Position(await log.topic_id(topic), 1)
    await place.forget(log, topic)
    assert (await log.ends(topic))[0][0] == 3
    (why,) = await reasons_to_stop(log, topic, applied, partitions=1)
    assert "no longer kept" in why


async def test_a_topic_made_anew_while_somebody_consumes_stops_its_partitions(
    place: LogPlace, log: EventLog, topic: str
) -> None:
    """Not one record of the new topic is taken for one of the old."""
    applied = Applied()
    former = [Message(b"", b"former", partition=p) for p in range(4)]
    async with consuming(log, topic, applied):
        await log.append(topic, former * 3)
        await applied.reaches(12)
        await place.delete(log, topic)
        await log.ensure_topics([Topic(topic, 4)])
        await log.append(topic, [Message(b"", b"new", partition=p) for p in range(4)] * 50)
        told = await stopped_places(log, 4)
    assert all("anew" in why or "restore it" in why for why in told.values()), told
    assert {value for values in applied.values.values() for value in values} == {b"former"}


async def test_a_partition_never_worked_on_starts_at_the_first_offset_kept(
    place: LogPlace, log: EventLog, topic: str
) -> None:
    applied = Applied()
    await log.append(topic, [Message(b"", b"x", partition=0)] * 3)
    await place.forget(log, topic)
    await log.append(topic, [Message(b"", b"last", partition=0)])
    async with consuming(log, topic, applied):
        await applied.reaches(1)
        while b"last" not in applied.values[topic, 0]:
            await applied.reaches(applied.count + 1)
    assert applied.batches[0].start == 3
    assert b"x" not in applied.values[topic, 0]


async def test_cancelling_finishes_the_batch_in_hand(log: EventLog, topic: str) -> None:
    applied, entered, go_on = Applied(), asyncio.Event(), asyncio.Event()

    async def handler(batch: Batch) -> None:
        entered.set()
        await go_on.wait()
        await applied.apply(batch)

    await log.append(topic, [Message(b"one", b"x")])
    before = asyncio.all_tasks()
    task = asyncio.create_task(log.consume([topic], f"group-{topic}", applied, handler))
    async with asyncio.timeout(HANG_S):
        await entered.wait()
        task.cancel()
        await asyncio.sleep(0.05)
        assert not task.done()
        go_on.set()
        await asyncio.wait([task])
    assert task.cancelled()
    assert applied.count == 1
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_concurrent_appends_get_distinct_places(log: EventLog, topic: str) -> None:
    placed = await asyncio.gather(*(log.append(topic, numbered(20)) for _ in range(50)))
    spots = [spot for answer in placed for spot in answer]
    assert len(set(spots)) == 1_000
    assert sum(end for _, end in (await log.ends(topic)).values()) == 1_000


async def test_empty_and_large_values_come_back_as_they_were(log: EventLog, topic: str) -> None:
    applied = Applied()
    values = [b"", b"\0" * 900_000, b"", bytes(range(256)) * 3_000] + [b"small", b"y" * 500_000] * 20
    await log.append(topic, [Message(b"one", value) for value in values[:4]])
    await log.append(topic, [Message(b"one", value) for value in values[4:]])
    async with consuming(log, topic, applied):
        await applied.reaches(44)
    assert list(applied.values.values()) == [values]
    assert applied.batches[0].records[0].key == b"one"


async def test_a_message_too_large_is_rejected_and_the_rest_of_its_append_too(log: EventLog, topic: str) -> None:
    with pytest.raises(Rejected) as rejected:
        await log.append(topic, [Message(b"a", b"fine"), Message(b"a", b"x" * 1_000_001)])
    assert rejected.value.reason == "message_too_large"
    assert all(bounds == (0, 0) for bounds in (await log.ends(topic)).values())


async def test_a_message_as_large_as_is_allowed_is_taken(log: EventLog, topic: str) -> None:
    (spot,) = await log.append(topic, [Message(b"a" * 1_000, b"x" * 999_000)])
    found = await log.record(topic, spot.partition, spot.offset)
    assert found is not None
    assert (len(found.key), len(found.value)) == (1_000, 999_000)


@pytest.mark.parametrize("partition", [-1, 4])
async def test_a_partition_that_the_topic_does_not_have_is_a_mistake_of_who_appends(
    log: EventLog, topic: str, partition: int
) -> None:
    with pytest.raises(ValueError, match=f"{topic} has 4 partitions, not one numbered {partition}"):
        await log.append(topic, [Message(b"", b"x", partition=0), Message(b"", b"y", partition)])
    assert all(bounds == (0, 0) for bounds in (await log.ends(topic)).values())


async def test_an_append_of_nothing_places_nothing(log: EventLog, topic: str) -> None:
    assert list(await log.append(topic, [])) == []


async def test_making_topics_twice_changes_nothing(log: EventLog, topic: str) -> None:
    before = await log.topic_id(topic)
    await log.ensure_topics([Topic(topic, 9)])
    assert await log.topic_id(topic) == before
    assert sorted(await log.ends(topic)) == [0, 1, 2, 3]


async def test_a_topic_that_was_never_made_is_unknown_and_whoever_appends_to_it_is_told_to_wait(log: EventLog) -> None:
    with pytest.raises(Unavailable, match="the log holds no topic never-made any more: restore it"):
        await log.append("never-made", [Message(b"", b"")])
    with pytest.raises(UnknownTopic):
        await log.ends("never-made")
    with pytest.raises(UnknownTopic):
        await log.topic_id("never-made")


async def stopped_places(log: EventLog, count: int) -> Mapping[TopicPartition, str]:
    async with asyncio.timeout(HANG_S):
        while len(log.stopped()) < count:  # noqa: ASYNC110 - the port tells nobody
            await asyncio.sleep(0.01)
    return log.stopped()


async def reasons_to_stop(log: EventLog, topic: str, applied: Applied, partitions: int) -> list[str]:
    """Consumes until as many partitions have stopped, and says why they did."""
    with orders_to_stop() as orders:
        async with consuming(log, topic, applied):
            await orders.reach(partitions)
    return [str(line["why"]) for line in orders.lines]


async def test_a_record_is_looked_at_where_it_stands(log: EventLog, topic: str) -> None:
    placed = await log.append(topic, [Message(b"key", b"%d" % i, partition=2) for i in range(300)])
    found = await log.record(topic, 2, placed[150].offset)
    assert found is not None
    assert (found.offset, found.key, found.value) == (placed[150].offset, b"key", b"150")
    assert await log.record(topic, 2, placed[-1].offset + 1) is None
    assert await log.record(topic, 1, 0) is None


async def test_offsets_are_found_by_the_time_at_which_the_log_took_them(log: EventLog, topic: str) -> None:
    await log.append(topic, [Message(b"", b"%d" % i, partition=1) for i in range(3)])
    first = await log.record(topic, 1, 0)
    assert first is not None
    assert await log.offsets_at(topic, first.timestamp_ms) == {0: 0, 1: 0, 2: 0, 3: 0}
    assert await log.offsets_at(topic, first.timestamp_ms + DAY_MS) == {0: 0, 1: 3, 2: 0, 3: 0}
    with pytest.raises(UnknownTopic):
        await log.offsets_at("nobody-made-this", 0)
