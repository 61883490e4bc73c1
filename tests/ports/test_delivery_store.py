"""One contract of the queues of delivery, held by memory, SQLite and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from services.alerts.adapters.sql_deliveries import SqlDeliveryStore
from services.alerts.delivery.ports import DeliveryStore
from services.alerts.domain.delivering import Delivery, delivered, missed, refused
from services.failures import Fenced
from services.log import Move, Position
from tests.alerts.memory_deliveries import MemoryDeliveryStore
from tests.clocks import stores_ahead
from tests.ports.emptied import emptied


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[DeliveryStore]:
    if not store_url:
        yield MemoryDeliveryStore()
        return
    async with emptied(store_url, "counterpoint_alerts") as database:
        yield SqlDeliveryStore(database)


def delivery(delivery_id: str, **given: Any) -> Delivery:
    plain: dict[str, Any] = {
        "destination": "crm", "person": "M-1", "alert_id": "al_1", "happening": "routed", "step": 1, "body": b"\x00b",
        "created_at": 10, "next_at": 10,
    }  # fmt: skip
    return Delivery(delivery_id=delivery_id, **{**plain, "step": len(delivery_id), **given})


async def add(store: DeliveryStore, *deliveries: Delivery) -> None:
    async with store.accepting() as tx:
        await tx.add(deliveries)


async def advance(store: DeliveryStore, start: int, until: int) -> None:
    async with store.accepting() as tx:
        await tx.advance([Move("alerts", "id", 0, start, until)])


def ids(found: Sequence[Delivery]) -> list[str]:
    return [one.delivery_id for one in found]


async def test_a_position_moves_only_from_where_it_stands(store: DeliveryStore) -> None:
    await advance(store, 0, 5)
    with pytest.raises(Fenced):
        await advance(store, 0, 5)
    assert await store.positions("alerts", [0, 1]) == {0: Position("id", 5)}


async def test_what_is_queued_is_due_with_all_that_was_said(store: DeliveryStore) -> None:
    one = delivery("a", error="was away", attempts=2, tried_at=7)
    await add(store, one)
    assert await store.due("crm", 10, 5) == [one]
    assert await store.due("crm", 9, 5) == []
    assert await store.due("other", 10, 5) == []


async def test_the_same_step_is_queued_once(store: DeliveryStore) -> None:
    await add(store, delivery("a"))
    await store.settle([delivered(delivery("a"), 20)])
    await add(store, delivery("a"), delivery("bb"))
    assert {one.delivery_id: one.state for one in await store.find(None, None, 9)} == {
        "a": "delivered",
        "bb": "waiting",
    }


async def test_what_fails_leaves_neither_position_nor_queue(store: DeliveryStore) -> None:
    with pytest.raises(ZeroDivisionError):
        async with store.accepting() as tx:
            await tx.advance([Move("alerts", "id", 0, 0, 5)])
            await tx.add([delivery("a")])
            await tx.save_seen({"al_1": 3}, 10)
            raise ZeroDivisionError
    async with store.accepting() as tx:
        assert await tx.seen(["al_1"]) == {}
    assert await store.positions("alerts", [0]) == {}
    assert await store.find(None, None, 9) == []


async def test_how_many_steps_were_looked_at_is_remembered(store: DeliveryStore) -> None:
    async with store.accepting() as tx:
        await tx.save_seen({"al_1": 3, "al_2": 1}, 10)
        await tx.save_seen({"al_1": 4}, 11)
        assert await tx.seen(["al_1", "al_2", "al_3"]) == {"al_1": 4, "al_2": 1}


async def test_what_waits_longest_comes_first_and_of_the_same_time_by_person(store: DeliveryStore) -> None:
    await add(store, delivery("a", person="M-2"), delivery("bb"), delivery("ccc", next_at=9, person="M-3"))
    assert ids(await store.due("crm", 10, 9)) == ["ccc", "bb", "a"]
    assert ids(await store.due("crm", 10, 2)) == ["ccc", "bb"]


async def test_one_worker_at_a_time_speaks_to_a_destination(store: DeliveryStore) -> None:
    assert await store.lease("crm", "one", 60_000)
    assert not await store.lease("crm", "two", 60_000)
    assert await store.lease("crm", "one", 1)
    assert await store.lease("other", "two", 60_000)
    await asyncio.sleep(0.005)
    assert await store.lease("crm", "two", 60_000)


async def test_a_destination_that_was_leased_while_the_clock_was_ahead_is_free_once_it_is_right(
    store: DeliveryStore,
) -> None:
    with stores_ahead(hours=30):
        assert await store.lease("crm", "died then", 60_000)
    assert await store.lease("crm", "one", 60_000)
    assert not await store.lease("crm", "two", 60_000)


async def test_a_lease_is_let_go_by_its_owner_alone(store: DeliveryStore) -> None:
    for destination in ("crm", "mail"):
        await store.lease(destination, "one", 60_000)
    await store.release("crm", "two")
    assert not await store.lease("crm", "two", 60_000)
    await store.release("crm", "one")
    assert await store.lease("crm", "two", 60_000)
    assert not await store.lease("mail", "two", 60_000)


async def test_of_two_workers_that_reach_for_a_destination_one_gets_it(store: DeliveryStore) -> None:
    got = await asyncio.gather(*(store.lease("crm", name, 60_000) for name in ("one", "two", "three")))
    assert sorted(got) == [False, False, True]


async def test_what_became_of_a_message_is_kept(store: DeliveryStore) -> None:
    one, two, three = delivery("a"), delivery("bb"), delivery("ccc")
    await add(store, one, two, three)
    after = [delivered(one, 20), missed(two, "it answers 500", 0, 20), refused(three, "it answers 410", 20)]
    await store.settle(after)
    assert sorted(await store.find(None, None, 9), key=lambda one: one.delivery_id) == after
    assert await store.due("crm", 10**9, 9) == [after[1]]
    assert await store.count() == {("crm", "waiting"): 1, ("crm", "dead"): 1}


async def test_what_arrived_within_the_hour_is_counted_by_person(store: DeliveryStore) -> None:
    told = [delivery("a"), delivery("bb", person="M-2"), delivery("ccc"), delivery("dddd", destination="other")]
    await add(store, *told)
    await store.settle([delivered(one, 20 + n) for n, one in enumerate(told)])
    await add(store, never := delivery("eeeee"))
    await store.settle([refused(never, "it answers 410", 24)])
    assert await store.sent_since("crm", 20) == {"M-2": [21], "M-1": [22]}


async def test_what_ended_before_it_was_told_is_dropped_where_asked(store: DeliveryStore) -> None:
    tried, arrived = missed(delivery("bb"), "away", 0, 10), delivered(delivery("eeeee"), 20)
    others = delivery("ccc", destination="other"), delivery("dddd", alert_id="al_2")
    await add(store, delivery("a"), tried, arrived, *others)
    async with store.accepting() as tx:
        await tx.drop_untold(["al_1"], ["crm"], 30)
        await tx.drop_untold([], ["crm"], 30)
        await tx.drop_untold(["al_2"], [], 30)
    assert ids(await store.find("dropped", None, 9)) == ["a", "bb"]
    assert ids(await store.find("waiting", None, 9)) == ["ccc", "dddd"]


async def test_what_was_dropped_while_it_was_tried_waits_no_more_but_has_arrived_where_it_did(
    store: DeliveryStore,
) -> None:
    await add(store, delivery("a"), delivery("bb"))
    async with store.accepting() as tx:
        await tx.drop_untold(["al_1"], ["crm"], 30)
    await store.settle([missed(delivery("a"), "away", 0, 10), delivered(delivery("bb"), 20)])
    assert ids(await store.find("dropped", None, 9)) == ["a"]
    assert ids(await store.find("delivered", None, 9)) == ["bb"]


async def test_what_was_dropped_untold_waits_again_when_it_is_queued_again(store: DeliveryStore) -> None:
    await add(store, missed(delivery("a"), "away", 0, 10), delivery("b", alert_id="al_2"))
    async with store.accepting() as tx:
        await tx.drop_untold(["al_1"], ["crm"], 30)
    again = [
        delivery(name, alert_id=alert_id, step=4, next_at=50, created_at=40)
        for name, alert_id in (("a", "al_1"), ("b", "al_2"))
    ]
    await add(store, *again)
    waiting = {one.delivery_id: one for one in await store.find("waiting", None, 9)}
    assert waiting.keys() == {"a", "b"}
    assert waiting["a"] == again[0]
    assert waiting["b"].step != 4


async def test_what_is_dead_waits_again_when_an_operator_says_so(store: DeliveryStore) -> None:
    await add(store, delivery("a"), delivery("bb"), delivery("ccc"))
    await store.settle([refused(delivery(one), "it answers 410", 20) for one in ("a", "ccc")])
    assert await store.retry(["a", "bb", "nobody"], 50) == 1
    again = msgspec.structs.replace(delivery("a"), next_at=50, error="it answers 410")
    assert await store.due("crm", 50, 9) == [delivery("bb"), again]


async def test_what_ended_long_ago_is_forgotten_and_what_waits_is_not(store: DeliveryStore) -> None:
    await add(store, delivery("a"), delivery("bb"), delivery("ccc"))
    await store.settle([delivered(delivery("a"), 20), delivered(delivery("bb"), 30)])
    async with store.accepting() as tx:
        await tx.save_seen({"al_1": 3}, 20)
        await tx.save_seen({"al_2": 3}, 30)
    assert await store.drop(30) == 1
    assert ids(await store.find(None, None, 9)) == ["bb", "ccc"]
    async with store.accepting() as tx:
        assert await tx.seen(["al_1", "al_2"]) == {"al_2": 3}


@pytest.mark.parametrize("at_once", [1, 2, 3])
async def test_what_ended_long_ago_is_forgotten_some_at_a_time(
    store: DeliveryStore, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("services.alerts.adapters.sql_deliveries.DROPPED_AT_ONCE", at_once)
    every = [delivery("a" * length) for length in range(1, 6)]
    await add(store, *every)
    await store.settle([delivered(one, 20 + place) for place, one in enumerate(every)])
    async with store.accepting() as tx:
        await tx.save_seen({f"al_{number}": 3 for number in range(5)}, 20)
    assert await store.drop(24) == 4
    assert ids(await store.find(None, None, 9)) == ["aaaaa"]
    async with store.accepting() as tx:
        assert await tx.seen([f"al_{number}" for number in range(5)]) == {}


async def test_the_newest_are_found_first(store: DeliveryStore) -> None:
    await add(store, delivery("a"), delivery("bb", created_at=12), delivery("ccc", destination="other", created_at=11))
    assert ids(await store.find("waiting", None, 2)) == ["bb", "ccc"]
    assert ids(await store.find(None, "other", 2)) == ["ccc"]
