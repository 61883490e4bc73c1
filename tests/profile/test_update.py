"""One partition batch, one transaction: counted once, wholly or not at all, and every event is accounted for."""

from collections.abc import Sequence

import msgspec
import pytest

from schemas.codec import decode_dead_letter
from schemas.dead_letters import DeadLetter
from schemas.events import ChannelEvent
from schemas.identifiers import SUBJECT_LIMITS
from schemas.registry import MARKER
from services.failures import Fenced
from services.log import Position
from services.profile.domain.shards import SHARDS
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.state import State
from services.profile.outbox import DEAD_LETTER_LANE
from services.profile.ports.records import Mark
from services.profile.update import Update, Updated
from tests.ports.profile_stores import Store, store
from tests.profile.expected import differences, expected, held
from tests.profile.told import (
    CATALOGUE,
    NOW,
    SECRET,
    TOPIC,
    TOPIC_ID,
    batch,
    new_fold,
    opened,
    paid,
    told,
)

__all__ = ["store"]
DAY = 86_400_000
FIRST = NOW - 60 * DAY


class Poisoned(Fold):
    """A fold with a bug that one event meets."""

    bad: frozenset[str] = frozenset()

    def add(self, state: State, event: ChannelEvent, original: State | None = None) -> bool:
        if event.id in self.bad:
            raise ZeroDivisionError("a bug")
        return super().add(state, event, original)


def new_update(store: Store, fold: Fold | None = None) -> Update:
    return Update(store, fold or new_fold(), CATALOGUE, SECRET, SUBJECT_LIMITS)


async def letters(store: Store) -> list[DeadLetter]:
    return [decode_dead_letter(row.message.value) for row in await store.outbox(DEAD_LETTER_LANE, 1000)]


async def unlike(store: Store, events: Sequence[ChannelEvent]) -> list[str]:
    return differences(expected(events, new_fold()), await held(store))


async def test_events_are_folded_under_their_subjects_and_stand_in_the_timeline(store: Store) -> None:
    events = [opened("6001", "77", FIRST), paid("p-1", FIRST + DAY, "6001"), paid("p-2", FIRST + 40 * DAY, "6002")]
    done = await new_update(store).apply([batch(0, events)], NOW)
    assert done == Updated(applied=3, repeats=0, dead_letters=0, heartbeats=0, marked=3, accepted=(NOW, NOW, NOW))
    assert await unlike(store, events) == []
    assert await store.positions(TOPIC, [0]) == {0: Position(TOPIC_ID, 3)}


async def test_a_batch_that_was_applied_is_fenced_the_second_time(store: Store) -> None:
    events = [paid("p-1", FIRST, "6001")]
    update = new_update(store)
    await update.apply([batch(0, events)], NOW)
    with pytest.raises(Fenced):
        await update.apply([batch(0, events)], NOW)
    assert await unlike(store, events) == []


async def test_a_skipped_batch_is_fenced(store: Store) -> None:
    update = new_update(store)
    await update.apply([batch(0, [paid("p-1", FIRST, "6001")])], NOW)
    with pytest.raises(Fenced):
        await update.apply([batch(2, [paid("p-3", FIRST, "6001")])], NOW)


async def test_a_transaction_that_fails_leaves_no_trace(store: Store) -> None:
    fold = Poisoned(CATALOGUE, new_fold()._counting, 1)
    fold.bad = frozenset({"p-2"})
    paid_twice = paid("p-1", FIRST, "6001"), paid("p-2", FIRST, "6002")
    events: list[ChannelEvent | bytes] = [opened("6001", "77", FIRST), b"no avro", *paid_twice]
    with pytest.raises(ZeroDivisionError):
        await new_update(store, fold).apply([batch(0, events)], NOW)
    assert await unlike(store, []) == []
    assert await store.positions(TOPIC, [0]) == {}
    assert set((await store.counts()).values()) == {0}
    assert await letters(store) == []


async def test_a_repeat_counts_once_whether_in_one_batch_or_days_later(store: Store) -> None:
    event = paid("p-1", FIRST, "6001")
    update = new_update(store)
    assert (await update.apply([batch(0, [event, event])], NOW)).repeats == 1
    later = paid("p-1", FIRST, "6001", now=NOW + 5 * DAY)
    assert await update.apply([batch(2, [later])], NOW + 5 * DAY) == Updated(0, 1, 0, 0, 0)
    assert await unlike(store, [event]) == []


async def test_the_same_id_of_another_source_is_another_event(store: Store) -> None:
    events = [paid("p-1", FIRST, "6001"), paid("p-1", FIRST, "6001", source="atm")]
    assert (await new_update(store).apply([batch(0, events)], NOW)).applied == 2
    assert await unlike(store, events) == []


async def test_the_same_id_with_other_content_is_a_dead_letter(store: Store) -> None:
    first, other = paid("p-1", FIRST, "6001", 1_000), paid("p-1", FIRST, "6001", 2_000)
    update = new_update(store)
    assert await update.apply([batch(0, [first, other])], NOW) == Updated(1, 0, 1, 0, 1, (NOW,))
    assert await update.apply([batch(2, [other, first])], NOW) == Updated(0, 1, 1, 0, 0)
    assert {(one.reason, one.event_id, one.source) for one in await letters(store)} == {("conflict", "p-1", "core")}
    assert await unlike(store, [first]) == []


