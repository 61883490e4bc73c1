"""Ready means: positions move, or there is nothing to do. A partition that was given up says what to do."""

from collections.abc import Mapping, Sequence
from typing import cast

import pytest

from services.failures import Unavailable
from services.log import EventLog, Position, TopicPartition, UnknownTopic
from services.metrics import Metrics
from services.profile.adapters.memory import MemoryProfileStore
from services.progress import STANDSTILL_MS, Progress
from tests.clocks import ManualClock

TOPIC = "channel-events"


class Log:
    """What readiness asks of a log."""

    def __init__(self) -> None:
        self.held: Mapping[int, tuple[int, int]] = {0: (0, 10), 1: (0, 0)}
        self.given_up: dict[TopicPartition, str] = {}
        self.tried: dict[TopicPartition, str] = {}
        self.fails: Exception | None = None

    async def ends(self, topic: str) -> Mapping[int, tuple[int, int]]:
        if self.fails:
            raise self.fails
        return self.held

    def stopped(self) -> Mapping[TopicPartition, str]:
        return self.given_up

    def waiting(self) -> Mapping[TopicPartition, str]:
        return self.tried


class Bench:
    def __init__(self) -> None:
        self.log, self.clock, self.metrics = Log(), ManualClock(1_000_000), Metrics()
        self.store = MemoryProfileStore(str)
        log = cast(EventLog, self.log)
        self.progress = Progress(log, self.store, TOPIC, self.metrics, self.clock.now_ms, ["dead-letters"])

    async def stand_at(self, *offsets: int) -> None:
        for partition, offset in enumerate(offsets):
            await self.store.set_position(TOPIC, partition, Position("t", offset))

    def pass_time(self) -> None:
        self.clock.move_to(self.clock.now_ms() + STANDSTILL_MS + 1)

    def stopped_measured(self) -> Sequence[bytes]:
        return [line for line in self.metrics.render().splitlines() if line.startswith(b"counterpoint_partitions_stop")]


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_partition_that_stands_still_although_events_wait_is_named(bench: Bench) -> None:
    await bench.stand_at(3, 0)
    assert await bench.progress.check() is None
    bench.pass_time()
    assert "partitions [0]" in (await bench.progress.check() or "")


async def test_a_partition_that_stands_still_says_what_it_waits_for(bench: Bench) -> None:
    bench.log.tried = {
        TopicPartition(TOPIC, 0): "the database is not available: its disk is full",
        TopicPartition("dead-letters", 0): "another matter",
        TopicPartition(TOPIC, 1): "nothing that stands still",
    }
    await bench.stand_at(3, 0)
    await bench.progress.check()
    bench.pass_time()
    assert await bench.progress.check() == (
        f"positions stand still in partitions [0] of {TOPIC} although events wait: "
        "the database is not available: its disk is full"
    )


async def test_who_has_nothing_to_do_is_ready_however_long(bench: Bench) -> None:
    await bench.stand_at(10, 0)
    assert await bench.progress.check() is None
    bench.pass_time()
    assert await bench.progress.check() is None


async def test_who_moves_is_ready_however_far_behind(bench: Bench) -> None:
    await bench.stand_at(3, 0)
    await bench.progress.check()
    bench.pass_time()
    await bench.stand_at(4, 0)
    assert await bench.progress.check() is None


async def test_a_stopped_partition_is_named_with_what_to_do(bench: Bench) -> None:
    bench.log.given_up[TopicPartition(TOPIC, 7)] = f"{TOPIC}/7: the topic was deleted. Move the position."
    assert await bench.progress.check() == (
        f"{TOPIC}/7 stopped: the topic was deleted. Move the position; "
        "when that is mended, start this worker anew"
    )  # fmt: skip
    assert b'counterpoint_partitions_stopped{topic="channel-events"} 1.0' in bench.stopped_measured()
    assert b'counterpoint_partitions_stopped{topic="dead-letters"} 0.0' in bench.stopped_measured()


async def test_a_partition_that_another_consumer_gave_up_is_not_its_own(bench: Bench) -> None:
    bench.log.given_up[TopicPartition("profile-changes", 1)] = "look"
    await bench.stand_at(10, 0)
    assert await bench.progress.check() is None


async def test_of_many_stopped_partitions_the_first_are_named_and_the_others_counted(bench: Bench) -> None:
    bench.log.given_up |= {TopicPartition(TOPIC, partition): "look" for partition in range(9)}
    told = await bench.progress.check() or ""
    assert told.count("stopped: look") == 3
    assert "6 more partitions stopped" in told


async def test_one_more_stopped_partition_is_told_in_the_singular_and_no_sentence_ends_within_another(
    bench: Bench,
) -> None:
    bench.log.given_up |= {TopicPartition(TOPIC, partition): "restore the topic." for partition in range(4)}
    told = await bench.progress.check() or ""
    assert "restore the topic; 1 more partition stopped; when that is mended" in told


async def test_servers_that_are_away_and_a_topic_that_is_gone_are_told_apart(bench: Bench) -> None:
    bench.log.fails = Unavailable("Kafka did not answer")
    assert await bench.progress.check() == "the event log or the database is away"
    bench.log.fails = UnknownTopic(TOPIC)
    assert TOPIC in (await bench.progress.check() or "")
