"""After a bug a batch is taken apart once; what is no bug parks nothing, then as before."""

from collections.abc import Callable

import pytest

from services.attempts import PARKED_IN_A_ROW, Attempts
from services.failures import Contended, Fenced, Unavailable
from services.log import Batch, Record, Stop
from services.metrics import Metrics

SIZE = 4 * PARKED_IN_A_ROW


def batch(start: int, size: int = SIZE) -> Batch:
    records = [Record(offset, 1, b"", b"") for offset in range(start, start + size)]
    return Batch("events", "id", 0, start, start + size, records)


class Bench:
    """`fails` says what a batch meets."""

    def __init__(self, fails: Callable[[Batch], Exception | None]) -> None:
        self.fails, self.tried, self.parked = fails, list[int](), list[int]()
        self.handler = Attempts(self._apply, self._park, Metrics())

    async def _apply(self, one: Batch) -> None:
        self.tried.append(len(one.records))
        if (error := self.fails(one)) is not None:
            raise error

    async def _park(self, one: Batch, error: BaseException) -> None:
        assert isinstance(error, ZeroDivisionError)
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
