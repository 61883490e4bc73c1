"""What is fetched says what it follows, and is not lost on the way to its buffer without being sought again."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import ConsumerStoppedError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from services.kafka.faust import new_app
from services.kafka.fetching import NOWHERE, BatchConsumer, Fetched, FetchingThread
from tests.patience import HANG_S

PLACE, OTHER = TP("events", 3), TP("events", 4)


class Buffers:
    """Whoever works on the partitions: what becomes of what was fetched."""

    def __init__(self) -> None:
        self.admitted = {NOWHERE, PLACE, OTHER}
        self.stale: set[TP] = set()
        self.dropped: list[Fetched] = []
        self.failed: list[BaseException] = []
        self.assigned: list[TP] = []
        self.let_go_of = 0

    def assign(self, places: Iterable[TP]) -> None:
        self.assigned += places

    async def let_go(self) -> None:
        self.let_go_of += 1

    def expects(self, fetched: Fetched) -> bool:
        return fetched.place not in self.stale

    def deliver(self, fetched: Fetched) -> None:
        raise AssertionError("nobody works on them here")

    def drop(self, fetched: Fetched) -> None:
        self.dropped.append(fetched)

    def fail(self, error: BaseException) -> None:
        self.failed.append(error)


class Kafka:
    """aiokafka's consumer, which is its own fetcher: what it holds, and where it was sought."""

    def __init__(self) -> None:
        self.held: dict[TP, Sequence[Any]] = {}
        self.sought: list[tuple[TP, int]] = []
        self.stopped = False
        self._fetcher, self._fetch_waiters = self, list[asyncio.Future[None]]()

    def seek(self, place: TP, offset: int) -> None:
        self.sought.append((place, offset))

    async def stop(self) -> None:
        self.stopped = True


def records(start: int, until: int) -> list[ConsumerRecord[Any, Any]]:
    return [
        ConsumerRecord("events", 3, at, 5_000 + at, 0, None, b"%d" % at, None, 0, 1, ()) for at in range(start, until)
    ]


@pytest.fixture
def buffers() -> Buffers:
    return Buffers()


@pytest.fixture
async def consumer(buffers: Buffers) -> AsyncIterator[BatchConsumer]:
    app = new_app("group", ["events"], buffers, lambda: cast(AIOKafkaConsumer, Kafka()), 10)
    consumer = cast(BatchConsumer, app.consumer)
    loop = consumer.fetching.thread_loop
    yield consumer
    loop.close()


