"""Where a partition is begun, what follows each kind of failure of a batch, and that nobody's batch is skipped or cut
off."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import pytest
from structlog.testing import capture_logs

from services.failures import Fenced, Unavailable
from services.log import Batch, Position, Stop
from services.partition import FENCED_PAUSE_S, IDLE_LOOK_S, LONGEST_PAUSE_S, Bounds, PartitionWork, starting_point

HELD = Bounds("topic-1", 10, 20)
REST = asyncio.sleep


@pytest.mark.parametrize("following", [10, 15, 20])
def test_a_partition_goes_on_from_its_stored_position_within_what_the_log_holds(following: int) -> None:
    assert starting_point("events", 3, Position("topic-1", following), HELD) == following


def test_a_partition_without_a_position_begins_with_the_first_record_that_is_kept() -> None:
    assert starting_point("events", 3, None, HELD) == 10


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        (Position("topic-1", 9), "events/3: the stored position 9 is no longer kept: the log holds 10 to 20"),
        (Position("topic-1", 21), "events/3: the stored position 21 was never written: the log holds 10 to 20"),
        (Position("topic-0", 15), "belongs to topic topic-0, but the log now holds topic-1"),
    ],
)
def test_a_position_outside_the_log_stops_the_partition_and_says_what_to_do(stored: Position, why: str) -> None:
    with pytest.raises(Stop, match=why) as stopped:
        starting_point("events", 3, stored, HELD)
    assert "counterpoint positions rewind" in str(stopped.value)


class Offsets:
    """A log of endless single records, and the position stored for them."""

    topic, partition = "events", 3

    def __init__(self) -> None:
        self.stored, self.sought, self._next = 0, list[int](), 0

    async def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, Position]:
        return {self.partition: Position("topic-1", self.stored)}

    async def bounds(self) -> Bounds:
        return Bounds("topic-1", 0, 1_000_000)

    async def seek(self, topic_id: str, offset: int) -> None:
        self.sought.append(offset)
        self._next = offset

    async def read(self) -> Batch:
        start, self._next = self._next, self._next + 1
        return Batch(self.topic, "topic-1", self.partition, start, self._next, [])


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    taken: list[float] = []

    async def at_once(seconds: float) -> None:
        taken.append(seconds)
        await REST(0)

    monkeypatch.setattr(asyncio, "sleep", at_once)
    return taken


async def worked(answer: Callable[[int], Exception | None], last: int) -> tuple[Offsets, PartitionWork]:
    """Until the batch at offset `last` is worked. `answer`: what the n-th batch handed over fails with."""
    log, handed = Offsets(), 0

    async def handle(batch: Batch) -> None:
        nonlocal handed
        handed += 1
        if batch.start > last:
            raise Stop("another batch was taken")
        if error := answer(handed):
            raise error
        assert batch.start == log.stored, "a batch was skipped"
        log.stored = batch.until
        if batch.start == last:
            work.stop()

    work = PartitionWork(log, log, handle)
    await asyncio.wait([work.task])
    return log, work


async def test_pauses_after_a_bug_double_up_to_the_longest_and_are_short_again_after_a_success(
    pauses: list[float],
) -> None:
    failing = {*range(1, 1101), 1102}
    log, _ = await worked(lambda handed: ValueError() if handed in failing else None, last=1)
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert (pauses[1099], max(pauses)) == (LONGEST_PAUSE_S, LONGEST_PAUSE_S)
    assert pauses[1100:] == [0.1]
    assert (log.stored, log.sought[-1]) == (2, 1)


@pytest.mark.parametrize(
    ("error", "pause"), [(Fenced(), FENCED_PAUSE_S), (Unavailable("the database is away", 3.0), 3.0)]
)
async def test_whoever_lost_the_partition_or_its_server_waits_and_begins_at_the_stored_position(
    pauses: list[float], error: Exception, pause: float
) -> None:
    log, _ = await worked(lambda handed: error if handed == 2 else None, last=1)
    assert pauses == [pause]
    assert log.sought == [0, 1]


async def test_an_order_to_stop_ends_the_work_and_is_kept() -> None:
    order = Stop("a newer release was here")
    log, work = await worked(lambda handed: order if handed == 2 else None, last=9)
    assert work.stopped_by is order
    assert log.stored == 1


async def test_who_is_stopped_finishes_the_batch_in_hand_and_takes_no_other() -> None:
    log, in_hand, go_on = Offsets(), asyncio.Event(), asyncio.Event()

    async def handle(batch: Batch) -> None:
        if in_hand.is_set():
            raise Stop("another batch was taken")
        in_hand.set()
        await go_on.wait()
        log.stored = batch.until

    work = PartitionWork(log, log, handle)
    await in_hand.wait()
    work.stop()
    await REST(0)
    go_on.set()
    await asyncio.wait([work.task])
    assert (log.stored, work.task.cancelled(), work.stopped_by) == (1, False, None)


async def test_an_outage_is_told_once_and_its_end_and_the_next_one_anew(pauses: list[float]) -> None:
    away = {*range(1, 51), 52}
    with capture_logs() as logged:
        await worked(lambda handed: Unavailable("the database is away") if handed in away else None, last=2)
    told = [one["event"] for one in logged if one["event"] != "partition stopped"]
    assert told == ["partition waits", "partition goes on", "partition waits", "partition goes on"]


async def test_a_position_that_is_moved_while_nothing_comes_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.partition.IDLE_LOOK_S", 0.01)
    looks = 0

    class Ended(Offsets):
        """Holds three records. At the fifth look at its position an operator has gone back."""

        async def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, Position]:
            nonlocal looks
            looks += 1
            if looks == 4:
                raise Unavailable("the database is away")
            if looks == 5:
                self.stored = 1
            return await super().positions(topic, partitions)

        async def read(self) -> Batch:
            if self._next == 3:
                await asyncio.Event().wait()
            return await super().read()

    log, handed = Ended(), list[int]()

    async def handle(batch: Batch) -> None:
        handed.append(batch.start)
        assert batch.start == log.stored, "a batch was skipped"
        log.stored = batch.until
        if len(handed) == 5:
            work.stop()

    work = PartitionWork(log, log, handle)
    await asyncio.wait([work.task])
    assert (handed, log.sought) == ([0, 1, 2, 1, 2], [0, 1])


@pytest.mark.parametrize("batches", [0, 1])
async def test_what_waits_for_a_batch_ends_at_once_when_it_is_stopped(batches: int) -> None:
    reading = asyncio.Event()

    class Few(Offsets):
        async def read(self) -> Batch:
            if self._next < batches:
                return await super().read()
            reading.set()
            await asyncio.Event().wait()
            raise AssertionError("nothing comes")

    log = Few()

    async def handle(batch: Batch) -> None:
        log.stored = batch.until

    work = PartitionWork(log, log, handle)
    await reading.wait()
    work.stop()
    async with asyncio.timeout(IDLE_LOOK_S / 2):
        await asyncio.wait([work.task])
    assert (log.stored, work.stopped_by) == (batches, None)
