"""After a bug a batch is taken apart once; what is no bug parks nothing, then as before."""

from collections.abc import Callable
from typing import Any

import pytest

from services.attempts import PARKED_IN_A_ROW, Attempts, singles
from services.failures import Contended, Fenced, Rejected, Unavailable
from services.log import Batch, Record, Stop
from services.metrics import Metrics

SIZE = 4 * PARKED_IN_A_ROW
ATTEMPTED = 3


def batch(start: int, size: int = SIZE, partition: int = 0, topic: str = "events") -> Batch:
    records = [Record(offset, 1, b"", b"") for offset in range(start, start + size)]
    return Batch(topic, "id", partition, start, start + size, records)


class Bench:
    """`fails` says what a batch meets, `parking` what the parking of an event does."""

    def __init__(self, fails: Callable[[Batch], Exception | None]) -> None:
        self.fails, self.tried, self.parked = fails, list[int](), list[int]()
        self.parking: Callable[[], Exception | None] = lambda: None
        self.handler = Attempts(self._apply, self._park, Metrics())

    async def _apply(self, one: Batch) -> None:
        self.tried.append(len(one.records))
        if (error := self.fails(one)) is not None:
            raise error

    async def _park(self, one: Batch, error: BaseException) -> None:
        assert isinstance(error, ZeroDivisionError | Rejected)
        if (met := self.parking()) is not None:
            raise met
        self.parked.append(one.start)

    async def meets(self, kind: type[Exception], one: Batch) -> None:
        with pytest.raises(kind):
            await self.handler(one)


def poison(*offsets: int) -> Callable[[Batch], Exception | None]:
    return lambda one: ZeroDivisionError() if any(record.offset in offsets for record in one.records) else None


async def test_poison_events_with_good_ones_between_them_are_parked_however_many() -> None:
    bad = range(0, SIZE, 2)
    bench = Bench(poison(*bad))
    await bench.meets(ZeroDivisionError, batch(0))
    await bench.handler(batch(0))
    assert bench.parked == list(bad)


@pytest.mark.parametrize(("in_a_row", "parked"), [(PARKED_IN_A_ROW, PARKED_IN_A_ROW), (PARKED_IN_A_ROW + 1, None)])
async def test_so_many_poison_events_in_a_row_are_parked_and_one_more_stops_the_partition(
    in_a_row: int, parked: int | None
) -> None:
    bench = Bench(poison(*range(5, 5 + in_a_row)))
    await bench.meets(ZeroDivisionError, batch(0))
    if parked is None:
        await bench.meets(Stop, batch(0))
    else:
        await bench.handler(batch(0))
        assert len(bench.parked) == parked


async def test_however_many_events_in_a_row_that_no_release_can_take_are_parked() -> None:
    bench = Bench(lambda one: Rejected("invalid_text", "a value contains a NUL character"))
    await bench.meets(Rejected, batch(0))
    await bench.handler(batch(0))
    assert bench.parked == list(range(SIZE))


@pytest.mark.parametrize("times", [ATTEMPTED - 1, ATTEMPTED])
async def test_what_others_are_in_the_way_of_is_tried_so_often_and_no_more(
    times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.attempts.ATTEMPTS", ATTEMPTED)
    waits = [Contended("a deadlock")] * times
    bench = Bench(lambda one: waits.pop() if waits else None)
    if times == ATTEMPTED:
        await bench.meets(Unavailable, batch(0, 3))
    else:
        await bench.handler(batch(0, 3))
    assert bench.tried == [3] * ATTEMPTED


async def test_an_event_of_a_batch_taken_apart_and_the_parking_of_one_are_tried_again_when_others_are_in_the_way() -> (
    None
):
    bench = Bench(poison(1))
    await bench.meets(ZeroDivisionError, batch(0, 3))
    waits: dict[str, list[Exception]] = {"0": [Contended("a deadlock")], "parking": [Contended("a deadlock")]}
    bench.fails = lambda one: waits["0"].pop() if waits["0"] and one.start == 0 else poison(1)(one)
    bench.parking = lambda: waits["parking"].pop() if waits["parking"] else None
    await bench.handler(batch(0, 3))
    assert (bench.tried, bench.parked) == ([3, 1, 1, 1, 1], [1])


@pytest.mark.parametrize("other", [{"partition": 1}, {"topic": "changes"}])
async def test_a_batch_is_taken_apart_for_no_failure_of_another_partition_or_topic(other: dict[str, Any]) -> None:
    bench = Bench(poison(2))
    await bench.meets(ZeroDivisionError, batch(0, 3))
    await bench.meets(ZeroDivisionError, batch(0, 3, **other))
    assert bench.parked == []


def test_the_parts_of_a_batch_follow_each_other_without_a_gap_up_to_its_end() -> None:
    """Offsets that hold no record, as after compaction, are passed over with the record before them."""
    records = [Record(offset, 1, b"", b"") for offset in (10, 11, 14)]
    whole = Batch("events", "id", 0, 9, 20, records)
    parts = [(one.start, one.until, [record.offset for record in one.records]) for one in singles(whole)]
    assert parts == [(9, 11, [10]), (11, 12, [11]), (12, 20, [14])]


async def test_a_batch_that_was_taken_apart_is_whole_again_when_it_comes_back() -> None:
    bench = Bench(poison(2))
    await bench.meets(ZeroDivisionError, batch(0, 3))
    await bench.handler(batch(0, 3))
    bench.fails = poison()
    await bench.handler(batch(0, 3))
    assert bench.tried == [3, 1, 1, 1, 3]


async def test_a_batch_that_begins_elsewhere_than_the_failed_one_is_applied_whole() -> None:
    bench = Bench(poison(2))
    await bench.meets(ZeroDivisionError, batch(0, 3))
    await bench.handler(batch(3, 2))
    assert bench.tried == [3, 2]


@pytest.mark.parametrize(
    ("met", "raised"),
    [
        (Contended("a deadlock"), Unavailable), (Unavailable("the database is away"), Unavailable),
        (Fenced("another worker has it"), Fenced), (Stop("a newer release"), Stop),
    ],
)  # fmt: skip
async def test_what_is_no_bug_parks_no_event_of_a_batch_that_is_taken_apart(
    met: Exception, raised: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.attempts.ATTEMPTS", 1)
    bench = Bench(poison(0))
    await bench.meets(ZeroDivisionError, batch(0, 3))
    bench.fails = lambda one: met
    await bench.meets(raised, batch(0, 3))
    assert bench.parked == []


async def test_a_batch_that_met_an_absent_server_is_tried_whole_again() -> None:
    bench = Bench(lambda one: Unavailable("the database is away"))
    await bench.meets(Unavailable, batch(0, 3))
    bench.fails = poison()
    await bench.handler(batch(0, 3))
    assert bench.tried == [3, 3]
