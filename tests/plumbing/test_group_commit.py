"""What waits together is applied together, and each batch meets only what is its own."""

import asyncio
from collections.abc import Sequence

import pytest

from services.failures import Contended, Fenced, Unavailable
from services.group_commit import GroupCommit
from services.log import Batch, Record
from tests.patience import HANG_S


def batch(partition: int, size: int = 1) -> Batch:
    return Batch("topic", "id", partition, 0, size, [Record(offset, 0, b"", b"") for offset in range(size)])


class Applying:
    """Notes which partitions were applied together. Waits until it may `go_on`; raises what a partition `meets`."""

    def __init__(self, **meets: Exception) -> None:
        self.tried: list[list[int]] = []
        self.meets = {int(name.removeprefix("p")): error for name, error in meets.items()}
        self.begun, self.go_on = asyncio.Event(), asyncio.Semaphore(0)

    async def __call__(self, batches: Sequence[Batch]) -> None:
        partitions = [one.partition for one in batches]
        self.tried.append(partitions)
        self.begun.set()
        await self.go_on.acquire()
        for partition in partitions:
            if partition in self.meets:
                raise self.meets[partition]


async def outcomes(applying: Applying, *batches: Batch, most: int = 100) -> list[str]:
    """The first batch is being applied while the others come; what each met, or nothing."""
    handler = GroupCommit(applying, most)
    tasks = [asyncio.create_task(handler(batches[0]))]
    await applying.begun.wait()
    tasks += [asyncio.create_task(handler(one)) for one in batches[1:]]
    for _ in batches * 2:
        applying.go_on.release()
    met = await asyncio.gather(*tasks, return_exceptions=True)
    return [type(one).__name__ if one else "" for one in met]


async def test_batches_that_come_while_another_is_applied_go_together() -> None:
    applying = Applying()
    assert await outcomes(applying, *map(batch, range(5))) == [""] * 5
    assert applying.tried == [[0], [1, 2, 3, 4]]


async def test_a_group_has_at_most_so_many_records_and_a_larger_batch_goes_alone() -> None:
    applying = Applying()
    batches = [batch(0), batch(1, 4), batch(2, 6), batch(3, 1), batch(4, 50), batch(5, 1)]
    assert await outcomes(applying, *batches, most=10) == [""] * 6
    assert applying.tried == [[0], [1, 2], [3], [4], [5]]


async def test_what_is_handed_on_one_after_the_other_waits_for_its_company() -> None:
    applying = Applying()
    applying.go_on.release()
    handler = GroupCommit(applying, 100)
    await asyncio.gather(*(handler(batch(partition)) for partition in range(5)))
    assert applying.tried == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize("met", [Fenced("another worker"), Contended("a deadlock"), ZeroDivisionError("a bug")])
async def test_where_one_of_a_group_fails_each_is_applied_alone_and_the_others_go_on(met: Exception) -> None:
    applying = Applying(p2=met)
    assert await outcomes(applying, *map(batch, range(4))) == ["", "", type(met).__name__, ""]
    assert applying.tried == [[0], [1, 2, 3], [1], [2], [3]]


async def test_of_two_the_one_that_fails_leaves_the_other_alone() -> None:
    applying = Applying(p2=ZeroDivisionError("a bug"))
    assert await outcomes(applying, *map(batch, range(3))) == ["", "", "ZeroDivisionError"]
    assert applying.tried == [[0], [1, 2], [1], [2]]


async def test_a_server_that_is_away_is_away_for_all_of_a_group_and_not_asked_for_each() -> None:
    applying = Applying(p2=Unavailable("the database is away"))
    assert await outcomes(applying, *map(batch, range(4))) == ["", *["Unavailable"] * 3]
    assert applying.tried == [[0], [1, 2, 3]]


async def test_a_batch_given_up_while_it_waits_is_not_applied() -> None:
    applying = Applying()
    handler = GroupCommit(applying, 100)
    first = asyncio.create_task(handler(batch(0)))
    await applying.begun.wait()
    second, third = (asyncio.create_task(handler(batch(partition))) for partition in (1, 2))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    applying.go_on.release()
    applying.go_on.release()
    await asyncio.gather(first, third)
    assert applying.tried == [[0], [2]]


async def test_whoever_goes_along_with_a_batch_given_up_is_told_to_try_again() -> None:
    applying = Applying()
    handler = GroupCommit(applying, 100)
    first = asyncio.create_task(handler(batch(0)))
    await applying.begun.wait()
    leader, follower = (asyncio.create_task(handler(batch(partition))) for partition in (1, 2))
    await asyncio.sleep(0)
    applying.begun.clear()
    applying.go_on.release()
    await asyncio.gather(first, applying.begun.wait())
    leader.cancel()
    with pytest.raises(Contended):
        await follower
    assert leader.cancelled()
    applying.go_on.release()
    await handler(batch(2))
    assert applying.tried == [[0], [1, 2], [2]]


async def test_who_was_told_of_success_before_the_rest_were_given_up_is_not_told_again() -> None:
    applying = Applying(p2=ZeroDivisionError("a bug"))
    handler = GroupCommit(applying, 100)
    tasks = [asyncio.create_task(handler(batch(0)))]
    await applying.begun.wait()
    tasks += [asyncio.create_task(handler(batch(partition))) for partition in (1, 2, 3)]
    await asyncio.sleep(0)
    for _ in ("alone", "together", "the first of them alone"):
        applying.go_on.release()
    while applying.tried[-1] != [2]:  # noqa: ASYNC110 - what is tried sets no event
        await asyncio.sleep(0)
    tasks[1].cancel()
    done = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), HANG_S)
    assert [type(one).__name__ if one else "" for one in done] == ["", "CancelledError", "Contended", "Contended"]
