"""What only Kafka brings: gaps between offsets, brokers that stop, and a Faust that loses batches or crashes."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from typing import cast
from urllib.parse import urlsplit

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import NewTopic
from aiokafka.errors import InvalidReplicationFactorError
from faust.types import TP

from schemas.topics import Topic
from services.failures import Rejected, Unavailable
from services.kafka.buffers import PartitionBuffers
from services.kafka.cluster import administering
from services.kafka.fetching import BatchConsumer, Fetched, FetchingThread
from services.kafka.log import KafkaLog
from services.log import Batch, Message
from tests.conftest import RunningServers
from tests.patience import HANG_S
from tests.ports.kafka_place import KafkaPlace
from tests.ports.log_places import Applied, consuming

BATCH = 10


@pytest.fixture
async def log(kafka_url: str) -> AsyncIterator[KafkaLog]:
    log = KafkaLog(urlsplit(kafka_url).netloc, batch_records=BATCH)
    yield log
    await log.close()


@pytest.fixture
async def topic(log: KafkaLog) -> str:
    name = f"t-{uuid.uuid4().hex}"
    await log.ensure_topics([Topic(name, 1)])
    return name


async def test_a_topic_that_the_cluster_cannot_make_is_not_said_to_be_there(kafka_url: str) -> None:
    log = KafkaLog(urlsplit(kafka_url).netloc, replication_factor=32_000)  # nobody has so many brokers
    try:
        with pytest.raises(Unavailable) as told:
            await log.ensure_topics([Topic(f"t-{uuid.uuid4().hex}", 1)])
        assert isinstance(told.value.__cause__, InvalidReplicationFactorError)
    finally:
        await log.close()


async def test_what_is_appended_to_a_topic_that_was_made_anew_goes_by_its_number_of_partitions(
    kafka_url: str, topic: str
) -> None:
    log = KafkaLog(urlsplit(kafka_url).netloc, timeout_s=2.0)
    messages = [Message(b"%d" % number, b"x") for number in range(40)]
    assert {placed.partition for placed in await log.append(topic, messages)} == {0}
    await KafkaPlace(kafka_url).delete(log, topic)
    with pytest.raises(Unavailable):
        await log.append(topic, messages)
    await log.ensure_topics([Topic(topic, 3)])
    assert {placed.partition for placed in await log.append(topic, messages)} == {0, 1, 2}
    await log.close()


async def test_many_large_appends_at_once_wait_for_each_other_and_all_succeed(log: KafkaLog, topic: str) -> None:
    """aiokafka would give up after half a second where sixteen wait for one partition."""
    messages = [Message(b"one", b"x" * 20_000)] * 40

    async def client() -> None:
        for _ in range(4):
            await log.append(topic, messages)

    await asyncio.gather(*(client() for _ in range(24)))
    assert (await log.ends(topic))[0] == (0, 24 * 4 * 40)


async def test_what_the_broker_refuses_of_one_append_is_not_the_fault_of_those_beside_it(
    log: KafkaLog, kafka_url: str
) -> None:
    name = f"t-{uuid.uuid4().hex}"
    async with administering({"bootstrap_servers": urlsplit(kafka_url).netloc}) as admin:
        await admin.create_topics([NewTopic(name, 2, 1, topic_configs={"max.message.bytes": "10000"})])
    await log.ensure_topics([Topic(name, 2)])
    large, small = Message(b"", os.urandom(20_000), 0), Message(b"", b"small", 1)
    refused, placed = await asyncio.gather(
        log.append(name, [large]), log.append(name, [small, small]), return_exceptions=True
    )
    assert isinstance(refused, Rejected)
    assert placed == [(1, 0), (1, 1)]


async def test_appends_that_wait_together_stand_in_the_order_in_which_they_came(log: KafkaLog, topic: str) -> None:
    await log.append(topic, numbered(0, 1))
    placed = await asyncio.gather(*(log.append(topic, numbered(one, 1)) for one in range(20)))
    assert [one.offset for (one,) in placed] == list(range(1, 21)), "in the order in which they came"


def numbered(begin: int, count: int) -> list[Message]:
    return [Message(b"one", b"%d" % i) for i in range(begin, begin + count)]


async def test_gaps_between_offsets_are_crossed(log: KafkaLog, topic: str, kafka_url: str) -> None:
    """The markers of transactions take offsets and are never delivered."""
    producer = AIOKafkaProducer(bootstrap_servers=urlsplit(kafka_url).netloc, transactional_id=topic)
    await producer.start()
    for number in range(20):
        async with producer.transaction():
            await producer.send_and_wait(topic, b"%d" % number, b"one")
    await producer.stop()
    applied = Applied()
    async with consuming(log, topic, applied):
        await applied.reaches(20)
    assert (await log.ends(topic))[0] == (0, 40)
    assert applied.values[topic, 0] == [b"%d" % i for i in range(20)]
    assert applied.fenced == 0
    assert [batch.start for batch in applied.batches] == [0, *[batch.until for batch in applied.batches[:-1]]]
    assert await log.record(topic, 0, 1) is None, "a marker is no record, and the next one is another"
    assert await log.record(topic, 0, 39) is None, "nothing follows the last marker"


async def test_consuming_goes_on_at_a_position_inside_a_gap(log: KafkaLog, topic: str, kafka_url: str) -> None:
    applied = Applied()
    producer = AIOKafkaProducer(bootstrap_servers=urlsplit(kafka_url).netloc, transactional_id=topic)
    await producer.start()
    for number in range(2):
        async with producer.transaction():
            await producer.send_and_wait(topic, b"%d" % number, b"one")
        async with consuming(log, topic, applied):
            await applied.reaches(number + 1)
    await producer.stop()
    assert [(batch.start, batch.until) for batch in applied.batches] == [(0, 1), (1, 3)]


async def test_a_batch_that_faust_loses_is_fetched_again(
    log: KafkaLog, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[object] = []
    getmany = BatchConsumer.getmany

    async def losing(consumer: BatchConsumer, timeout: float) -> AsyncIterator[object]:  # noqa: ASYNC109 - as Faust's
        async for place, message in getmany(consumer, timeout):
            if len(lost) < 2:
                lost.append(message.value)
            else:
                yield place, message

    monkeypatch.setattr(BatchConsumer, "getmany", losing)
    applied = Applied()
    await log.append(topic, numbered(0, 100))
    async with consuming(log, topic, applied):
        await applied.reaches(100)
    assert len(lost) == 2
    assert applied.values[topic, 0] == [b"%d" % i for i in range(100)]


async def test_a_partition_goes_on_where_faust_loses_what_was_fetched_before_the_last_seek(
    log: KafkaLog, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its seek has asked for more already, and nobody would ask again: the partition would wait for ever."""
    record: ConsumerRecord[bytes, bytes] = ConsumerRecord(topic, 0, 0, 0, 0, b"k", b"0", None, 1, 1, ())
    stale = Fetched(TP(topic, 0), -7, 0, 1, (record,))
    fetch, getmany, late = FetchingThread.fetch, BatchConsumer.getmany, [stale] * 3

    async def fetching(thread: FetchingThread, admitted: set[TP], most: int, wait_s: float) -> list[Fetched]:
        return [late.pop()] if late and stale.place in admitted else await fetch(thread, admitted, most, wait_s)

    async def losing(consumer: BatchConsumer, timeout: float) -> AsyncIterator[object]:  # noqa: ASYNC109 - as Faust's
        async for place, message in getmany(consumer, timeout):
            if cast(Fetched, message.value) != stale:
                yield place, message

    monkeypatch.setattr(FetchingThread, "fetch", fetching)
    monkeypatch.setattr(BatchConsumer, "getmany", losing)
    applied = Applied()
    await log.append(topic, numbered(0, 100))
    async with consuming(log, topic, applied):
        await applied.reaches(100)
    assert (late, applied.values[topic, 0]) == ([], [b"%d" % i for i in range(100)])


