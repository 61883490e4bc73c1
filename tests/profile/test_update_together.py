"""Several partitions in one transaction: each still stands or falls by itself, and every event counts once."""

import asyncio
from collections.abc import Sequence
from functools import partial

import pytest

from schemas.events import ChannelEvent
from schemas.instants import DAY_MS
from services.attempts import Attempts
from services.failures import Contended, Fenced
from services.group_commit import GroupCommit
from services.log import Batch
from services.metrics import Metrics
from services.profile.update import Update
from tests.ports.profile_stores import Store, store
from tests.profile.test_update import letters, new_update, unlike
from tests.profile.test_update_poison import poisoned
from tests.profile.told import NOW, TOPIC, batch, opened, paid

__all__ = ["store"]
FIRST = NOW - 60 * DAY_MS
PARTITIONS = range(4)


def payments(partition: int, since: int = 0, count: int = 3) -> list[ChannelEvent]:
    """Of the partition's own account and customer."""
    own = [opened(f"600{partition}", f"7{partition}", FIRST)] if since == 0 else []
    return [*own, *(paid(f"p-{partition}-{n}", FIRST + n, f"600{partition}") for n in range(since, since + count))]


def batches(since: int = 0) -> list[Batch]:
    return [batch(since + (since > 0), payments(partition, since), partition) for partition in PARTITIONS]


def all_of(*told: Sequence[ChannelEvent]) -> list[ChannelEvent]:
    return [event for events in told for event in events]


async def standing(store: Store) -> dict[int, int]:
    return {place: one.next for place, one in (await store.positions(TOPIC, PARTITIONS)).items()}


def handler(update: Update) -> Attempts:
    async def apply(together: Sequence[Batch]) -> None:
        await update.apply(together, NOW)

    return Attempts(GroupCommit(apply, 1_000), partial(_park, update), Metrics())


async def _park(update: Update, one: Batch, error: BaseException) -> None:
    await update.park(one, error, NOW)


async def test_the_batches_of_several_partitions_become_visible_with_all_their_positions(store: Store) -> None:
    done = await new_update(store).apply(batches(), NOW)
    assert (done.applied, done.repeats) == (4 * len(PARTITIONS), 0)
    assert await standing(store) == dict.fromkeys(PARTITIONS, 4)
    assert await unlike(store, all_of(*map(payments, PARTITIONS))) == []


async def test_partitions_begun_before_and_new_ones_move_together(store: Store) -> None:
    update = new_update(store)
    await update.apply(batches()[:2], NOW)
    await update.apply([*batches(3)[:2], *batches()[2:]], NOW)
    assert await standing(store) == {0: 7, 1: 7, 2: 4, 3: 4}


@pytest.mark.parametrize(
    "wrong",
    [batch(7, payments(1, 8), 1), batch(5, payments(1, 8), 1), batch(4, payments(1, 8), 1)._replace(topic_id="other")],
)
async def test_nothing_of_any_partition_happens_where_one_of_them_is_fenced(store: Store, wrong: Batch) -> None:
    update = new_update(store)
    await update.apply(batches(), NOW)
    good = batches(3)
    with pytest.raises(Fenced):
        await update.apply([good[0], wrong, good[2], batch(0, [paid("p-9", FIRST, "6009")], 9)], NOW)
    assert await standing(store) == dict.fromkeys(PARTITIONS, 4)
    assert await store.positions(TOPIC, [9]) == {}
    assert await unlike(store, all_of(*map(payments, PARTITIONS))) == []


async def test_an_event_that_stands_in_two_partitions_counts_once(store: Store) -> None:
    event = paid("p-1", FIRST, "6001")
    done = await new_update(store).apply([batch(0, [event], 0), batch(0, [event], 1)], NOW)
    assert (done.applied, done.repeats) == (1, 1)
    assert await unlike(store, [event]) == []


async def test_what_is_fenced_takes_nobody_along(store: Store) -> None:
    update = new_update(store)
    await update.apply([batches()[1]], NOW)
    hand = handler(update)
    met = await asyncio.gather(*map(hand, batches()), return_exceptions=True)
    assert [type(one) for one in met] == [type(None), Fenced, type(None), type(None)]
    assert await unlike(store, all_of(*map(payments, PARTITIONS))) == []


async def test_a_poison_event_is_parked_by_its_own_partition_and_the_others_go_on(store: Store) -> None:
    update = new_update(store, poisoned("p-2-1"))
    hand = handler(update)
    met = await asyncio.gather(*map(hand, batches()), return_exceptions=True)
    assert [type(one) for one in met] == [type(None), type(None), ZeroDivisionError, type(None)]
    assert await standing(store) == {0: 4, 1: 4, 3: 4}
    again = [batches()[2], *(one for one in batches(3) if one.partition != 2)]
    await asyncio.gather(*map(hand, again))
    assert await standing(store) == {0: 7, 1: 7, 2: 4, 3: 7}
    [letter] = await letters(store)
    assert (letter.reason, letter.event_id) == ("bug", "p-2-1")
    kept = [event for event in payments(2) if event.id != "p-2-1"]
    assert await unlike(store, [*kept, *all_of(*(payments(one, 0, 6) for one in PARTITIONS if one != 2))]) == []


async def test_a_group_that_loses_its_locks_is_applied_partition_by_partition(store: Store) -> None:
    update = new_update(store)

    async def loses_in_company(together: Sequence[Batch]) -> None:
        if len(together) > 1:
            raise Contended("a deadlock")
        await update.apply(together, NOW)

    await asyncio.gather(*map(GroupCommit(loses_in_company, 1_000), batches()))
    assert await standing(store) == dict.fromkeys(PARTITIONS, 4)


async def test_two_workers_that_hold_the_same_partitions_count_every_event_once(store: Store) -> None:
    workers = [handler(new_update(store)) for _ in range(2)]
    met = await asyncio.gather(*(worker(one) for one in batches() for worker in workers), return_exceptions=True)
    assert [type(one) for one in met].count(type(None)) == len(PARTITIONS)
    assert {type(one) for one in met} == {type(None), Fenced}
    assert await standing(store) == dict.fromkeys(PARTITIONS, 4)
    assert await unlike(store, all_of(*map(payments, PARTITIONS))) == []
