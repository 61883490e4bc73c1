"""The stored past comes back whole and in the order in which it happened, a day at a time."""

from pathlib import Path

import msgspec
import pytest

from schemas.codec import decode_event
from schemas.events import ChannelEvent
from schemas.identifiers import SUBJECT_LIMITS
from schemas.instants import DAY_MS, HOUR_MS
from services.cli.rules import past
from services.cli.rules.past import ClockOf, StoredPast
from services.profile.adapters.memory import MemoryProfileStore
from services.profile.domain.states.personal import is_reference
from services.profile.update import Update
from tests.ports.profile_stores import alias_of
from tests.profile.told import CATALOGUE, NOW, SECRET, batch, new_fold, paid, refer, told

MIDNIGHT = NOW - NOW % DAY_MS


def accepted(event: ChannelEvent, at: int) -> ChannelEvent:
    return msgspec.structs.replace(event, accepted_at=at)


# told late, and in another order than they happened
PAST = [
    accepted(paid("p-1", MIDNIGHT - 4 * DAY_MS, "6001"), MIDNIGHT + 9),
    accepted(paid("p-2", MIDNIGHT - DAY_MS + 5, "6002"), MIDNIGHT - 1),
    accepted(paid("p-3", MIDNIGHT - DAY_MS + 7, "6001"), MIDNIGHT),
    accepted(paid("p-4", MIDNIGHT - DAY_MS + 6, "6003"), MIDNIGHT + 8),
    accepted(paid("p-5", MIDNIGHT + 20, "6001"), MIDNIGHT + 20),
]


@pytest.fixture
def store() -> MemoryProfileStore:
    return MemoryProfileStore(alias_of)


async def keep(store: MemoryProfileStore, events: list[ChannelEvent]) -> None:
    await Update(store, new_fold(), CATALOGUE, SECRET, SUBJECT_LIMITS).apply([batch(0, events)], NOW)


async def days(of: StoredPast) -> list[list[tuple[int, ChannelEvent]]]:
    return [[(one.at, decode_event(one.event)) for one in day] async for day in of.happened()]


@pytest.mark.parametrize(
    ("clock", "order"),
    [("accepted", [["p-2"], ["p-3", "p-4", "p-1"]]), ("event", [["p-1"], ["p-2", "p-4", "p-3"]])],
)
async def test_what_happened_before_comes_in_the_order_of_the_clock_asked_for(
    store: MemoryProfileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: ClockOf, order: list[list[str]]
) -> None:
    monkeypatch.setattr(past, "ROWS_AT_ONCE", 2)
    await keep(store, PAST)
    stored, read = StoredPast(store, clock, tmp_path), list[int]()
    assert await stored.lay(MIDNIGHT + 20, read.append) == 4
    assert read == [2, 4, 5]
    found = await days(stored)
    assert [[event.id for _, event in day] for day in found] == order
    by_id = {event.id: event for event in PAST}
    for at, event in (one for day in found for one in day):
        sent = by_id[event.id]
        assert at == event.accepted_at == (sent.accepted_at if clock == "accepted" else sent.occurred_at)
        assert event == accepted(sent, at)


async def test_links_are_told_by_identifiers_as_they_came_and_those_erased_lead_nowhere(
    store: MemoryProfileStore, tmp_path: Path
) -> None:
    registered = told(
        "customer.registered", "r-1", MIDNIGHT, customer_no="77", phone="+8613912345678", email="erased@example.com",
        attributes={"kind": "person", "name": "Zhang Wei"},
    )  # fmt: skip
    changed = told("phone.changed", "c-1", MIDNIGHT + HOUR_MS, customer_no="77", phone="+8613912345679",
                   attributes={"former_phone": "+8613912345670"})  # fmt: skip
    bare = told("phone.changed", "c-2", MIDNIGHT + 2 * HOUR_MS, customer_no="77", phone="+8613912345677")
    await keep(store, [registered, changed, bare])
    async with store._tables.turn() as tables:
        row = tables.personal.get(refer("erased@example.com"))
        assert row is not None
        tables.personal.drop([row])
    stored = StoredPast(store, "accepted", tmp_path)
    await stored.lay(NOW + DAY_MS, lambda _: None)
    [day] = await days(stored)
    first, second, third = (event for _, event in sorted(day, key=lambda one: one[1].occurred_at))
    assert first.identifiers == registered.identifiers | {"email": refer("erased@example.com")}
    assert is_reference(msgspec.json.decode(first.attributes)["name"])
    assert (second.identifiers, second.attributes) == (changed.identifiers, changed.attributes)
    assert third == bare


async def test_a_past_in_which_nothing_happened_has_no_days(store: MemoryProfileStore, tmp_path: Path) -> None:
    stored = StoredPast(store, "accepted", tmp_path)
    assert await stored.lay(NOW, lambda _: None) == 0
    assert await days(stored) == []
