"""What only the embedded log promises: one writer, files per day, a full disk, readers beside a running platform."""

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from schemas.instants import DAY_MS
from schemas.topics import Topic
from services.embedded.damage import OtherFormat
from services.embedded.files import TopicTable, segment_paths
from services.embedded.log import DirectoryInUse, EmbeddedLog, Limits
from services.embedded.retention import Retention
from services.embedded.segments import Block, Segment, connect, create_segment
from services.failures import Unavailable
from services.log import Batch, Message, Position, TopicPartition
from tests.clocks import ManualClock
from tests.patience import HANG_S
from tests.ports.log_places import Applied, consuming


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_790_000_000_000)


@pytest.fixture
async def log(tmp_path: Path, clock: ManualClock) -> AsyncIterator[EmbeddedLog]:
    log = EmbeddedLog(tmp_path, clock=clock)
    await log.ensure_topics([Topic("t", 2, retention_days=2)])
    yield log
    await log.close()


def message(value: bytes, partition: int = 0) -> Message:
    return Message(b"", value, partition)


async def test_a_second_writer_is_refused_by_the_name_of_the_directory(log: EmbeddedLog, tmp_path: Path) -> None:
    with pytest.raises(DirectoryInUse, match=str(tmp_path)):
        EmbeddedLog(tmp_path)


async def test_a_log_that_is_closed_has_written_what_waited_and_leaves_no_thread_and_no_open_file(
    tmp_path: Path, clock: ManualClock
) -> None:
    directory = tmp_path / "data" / "log"
    threads, log = set(threading.enumerate()), EmbeddedLog(directory, clock=clock)
    await log.ensure_topics([Topic("t", 1)])
    async with consuming(log, "t", applied := Applied()):
        await log.append("t", [message(b"first")])
        await applied.reaches(1)
    waiting = asyncio.create_task(log.append("t", [message(b"last")]))
    await asyncio.sleep(0)
    await log.close()
    assert [one.offset for one in await waiting] == [1]
    assert set(threading.enumerate()) <= threads
    assert open_files_below(directory) == []
    again = EmbeddedLog(directory, clock=clock)
    assert await again.ends("t") == {0: (0, 2)}
    await again.close()


async def test_offsets_go_on_over_days_and_old_days_are_dropped_whole(
    log: EmbeddedLog, clock: ManualClock, tmp_path: Path
) -> None:
    applied = Applied()
    async with consuming(log, "t", applied):
        for day in range(5):
            (spot,) = await log.append("t", [message(b"%d" % day)])
            assert spot.offset == day
            await applied.reaches(day + 1)
            clock.move_to(clock.now_ms() + DAY_MS)
    assert len(segment_paths(tmp_path)) == 3
    assert await log.ends("t") == {0: (2, 5), 1: (0, 0)}
    found = [await log.record("t", 0, offset) for offset in range(6)]
    assert [record and record.value for record in found] == [None, None, b"2", b"3", b"4", None]


async def test_a_day_that_a_reader_has_not_reached_is_not_dropped(
    log: EmbeddedLog, clock: ManualClock, tmp_path: Path
) -> None:
    """Nobody reads, then one reader stands still: either may still come to what is old."""
    for _ in range(3):
        await log.append("t", [message(b"early")])
        clock.move_to(clock.now_ms() + 5 * DAY_MS)
    assert await log.ends("t") == {0: (0, 3), 1: (0, 0)}
    applied = Away()
    async with consuming(log, "t", applied):
        await log.append("t", [message(b"late")])
        assert await log.ends("t") == {0: (0, 4), 1: (0, 0)}
        applied.is_away = False
        await applied.reaches(4)
        clock.move_to(clock.now_ms() + DAY_MS)
        await log.append("t", [message(b"later")])
        assert await log.ends("t") == {0: (3, 5), 1: (0, 0)}


async def test_a_day_is_kept_for_who_cannot_learn_how_far_it_has_come(log: EmbeddedLog, clock: ManualClock) -> None:
    """Who reads beside it has come to the end."""

    class Lost(Applied):
        async def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, Position]:
            raise Unavailable("the database is away", 0.01)

    async with consuming(log, "t", applied := Applied()):
        lost = asyncio.create_task(log.consume(["t"], "another group", Lost(), applied.apply))
        for day in range(4):
            await log.append("t", [message(b"%d" % day)])
            await applied.reaches(day + 1)
            clock.move_to(clock.now_ms() + 5 * DAY_MS)
        lost.cancel()
        await asyncio.wait([lost])
    assert await log.ends("t") == {0: (0, 4), 1: (0, 0)}