async def test_each_other_content_under_one_id_is_a_letter_of_its_own(store: Store) -> None:
    first, *others = [paid("p-1", FIRST, "6001", cents) for cents in (1_000, 2_000, 3_000)]
    again = paid("p-1", FIRST + 1, "6001", 3_000, now=NOW + 1)
    assert (await new_update(store).apply([batch(0, [first, *others, again])], NOW)).dead_letters == 3
    told = {msgspec.json.decode(one.body)["amount"]["minor"] for one in await letters(store)}
    assert (told, len({one.id for one in await letters(store)})) == ({2_000, 3_000}, 2)


async def test_a_client_that_sets_its_clock_anew_on_each_try_makes_no_conflict(store: Store) -> None:
    tries = [paid("p-1", FIRST, "6001"), paid("p-1", FIRST + 2_000, "6001", now=NOW + 2_000)]
    assert await new_update(store).apply([batch(0, tries)], NOW) == Updated(1, 1, 0, 0, 1, (NOW,))


@pytest.mark.parametrize(
    ("value", "reason", "remedy"),
    [
        (b"no avro", "not_avro", "send it by HTTP."),
        (MARKER + b"12345678rest", "unknown_schema", "upgrade the workers and replay the letter."),
        (b"", "not_avro", "send it by HTTP."),
    ],
)
async def test_what_nobody_can_read_is_a_dead_letter_and_the_stream_goes_on(
    store: Store, value: bytes, reason: str, remedy: str
) -> None:
    events = [paid("p-1", FIRST, "6001"), paid("p-2", FIRST, "6001")]
    done = await new_update(store).apply([batch(0, [events[0], value, events[1]])], NOW)
    assert (done.applied, done.dead_letters) == (2, 1)
    [letter] = await letters(store)
    assert (letter.reason, letter.body, letter.length) == (reason, b"", len(value))
    assert letter.message.endswith(remedy)
    assert letter.place is not None
    assert (letter.place.topic, letter.place.partition, letter.place.offset) == (TOPIC, 0, 1)
    assert await unlike(store, events) == []


async def test_a_truncated_record_is_a_dead_letter(store: Store) -> None:
    whole = batch(0, [paid("p-1", FIRST, "6001")]).records[0].value
    assert (await new_update(store).apply([batch(0, [whole[:-3], whole])], NOW)).dead_letters == 1
    assert [one.reason for one in await letters(store)] == ["corrupt"]


async def test_every_accepted_event_is_applied_a_repeat_or_a_dead_letter(store: Store) -> None:
    beat = told("source.heartbeat", "beat@0", NOW, attributes={})
    payments = [paid(f"p-{place}", FIRST + place * DAY, f"600{place % 3}") for place in range(10)]
    sent: list[ChannelEvent | bytes] = [*payments, *payments[:4], paid("p-1", FIRST, "6001", 77), b"nonsense", beat]
    done = await new_update(store).apply([batch(0, sent)], NOW)
    assert done.applied + done.repeats + done.dead_letters + done.heartbeats == len(sent)
    assert done == Updated(10, 4, 2, 1, 3, (NOW,) * 10)
    assert await unlike(store, payments) == []


async def test_a_heartbeat_tells_of_its_source_and_never_enters_the_timeline(store: Store) -> None:
    beat = told("source.heartbeat", "beat@0", NOW - 5, attributes={})
    await new_update(store).apply([batch(0, [beat, beat])], NOW)
    assert [(seen.source, seen.partition) for seen in await store.sources_seen()] == [("core", 0)]
    assert await unlike(store, []) == []


async def test_personal_values_stay_out_of_states_and_timeline(store: Store) -> None:
    registered = told(
        "customer.registered", "r-1", FIRST, customer_no="77", phone="+8613912345678",
        attributes={"kind": "person", "name": "Zhang Xiaoming"},
    )  # fmt: skip
    await new_update(store).apply([batch(0, [registered])], NOW)
    found = await held(store)
    async with store.updating() as tx:
        rows = [row async for row in tx.timeline_of("party:77")]
    kept = b"".join([*(state for states in found.states.values() for state in states), *(row.event for row in rows)])
    assert b"Zhang" not in kept
    assert b"13912345678" not in kept


async def test_marks_name_the_oldest_event_behind_them(store: Store) -> None:
    events = [paid("p-1", FIRST, "6001", now=NOW - 50), paid("p-2", FIRST, "6001", now=NOW - 90)]
    await new_update(store).apply([batch(0, events)], NOW)
    assert sum((await store.marks_waiting()).values()) == 1


async def test_marks_of_urgent_events_go_ahead_wherever_the_customer_stands(store: Store) -> None:
    said = {"case_kind": "complaint"}
    complaint = told("case.opened", "e-1", FIRST, case_id="c-1", customer_no="77", attributes=said, now=NOW - 50)
    events = [
        opened("6001", "77", FIRST), opened("6002", "78", FIRST), paid("p-1", FIRST, "6001", now=NOW - 90),
        paid("p-2", FIRST, "6001", 5_000_000, now=NOW - 60), complaint,
    ]  # fmt: skip
    await new_update(store).apply([batch(0, events)], NOW)
    async with store.refreshing() as tx:
        taken = await tx.take_marks(range(SHARDS), 9)
    assert [one for one in taken if one.root.startswith("party:")] == [
        Mark("party:77", NOW - 90, NOW - 60),
        Mark("party:78", NOW),
    ]