async def test_a_crash_of_faust_starts_the_consumer_anew(
    log: KafkaLog, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumers: list[BatchConsumer] = []
    getmany = BatchConsumer.getmany

    async def crashing(consumer: BatchConsumer, timeout: float) -> AsyncIterator[object]:  # noqa: ASYNC109 - as Faust's
        if consumer not in consumers:
            consumers.append(consumer)
        async for place, message in getmany(consumer, timeout):
            yield place, message
            if len(consumers) == 1:
                await consumer.app.crash(RuntimeError("Faust's own"))

    monkeypatch.setattr(BatchConsumer, "getmany", crashing)
    applied = Applied()
    await log.append(topic, numbered(0, 100))
    async with consuming(log, topic, applied):
        await applied.reaches(100)
    assert len(consumers) == 2
    assert applied.values[topic, 0] == [b"%d" % i for i in range(100)]


async def test_positions_stand_with_what_they_led_to_and_the_broker_is_told_of_none(
    log: KafkaLog, topic: str, kafka_url: str
) -> None:
    applied = Applied()
    await log.append(topic, numbered(0, 30))
    async with consuming(log, topic, applied):
        await applied.reaches(30)
    async with administering({"bootstrap_servers": urlsplit(kafka_url).netloc}) as admin:
        assert await admin.list_consumer_group_offsets(f"group-{topic}") == {}


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The records that were fetched so far, of all partitions."""
    fetched: list[bytes] = []
    getmany = BatchConsumer.getmany

    async def counting(consumer: BatchConsumer, timeout: float) -> AsyncIterator[object]:  # noqa: ASYNC109 - as Faust's
        async for place, message in getmany(consumer, timeout):
            fetched.extend(record.value for record in cast(Fetched, message.value).records)
            yield place, message

    monkeypatch.setattr(BatchConsumer, "getmany", counting)
    return fetched


async def test_at_most_one_and_a_half_batches_wait_beside_the_one_in_hand(
    log: KafkaLog, topic: str, fetched: list[bytes]
) -> None:
    applied, most = Applied(), 0

    async def handler(batch: Batch) -> None:
        nonlocal most
        await asyncio.sleep(0.02)
        most = max(most, len(fetched) - applied.count - len(batch.records))
        await applied.apply(batch)

    await log.append(topic, numbered(0, 300))
    async with consuming(log, topic, applied, handler):
        await applied.reaches(300)
    assert BATCH <= most <= BATCH * 3 // 2


async def test_what_comes_while_a_batch_is_in_hand_is_the_next_batch_together(
    log: KafkaLog, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied, begun, go_on = Applied(), asyncio.Event(), asyncio.Event()
    delivered, deliver = list[Fetched](), PartitionBuffers.deliver

    def delivering(buffers: PartitionBuffers, fetched: Fetched) -> None:
        deliver(buffers, fetched)
        delivered.append(fetched)

    monkeypatch.setattr(PartitionBuffers, "deliver", delivering)

    async def handler(batch: Batch) -> None:
        begun.set()
        await go_on.wait()
        await applied.apply(batch)

    await log.append(topic, numbered(0, 1))
    async with consuming(log, topic, applied, handler):
        await begun.wait()
        for number in range(1, 4):
            await log.append(topic, numbered(number, 1))
            async with asyncio.timeout(HANG_S):
                while len(delivered) <= number:  # noqa: ASYNC110 - brought from a thread of its own
                    await asyncio.sleep(0.01)
        go_on.set()
        await applied.reaches(4)
    assert [(batch.start, batch.until) for batch in applied.batches] == [(0, 1), (1, 4)]


async def test_a_broker_that_stops_is_unavailable_and_both_sides_go_on_after_it(
    breakable_servers: RunningServers,
) -> None:
    log = KafkaLog(urlsplit(breakable_servers.up("kafka")["kafka"]).netloc, timeout_s=2.0)
    await log.ensure_topics([Topic("t", 2)])
    applied = Applied()
    async with consuming(log, "t", applied):
        sent = await _append_until_taken(log, numbered(0, 10))
        await applied.reaches(sent)
        for away, back in (
            (breakable_servers.stop, breakable_servers.start),
            (breakable_servers.freeze, breakable_servers.thaw),
        ):
            await asyncio.to_thread(away, "kafka")
            with pytest.raises(Unavailable):
                async with asyncio.timeout(HANG_S):
                    await log.append("t", numbered(sent, 10))
            with pytest.raises(Unavailable):
                await log.ends("t")
            await asyncio.to_thread(back, "kafka")
            await _append_until_taken(log, numbered(sent, 10))
            sent = sum(end for _, end in (await log.ends("t")).values())
            await applied.reaches(sent)
    assert applied.count == sent
    assert applied.fenced == 0
    await log.close()


async def test_a_consumer_waits_for_a_broker_that_is_away_at_its_start(breakable_servers: RunningServers) -> None:
    url = breakable_servers.up("kafka")["kafka"]
    maker = KafkaLog(urlsplit(url).netloc)
    await maker.ensure_topics([Topic("waiting", 1)])
    await maker.append("waiting", numbered(0, 5))
    await maker.close()
    await asyncio.to_thread(breakable_servers.stop, "kafka")
    log, applied = KafkaLog(urlsplit(url).netloc, timeout_s=1.0), Applied()
    async with consuming(log, "waiting", applied):
        await asyncio.sleep(0.5)
        await asyncio.to_thread(breakable_servers.start, "kafka")
        await applied.reaches(5)
    await log.close()


async def _append_until_taken(log: KafkaLog, messages: list[Message]) -> int:
    async with asyncio.timeout(HANG_S):
        while True:
            try:
                return len(await log.append("t", messages))
            except Unavailable:
                await asyncio.sleep(0.1)