async def test_what_comes_while_somebody_waits_for_it_is_read_without_a_failure(log: EmbeddedLog) -> None:
    with capture_logs() as told:
        async with consuming(log, "t", applied := Applied()):
            for number in range(20):
                await log.append("t", [message(b"x")])
                await applied.reaches(number + 1)
    assert told == []


async def test_a_day_is_kept_as_long_as_the_topic_that_is_kept_longest(
    log: EmbeddedLog, clock: ManualClock, tmp_path: Path
) -> None:
    await log.ensure_topics([Topic("letters", 1, retention_days=9)])
    async with consuming(log, "t", applied := Applied()):
        for day in range(12):
            await log.append("t", [message(b"%d" % day)])
            await applied.reaches(day + 1)
            clock.move_to(clock.now_ms() + DAY_MS)
    assert len(segment_paths(tmp_path)) == 10


async def test_a_quiet_partition_keeps_its_offset_over_days_and_restarts(
    log: EmbeddedLog, clock: ManualClock, tmp_path: Path
) -> None:
    applied = Applied()
    async with consuming(log, "t", applied):
        await log.append("t", [message(b"early", partition=1)])
        for day in range(4):
            await applied.reaches(day + 1)
            clock.move_to(clock.now_ms() + DAY_MS)
            await log.append("t", [message(b"daily")])
    await log.close()
    again = EmbeddedLog(tmp_path, clock=clock)
    (spot,) = await again.append("t", [message(b"late", partition=1)])
    assert spot.offset == 1
    assert (await again.ends("t"))[1] == (1, 2)
    await again.close()


async def test_however_many_days_are_read_few_files_are_open(
    log: EmbeddedLog, clock: ManualClock, tmp_path: Path
) -> None:
    """A log keeps 90 days, and some systems give a process no more than 256 files."""
    for day in range(30):
        await log.append("t", [message(str(day).encode())])
        clock.move_to(clock.now_ms() + DAY_MS)
    assert len(segment_paths(tmp_path)) == 30
    for _ in range(2):
        found = [await log.record("t", 0, offset) for offset in range(30)]
        assert [one.value for one in found if one] == [str(day).encode() for day in range(30)]
        assert len({one for one in open_files_below(tmp_path) if one.suffix == ".sqlite"}) < 15


async def test_a_clock_that_runs_back_loses_nothing(tmp_path: Path) -> None:
    for now_ms in (1_790_000_000_000, 1_790_000_000_000 - 5 * DAY_MS):
        log = EmbeddedLog(tmp_path, clock=ManualClock(now_ms))
        await log.ensure_topics([Topic("t", 1)])
        await log.append("t", [message(b"x")])
        assert await log.ends("t") == {0: (0, int(now_ms != 1_790_000_000_000) + 1)}
        await log.close()


async def test_a_reader_beside_a_running_platform_follows_it_and_cannot_write(
    log: EmbeddedLog, clock: ManualClock, tmp_path: Path
) -> None:
    beside = EmbeddedLog(tmp_path, read_only=True)
    for refused in (beside.append("t", [message(b"x")]), beside.ensure_topics([]), beside.delete_topic("t")):
        with pytest.raises(Unavailable, match="read-only"):
            await refused
    applied = Applied()
    async with consuming(beside, "t", applied):
        await log.append("t", [message(b"today")])
        await applied.reaches(1)
        clock.move_to(clock.now_ms() + DAY_MS)
        await log.append("t", [message(b"tomorrow")])
        await applied.reaches(2)
    assert await beside.ends("t") == await log.ends("t")
    await beside.close()


async def test_where_nothing_was_ever_appended_a_reader_finds_nothing(tmp_path: Path) -> None:
    """A platform was stopped before it had made the file of its first day."""
    topics = TopicTable(tmp_path, read_only=False)
    topics.create([Topic("t", 1)])
    topics.close()
    beside = EmbeddedLog(tmp_path, read_only=True)
    assert (await beside.ends("t"), await beside.offsets_at("t", 1)) == ({0: (0, 0)}, {0: 0})
    assert await beside.record("t", 0, 0) is None
    await beside.close()