@pytest.fixture
async def thread(consumer: BatchConsumer, kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> FetchingThread:
    """Its calls run at once, on this loop."""
    thread = consumer.fetching
    thread._create_consumer(asyncio.get_running_loop())
    thread._consumer = cast(AIOKafkaConsumer, kafka)

    async def at_once(call: Any, *given: Any) -> Any:
        return await call(*given)

    async def held(*_: Any) -> Mapping[TP, Sequence[Any]]:
        return kafka.held

    monkeypatch.setattr(thread, "call_thread", at_once)
    monkeypatch.setattr(thread, "_fetch_records", held)
    monkeypatch.setattr(thread, "thread_loop", asyncio.get_running_loop())
    return thread


@pytest.fixture
def kafka() -> Kafka:
    return Kafka()


def brings(monkeypatch: pytest.MonkeyPatch, consumer: BatchConsumer, *fetched: Fetched, then: Any = None) -> None:
    async def fetch(admitted: set[TP], most: int, wait_s: float) -> list[Fetched]:
        if then is not None:
            then()
        assert (admitted, most, wait_s) == (consumer._buffers.admitted, 10, 1.5)
        return list(fetched)

    monkeypatch.setattr(consumer.fetching, "fetch", fetch)


async def taken(consumer: BatchConsumer) -> list[tuple[TP, Any]]:
    return [one async for one in consumer.getmany(1.5)]


async def test_records_follow_the_last_seek_or_the_records_before_them(thread: FetchingThread, kafka: Kafka) -> None:
    await thread.seek_place(PLACE, 5, 70)
    await thread.seek_place(OTHER, 9, 71)
    kafka.held = {PLACE: records(6, 8), OTHER: []}
    first = await thread.fetch({PLACE, OTHER}, 10, 1.5)
    assert first == [Fetched(PLACE, 70, 5, 8, kafka.held[PLACE])]
    kafka.held = {PLACE: records(8, 9)}
    assert await thread.fetch({PLACE, OTHER}, 10, 1.5) == [Fetched(PLACE, 70, 8, 9, kafka.held[PLACE])]
    assert [thread.followed_to(PLACE, ticket) for ticket in (69, 70, 71)] == [-1, 9, -1]
    assert thread.followed_to(OTHER, 71) == 9
    await thread.seek_place(PLACE, 5, 72)
    kafka.held = {PLACE: records(5, 6)}
    assert await thread.fetch({PLACE, OTHER}, 10, 1.5) == [Fetched(PLACE, 72, 5, 6, kafka.held[PLACE])]
    assert thread.followed_to(PLACE, 70) == -1
    assert kafka.sought == [(PLACE, 5), (OTHER, 9), (PLACE, 5)]


async def test_records_of_a_partition_that_was_never_sought_follow_nothing(
    thread: FetchingThread, kafka: Kafka
) -> None:
    assert thread.followed_to(PLACE, 0) == -1
    kafka.held = {PLACE: records(1, 2)}
    assert await thread.fetch({PLACE}, 10, 1.5) == [Fetched(PLACE, -1, -1, 2, kafka.held[PLACE])]


async def test_who_waits_for_records_looks_again_when_more_partitions_are_admitted(
    thread: FetchingThread, kafka: Kafka
) -> None:
    loop = asyncio.get_running_loop()
    kafka._fetch_waiters += [loop.create_future(), loop.create_future()]
    kafka._fetch_waiters[0].cancel()
    thread.look_again()
    async with asyncio.timeout(HANG_S):
        await kafka._fetch_waiters[1]


async def test_a_thread_that_does_not_run_yet_or_any_more_looks_at_nothing(
    thread: FetchingThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = asyncio.new_event_loop()
    ended.close()
    monkeypatch.setattr(thread, "thread_loop", ended)
    thread.look_again()
    thread._consumer = None
    monkeypatch.setattr(thread, "thread_loop", asyncio.get_running_loop())
    thread.look_again()
    await asyncio.sleep(0)


async def test_the_group_is_left_whatever_became_of_the_calls_still_queued(
    thread: FetchingThread, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_: object) -> None:
        raise RuntimeError("a call is still queued")

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "on_thread_stop", fails)
    with pytest.raises(RuntimeError, match="still queued"):
        await thread.on_thread_stop()
    assert kafka.stopped
    thread._consumer = None
    with pytest.raises(RuntimeError, match="still queued"):
        await thread.on_thread_stop()


async def test_a_batch_is_handed_on_whole_and_its_partition_is_not_fetched_meanwhile(
    consumer: BatchConsumer, buffers: Buffers, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = Fetched(PLACE, 1, 5, 8, records(6, 8))
    consumer._read_offset[PLACE] = 99  # Faust has read further already
    brings(monkeypatch, consumer, batch)
    [(place, message)] = await taken(consumer)
    assert (place, message.value, message.tp) == (PLACE, batch, PLACE)
    assert (message.topic, message.partition, message.offset, message.timestamp) == ("events", 3, 5, 5.006)
    assert buffers.admitted == {NOWHERE, OTHER}
    assert consumer._read_offset[PLACE] is None
    assert (buffers.dropped, buffers.failed) == ([], [])


async def test_what_was_fetched_before_the_last_seek_is_passed_over_and_what_follows_it_may_still_be_fetched(
    consumer: BatchConsumer, buffers: Buffers, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffers.stale = {PLACE}
    brings(monkeypatch, consumer, Fetched(PLACE, 1, 5, 8, records(6, 8)), Fetched(OTHER, 1, 5, 8, records(6, 8)))
    assert [place for place, _ in await taken(consumer)] == [OTHER]
    assert (buffers.admitted, buffers.dropped) == ({NOWHERE, PLACE}, [])


def stopping(consumer: BatchConsumer) -> None:
    consumer._stopped.set()


@pytest.mark.parametrize("meanwhile", [stopping, BatchConsumer.stop_flow])
async def test_what_faust_would_lose_where_it_stops_is_sought_again(
    consumer: BatchConsumer, buffers: Buffers, monkeypatch: pytest.MonkeyPatch, meanwhile: Any
) -> None:
    batches = [Fetched(one, 1, 5, 8, records(6, 8)) for one in (PLACE, OTHER)]
    brings(monkeypatch, consumer, *batches, then=lambda: meanwhile(consumer))
    assert (await taken(consumer), buffers.dropped, buffers.admitted) == ([], batches, {NOWHERE})


async def test_nothing_is_fetched_while_the_group_is_dealt_anew(
    consumer: BatchConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    brings(monkeypatch, consumer, Fetched(PLACE, 1, 5, 8, records(6, 8)))
    consumer.stop_flow()
    waiting = asyncio.create_task(taken(consumer))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    consumer.resume_flow()
    async with asyncio.timeout(HANG_S):
        assert await waiting == []
    assert len(await taken(consumer)) == 1


async def test_an_error_of_fetching_is_told_to_the_desks_and_faust_hears_only_that_the_consumer_has_stopped(
    consumer: BatchConsumer, buffers: Buffers, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = iter([KafkaError("no leader"), ConsumerStoppedError()])

    def fails() -> None:
        raise next(errors)

    brings(monkeypatch, consumer, then=fails)
    assert await taken(consumer) == []
    assert [str(one) for one in buffers.failed] == ["KafkaError: no leader"]
    with pytest.raises(ConsumerStoppedError):
        await taken(consumer)
    assert len(buffers.failed) == 1


async def test_partitions_are_let_go_before_the_group_is_joined_again_and_dealt_after_it(
    consumer: BatchConsumer, buffers: Buffers, monkeypatch: pytest.MonkeyPatch
) -> None:
    await consumer.on_partitions_revoked({PLACE})
    assert buffers.let_go_of == 1
    monkeypatch.setattr(consumer, "assignment", lambda: {OTHER})
    await consumer.perform_seek()
    assert buffers.assigned == [OTHER]


async def test_faust_is_told_that_what_it_read_is_done(
    consumer: BatchConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    brings(monkeypatch, consumer, Fetched(PLACE, 1, 5, 8, records(6, 8)))
    [(_, message)] = await taken(consumer)
    consumer._unacked_messages.add(message)
    assert consumer.ack(message)
    assert (message.acked, len(consumer._unacked_messages)) == (True, 0)
    assert await consumer._commit({PLACE: 8})
