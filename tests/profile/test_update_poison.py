"""A bug must neither stop the bank nor lose an event: the poison event is set aside, and its replay takes it over."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from schemas.events import HEARTBEAT
from schemas.instants import DAY_MS
from services.attempts import ATTEMPTS, PARKED_IN_A_ROW, Attempts, singles
from services.failures import Contended, Fenced, Unavailable
from services.log import Batch, Position, Stop
from services.metrics import Metrics
from services.profile.update import Update
from tests.ports.profile_stores import Store, store
from tests.profile.test_update import Poisoned, letters, new_update, unlike
from tests.profile.told import CATALOGUE, NOW, TOPIC, TOPIC_ID, batch, new_fold, paid

__all__ = ["store"]
FIRST = NOW - 60 * DAY_MS
MIDNIGHT = NOW - NOW % DAY_MS + DAY_MS


def poisoned(*bad: str) -> Poisoned:
    fold = Poisoned(CATALOGUE, new_fold()._counting, new_fold().version - 1000)
    fold.bad = frozenset(bad)
    return fold


def attempts(update: Update, now: int = NOW) -> Attempts:
    async def apply(one: Batch) -> None:
        await update.apply([one], now)

    async def park(one: Batch, error: BaseException) -> None:
        await update.park(one, error, now)

    return Attempts(apply, park, Metrics())


async def fails_once_then_works(handler: Callable[[Batch], Awaitable[None]], one: Batch) -> None:
    with pytest.raises(ZeroDivisionError):
        await handler(one)
    await handler(one)


async def test_the_poison_event_is_parked_and_the_others_of_its_batch_are_applied(store: Store) -> None:
    events = [paid(f"p-{n}", FIRST + n, "6001") for n in range(5)]
    await fails_once_then_works(attempts(new_update(store, poisoned("p-2"))), batch(0, events))
    assert await unlike(store, [*events[:2], *events[3:]]) == []
    assert await store.positions(TOPIC, [0]) == {0: Position(TOPIC_ID, 5)}
    [letter] = await letters(store)
    assert (letter.reason, letter.event_id, letter.stage) == ("bug", "p-2", "update")
    assert letter.place is not None
    assert letter.place.offset == 2
    assert "ZeroDivisionError" in letter.message
    assert "a bug" not in letter.message


@pytest.mark.parametrize("accepted", [NOW, MIDNIGHT - 1_000, MIDNIGHT + 1_000])
@pytest.mark.parametrize("days_later", [0, 3])
async def test_the_replay_of_a_parked_event_takes_it_over_once(store: Store, accepted: int, days_later: int) -> None:
    poison = paid("p-1", FIRST, "6001", now=accepted)
    await fails_once_then_works(attempts(new_update(store, poisoned("p-1"))), batch(0, [poison]))
    later = accepted + days_later * DAY_MS
    replayed = paid("p-1", FIRST, "6001", now=later)
    mended = new_update(store)
    assert (await mended.apply([batch(1, [replayed, replayed])], later)).applied == 1
    assert (await mended.apply([batch(3, [poison])], later)).repeats == 1
    assert await unlike(store, [poison]) == []


@pytest.mark.parametrize("days_between", [0, 1, 2])
async def test_a_repeat_of_a_parked_event_is_parked_again_until_the_release_is_mended(
    store: Store, days_between: int
) -> None:
    first, again, last = (paid("p-1", FIRST, "6001", now=NOW + nth * days_between * DAY_MS) for nth in range(3))
    handler = attempts(new_update(store, poisoned("p-1")))
    await fails_once_then_works(handler, batch(0, [first]))
    await fails_once_then_works(handler, batch(1, [again]))
    assert (await new_update(store).apply([batch(2, [last])], NOW)).applied == 1
    assert await unlike(store, [first]) == []


@pytest.mark.parametrize(
    "broken", [{"attributes": b"no JSON"}, {"type": HEARTBEAT, "attributes": b'{"rhythm_ms": "often"}'}]
)
async def test_what_cannot_even_be_entered_in_the_ledger_is_parked_with_its_place(
    store: Store, broken: dict[str, Any]
) -> None:
    poison, sound = msgspec.structs.replace(paid("p-1", FIRST, "6001"), **broken), paid("p-2", FIRST, "6001")
    handler = attempts(new_update(store))
    with pytest.raises(ValueError, match="invalid"):
        await handler(batch(0, [poison, sound]))
    await handler(batch(0, [poison, sound]))
    [letter] = await letters(store)
    assert (letter.id, letter.reason, letter.body) == (f"{TOPIC}-{TOPIC_ID}-0-0", "bug", b"")
    assert await unlike(store, [sound]) == []
    assert await store.positions(TOPIC, [0]) == {0: Position(TOPIC_ID, 2)}


async def test_too_many_poison_events_in_a_row_stop_the_partition(store: Store) -> None:
    bad = [f"p-{n}" for n in range(PARKED_IN_A_ROW + 5)]
    events = [paid(name, FIRST, "6001") for name in bad]
    handler = attempts(new_update(store, poisoned(*bad)))
    with pytest.raises(ZeroDivisionError):
        await handler(batch(0, events))
    with pytest.raises(Stop, match="release"):
        await handler(batch(0, events))
    assert await store.positions(TOPIC, [0]) == {0: Position(TOPIC_ID, PARKED_IN_A_ROW)}


@pytest.mark.parametrize("away", [Unavailable("the database is away"), Fenced("another worker has it")])
async def test_a_server_that_is_away_parks_nothing(away: Exception) -> None:
    async def apply(one: Batch) -> None:
        raise away

    async def park(one: Batch, error: BaseException) -> None:
        raise AssertionError("nothing is wrong with the event")

    handler = Attempts(apply, park, Metrics())
    for _ in range(3):
        with pytest.raises(type(away)):
            await handler(batch(0, [paid("p-1", FIRST, "6001")]))


async def test_contention_is_tried_again_and_is_no_bug_of_the_event() -> None:
    tries = 0

    async def apply(one: Batch) -> None:
        nonlocal tries
        tries += 1
        if tries < ATTEMPTS:
            raise Contended("a deadlock")

    async def park(one: Batch, error: BaseException) -> None:
        raise AssertionError("nothing is wrong with the event")

    await Attempts(apply, park, Metrics())(batch(0, [paid("p-1", FIRST, "6001")]))
    assert tries == ATTEMPTS


async def test_who_loses_every_time_waits_as_for_a_server_that_is_away() -> None:
    async def apply(one: Batch) -> None:
        raise Contended("a deadlock")

    async def park(one: Batch, error: BaseException) -> None:
        raise AssertionError("nothing is wrong with the event")

    handler = Attempts(apply, park, Metrics())
    for _ in range(2):
        with pytest.raises(Unavailable):
            await handler(batch(0, [paid("p-1", FIRST, "6001")]))


def test_single_batches_move_the_position_exactly_as_far_over_gaps_as_the_whole() -> None:
    whole = batch(3, [b"a", b"b", b"c"])
    gapped = whole._replace(
        until=20, records=[record._replace(offset=5 + 4 * place) for place, record in enumerate(whole.records)]
    )
    assert [(one.start, one.until, len(one.records)) for one in singles(gapped)] == [(3, 6, 1), (6, 10, 1), (10, 20, 1)]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Contended("a deadlock"), "contended"),
        (Unavailable("the database is away"), "unavailable"),
        (Fenced("another worker has it"), "fenced"),
        (Stop("the topic was made anew"), "stopped"),
        (ZeroDivisionError(), "bug"),
    ],
)
async def test_a_failed_batch_is_counted_by_what_it_met(error: Exception, kind: str) -> None:
    async def apply(one: Batch) -> None:
        raise error

    async def park(one: Batch, error: BaseException) -> None:
        raise AssertionError("it has failed only once")

    metrics = Metrics()
    with pytest.raises((Unavailable, Fenced, Stop, ZeroDivisionError)):
        await Attempts(apply, park, metrics)(batch(0, [paid("p-1", FIRST, "6001")]))
    counted = metrics.registry.get_sample_value("counterpoint_batches_failed_total", {"topic": TOPIC, "kind": kind})
    assert counted == 1