async def test_a_full_disk_is_unavailable_and_later_appends_go_on(log: EmbeddedLog) -> None:
    await log.append("t", [message(b"before")])
    with files_limited_to(200_000), pytest.raises(Unavailable):
        await log.append("t", [message(b"x" * 100_000)] * 20)
    _, kept = (await log.ends("t"))[0]
    (spot,) = await log.append("t", [message(b"after")])
    assert spot.offset == kept
    applied = Applied()
    async with consuming(log, "t", applied):
        await applied.reaches(kept + 1)
    assert applied.values["t", 0][-1] == b"after"


async def test_a_disk_that_is_full_when_a_new_day_begins_is_unavailable_and_later_appends_go_on(
    log: EmbeddedLog, clock: ManualClock
) -> None:
    await log.append("t", [message(b"before")])
    clock.move_to(clock.now_ms() + DAY_MS)
    with files_limited_to(0), pytest.raises(Unavailable):
        await log.append("t", [message(b"x")])
    assert [one.offset for one in await log.append("t", [message(b"after")])] == [1]


async def test_a_day_whose_making_was_cut_short_is_made_anew(
    log: EmbeddedLog, clock: ManualClock, tmp_path: Path
) -> None:
    clock.move_to(clock.now_ms() + DAY_MS)
    tomorrow = tmp_path / f"{datetime.fromtimestamp(clock.now_ms() / 1000, UTC):%Y-%m-%d}.new"
    half_made = connect(tomorrow)
    half_made.execute("create table blocks (topic integer)")
    half_made.close()
    assert [one.offset for one in await log.append("t", [message(b"x")])] == [0]
    assert not tomorrow.exists()


@pytest.mark.parametrize(("days", "refused"), [(1, 0), (3, 1)], ids=["the day that is written", "an older day"])
async def test_a_file_of_another_release_is_refused_by_name(
    log: EmbeddedLog, clock: ManualClock, tmp_path: Path, days: int, refused: int
) -> None:
    for _ in range(days):
        await log.append("t", [message(b"x")])
        clock.move_to(clock.now_ms() + DAY_MS)
    await log.close()
    day = segment_paths(tmp_path)[refused]
    newer = connect(day)
    newer.execute("pragma user_version = 3")
    newer.close()
    with pytest.raises(OtherFormat, match=f"{day} is of version 3 of the embedded log, and this release reads 2"):
        EmbeddedLog(tmp_path)
    assert open_files_below(tmp_path) == []
    again = connect(day)
    again.execute("pragma user_version = 2")
    again.close()
    await EmbeddedLog(tmp_path).close()  # the directory was let go


def test_what_is_written_is_on_the_disk_with_every_commit(tmp_path: Path) -> None:
    connection = connect(tmp_path / "day.sqlite")
    told = [connection.execute(f"pragma {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    connection.close()
    assert told == ["wal", 2], "2 is FULL"


def test_who_only_looks_makes_no_file_and_writes_none(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be opened"):
        EmbeddedLog(tmp_path, read_only=True)
    assert list(tmp_path.iterdir()) == []
    create_segment(tmp_path / "day.sqlite", {})
    looking = Segment(tmp_path / "day.sqlite", read_only=True)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        looking.write([Block(1, 0, 0, 7, [(b"k", b"v")])])
    looking.close()


def test_what_could_not_be_written_leaves_nothing_behind_and_the_next_goes_on(tmp_path: Path) -> None:
    create_segment(tmp_path / "day.sqlite", {})
    segment = Segment(tmp_path / "day.sqlite", read_only=False)
    first, second = Block(1, 0, 0, 7, [(b"k", b"first")]), Block(1, 0, 1, 8, [(b"k", b"second")])
    segment.write([first])
    with pytest.raises(sqlite3.IntegrityError):
        segment.write([second, first])
    assert segment.next((1, 0)) == 1
    segment.write([second])
    assert [one.value for one in segment.read((1, 0), 0, 10, 10_000)] == [b"first", b"second"]
    segment.close()


@pytest.mark.parametrize(
    ("limits", "sizes"),
    [
        (Limits(), [10]),
        (Limits(batch_records=4), [4, 4, 2]),
        (Limits(batch_bytes=2_500), [3, 3, 3, 1]),
        (Limits(batch_bytes=1), [1] * 10),
    ],
)
async def test_what_was_appended_one_by_one_is_read_together_as_far_as_a_batch_may_go(
    tmp_path: Path, limits: Limits, sizes: list[int]
) -> None:
    log = EmbeddedLog(tmp_path, limits=limits)
    await log.ensure_topics([Topic("t", 1)])
    for _ in range(10):
        await log.append("t", [message(b"x" * 1_000)])
    async with consuming(log, "t", applied := Applied()):
        await applied.reaches(10)
    assert [len(batch.records) for batch in applied.batches] == sizes
    await log.close()


@pytest.mark.parametrize(("count", "size", "blocks"), [(2_500, 1, [1_000, 1_000, 500]), (10, 900_000, [4, 4, 2])])
async def test_what_is_appended_at_once_is_parted_where_one_block_would_be_too_much_to_read(
    tmp_path: Path, count: int, size: int, blocks: list[int]
) -> None:
    log = EmbeddedLog(tmp_path, limits=Limits(batch_records=1))
    await log.ensure_topics([Topic("t", 1)])
    values = [b"%d" % number * size for number in range(10)] * (count // 10)
    await log.append("t", [message(value[:size]) for value in values])
    async with consuming(log, "t", applied := Applied()):
        await applied.reaches(count)
    assert [len(batch.records) for batch in applied.batches] == blocks
    assert applied.values["t", 0] == [value[:size] for value in values]
    await log.close()


async def test_without_a_topic_nothing_says_how_long_a_day_is_kept_and_none_is_dropped(tmp_path: Path) -> None:
    for day in ("2026-01-01", "2026-01-02"):
        create_segment(tmp_path / f"{day}.sqlite", {})
    topics = TopicTable(tmp_path, read_only=False)
    retention = Retention(tmp_path, topics)
    retention.reached["group", TopicPartition("t", 0)] = 0
    retention.drop(date(2026, 11, 28))
    topics.close()
    assert len(segment_paths(tmp_path)) == 2


async def test_a_damaged_file_is_named_instead_of_a_traceback(log: EmbeddedLog, tmp_path: Path) -> None:
    await log.append("t", [message(b"x")])
    await log.close()
    [day] = segment_paths(tmp_path)
    for path in (day, tmp_path / "topics.sqlite"):
        path.write_bytes(b"no database" * 100)
        with pytest.raises(Unavailable, match=f"{path}: file is not a database"):
            EmbeddedLog(tmp_path, read_only=True)


async def one_by_one(log: EmbeddedLog, *values: bytes) -> None:
    """Each is a block of its own."""
    for value in values:
        await log.append("t", [message(value)])


async def test_a_bit_that_the_disk_has_turned_is_told_and_not_taken_for_what_was_said(
    log: EmbeddedLog, clock: ManualClock, tmp_path: Path
) -> None:
    await one_by_one(log, b"amount 100.00", b"amount 200.00")
    await log.close()
    [day] = segment_paths(tmp_path)
    day.write_bytes(day.read_bytes().replace(b"200.00", b"300.00"))
    await told_instead_of_applied(tmp_path, clock, [b"amount 100.00"], "its checksum does not agree")


async def test_blocks_that_have_gone_are_told_and_not_skipped(
    log: EmbeddedLog, clock: ManualClock, tmp_path: Path
) -> None:
    await one_by_one(log, b"1", b"2", b"3", b"4")
    await log.close()
    [day] = segment_paths(tmp_path)
    damaged = connect(day)
    damaged.execute("delete from blocks where first in (1, 2)")
    damaged.close()
    await told_instead_of_applied(tmp_path, clock, [b"1"], "what stood from 1 to 3 is gone")


async def test_pages_that_are_empty_after_a_crash_are_told(
    log: EmbeddedLog, clock: ManualClock, tmp_path: Path
) -> None:
    values = [b"%d" % n * 3_000 for n in range(9)]
    await one_by_one(log, *values)
    await log.close()
    [day] = segment_paths(tmp_path)
    whole = day.read_bytes()
    page = whole.index(values[5][:1_000]) // 4096 * 4096
    day.write_bytes(whole[:page] + bytes(4096) + whole[page + 4096 :])
    await told_instead_of_applied(tmp_path, clock, values[:5], "malformed")


@pytest.mark.parametrize("page", [1, 2], ids=["its records", "where its partitions begin"])
async def test_a_log_that_is_damaged_where_it_is_written_says_so_instead_of_a_traceback(
    log: EmbeddedLog, clock: ManualClock, tmp_path: Path, page: int
) -> None:
    await one_by_one(log, *(b"%d" % n * 3_000 for n in range(9)))
    await log.close()
    [day] = segment_paths(tmp_path)
    whole = day.read_bytes()
    day.write_bytes(whole[: page * 4096] + b"x" * 4096 + whole[page * 4096 + 4096 :])
    with pytest.raises(Unavailable, match=f"the embedded log is damaged: {day}: .*: restore a backup"):
        await EmbeddedLog(tmp_path, clock=clock).append("t", [message(b"x")])


async def told_instead_of_applied(directory: Path, clock: ManualClock, whole: Sequence[bytes], why: str) -> None:
    log = EmbeddedLog(directory, clock=clock)
    applied = Applied()
    async with asyncio.timeout(HANG_S), consuming(log, "t", applied):
        while not log.waiting():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
        assert why in log.waiting()[TopicPartition("t", 0)]
    assert applied.values["t", 0] == list(whole)
    await log.close()


async def test_a_day_is_whole_in_its_own_file_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite brings what is in its journal into the file when the last one closes it, and says nothing where it
    cannot: a full disk, or somebody else who has it open."""
    connected, others = sqlite3.connect, list[sqlite3.Connection]()

    def watched(*given: Any, **options: Any) -> sqlite3.Connection:
        def look(statement: str) -> None:
            if statement == "commit":
                others.append(connected(*given, **options))
                others[-1].execute("select count(*) from sqlite_master").fetchone()

        made: sqlite3.Connection = connected(*given, **options)
        made.set_trace_callback(look)
        return made

    monkeypatch.setattr(sqlite3, "connect", watched)
    create_segment(tmp_path / "2026-01-02.sqlite", {(1, 0): 17})
    monkeypatch.undo()
    begun = Segment(tmp_path / "2026-01-02.sqlite", read_only=True)
    assert begun.bases == {(1, 0): 17}
    begun.close()
    assert len(others) == 1
    others[0].close()


async def test_what_was_acknowledged_survives_a_killed_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.ports.append_for_ever", str(tmp_path)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220 - nothing else runs meanwhile
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline() for _ in range(200)][-1]
    writer.kill()
    rest = writer.stdout.read().splitlines()
    writer.wait()
    writer.stdout.close()
    last = int(rest[-1] if rest else acknowledged)
    log = EmbeddedLog(tmp_path)
    applied = Applied()
    _, end = (await log.ends("t"))[0]
    assert end > last
    async with consuming(log, "t", applied):
        await applied.reaches(end)
    assert applied.values["t", 0] == [b"%d" % i for i in range(end)]
    await log.close()


async def test_too_much_waiting_for_the_disk_is_refused(log: EmbeddedLog) -> None:
    outcomes = await asyncio.gather(
        *(log.append("t", [message(b"x" * 900_000)] * 20) for _ in range(10)), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Unavailable)]
    assert refused
    taken = sum(len(outcome) for outcome in outcomes if not isinstance(outcome, BaseException))
    assert (await log.ends("t"))[0][1] == taken


def open_files_below(directory: Path) -> list[Path]:
    found = [Path(f"/dev/fd/{one}").resolve() for one in os.listdir("/dev/fd")]
    return [one for one in found if one.is_relative_to(directory)]


class Away(Applied):
    """Takes nothing while it is away."""

    is_away = True

    async def apply(self, batch: Batch) -> None:
        if self.is_away:
            raise Unavailable("the database is away", 0.01)
        await super().apply(batch)


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Every write beyond `size` bytes of a file fails, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_offsets_are_found_by_time_over_the_files_of_several_days(tmp_path: Path) -> None:
    clock = ManualClock(1_790_000_000_000)
    log = EmbeddedLog(tmp_path, clock=clock)
    await log.ensure_topics([Topic("t", 1)])
    for _ in range(40):
        await log.append("t", [Message(b"", b"", partition=0)] * 3)
        clock.move_to(clock.now_ms() + 2 * 3_600_000)
    for nth in range(40):
        at = 1_790_000_000_000 + nth * 2 * 3_600_000
        assert await log.offsets_at("t", at) == {0: 3 * nth}
        assert await log.offsets_at("t", at + 1) == {0: 3 * nth + 3}
    await log.close()
