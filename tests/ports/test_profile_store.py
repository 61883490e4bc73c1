"""The contract of the profile's store: one partition batch is one transaction."""

from typing import Any

import pytest

from schemas.instants import DAY_MS
from services.failures import Fenced
from services.log import Move, Position
from services.outbox import OutboxMessage
from services.profile.domain.customers.freshness import SourceSeen
from services.profile.domain.letters import ACCEPT
from services.profile.domain.states.packing import NO_HEADS
from services.profile.ports.records import LedgerEntry, Mark, StoredDeadLetter, StoredSubject
from tests.ports.profile_stores import Store, event, store

__all__ = ["store"]
KEY, OTHER, CONTENT, CHANGED = b"k" * 16, b"o" * 16, b"content.", b"changed."


async def enter(store: Store, *entries: LedgerEntry) -> dict[bytes, bytes]:
    async with store.updating() as tx:
        return dict(await tx.enter_ledger(entries))


async def park(store: Store, day: int = 20_000) -> None:
    async with store.updating() as tx:
        await tx.park([(KEY, day), (OTHER, day)])


async def lock(store: Store, subject: str, *months: int) -> StoredSubject:
    async with store.updating() as tx:
        return (await tx.lock_subjects({subject: frozenset(months)}))[subject]


async def save(store: Store, changed: StoredSubject) -> None:
    async with store.updating() as tx:
        await tx.lock_subjects({changed.subject: frozenset()})
        await tx.save_subjects([changed])


async def test_a_position_moves_from_where_it_stands(store: Store) -> None:
    for start, until in ((0, 10), (10, 11), (11, 40)):
        async with store.updating() as tx:
            await tx.advance([Move("events", "id-1", 3, start, until)])
    assert await store.positions("events", [3, 4]) == {3: Position("id-1", 40)}


@pytest.mark.parametrize(("topic_id", "start"), [("id-1", 9), ("id-1", 11), ("id-2", 10)])
async def test_a_batch_that_does_not_begin_where_the_position_stands_is_fenced(
    store: Store, topic_id: str, start: int
) -> None:
    async with store.updating() as tx:
        await tx.advance([Move("events", "id-1", 3, 0, 10)])
    with pytest.raises(Fenced):
        async with store.updating() as tx:
            await tx.advance([Move("events", topic_id, 3, start, 50)])
    assert await store.positions("events", [3]) == {3: Position("id-1", 10)}


async def test_a_partition_may_begin_after_offset_zero(store: Store) -> None:
    async with store.updating() as tx:
        await tx.advance([Move("events", "id-1", 0, 700, 710)])
    assert await store.positions("events", [0]) == {0: Position("id-1", 710)}


async def test_an_exception_undoes_everything_of_a_batch(store: Store) -> None:
    with pytest.raises(RuntimeError):
        async with store.updating() as tx:
            await tx.advance([Move("events", "id-1", 0, 0, 10)])
            await tx.enter_ledger([LedgerEntry(KEY, CONTENT, 20_000)])
            locked = await tx.lock_subjects({"account:1": frozenset({5})})
            await tx.save_subjects(list(locked.values()))
            await tx.append_timeline([event("account:1", 5, "a")])
            await tx.mark([Mark("account:1", 5)])
            await tx.send({"lane": [OutboxMessage("topic", b"key", b"value")]}, 1)
            raise RuntimeError("the worker is ill")
    assert await store.positions("events", [0]) == {}
    assert set((await store.counts()).values()) == {0}
    assert await store.outbox("lane", 10) == []
    assert await enter(store, LedgerEntry(KEY, CONTENT, 20_000)) == {}


async def test_a_repeat_is_told_with_the_content_that_came_first(store: Store) -> None:
    assert await enter(store, LedgerEntry(KEY, CONTENT, 20_000), LedgerEntry(OTHER, CONTENT, 20_000)) == {}
    assert await enter(store, LedgerEntry(KEY, CHANGED, 20_000)) == {KEY: CONTENT}
    assert await enter(store, LedgerEntry(KEY, CHANGED, 20_003)) == {KEY: CONTENT}


@pytest.mark.parametrize("days_later", [-3, -1, 0, 1, 7])
async def test_a_repeat_is_known_for_seven_days_and_by_a_clock_that_is_behind(store: Store, days_later: int) -> None:
    await enter(store, LedgerEntry(KEY, CONTENT, 20_000))
    assert await enter(store, LedgerEntry(KEY, CONTENT, 20_000 + days_later)) == {KEY: CONTENT}


async def test_around_midnight_an_entry_stands_on_both_days(store: Store) -> None:
    await enter(store, LedgerEntry(KEY, CONTENT, 20_000, 20_001))
    await store.drop_ledgers(20_001)
    assert await store.ledger_days() == [20_001]
    assert await enter(store, LedgerEntry(KEY, CONTENT, 20_001)) == {KEY: CONTENT}


async def test_dropped_days_are_forgotten(store: Store) -> None:
    await enter(store, LedgerEntry(KEY, CONTENT, 20_000))
    assert await store.drop_ledgers(20_001) == [20_000]
    assert await enter(store, LedgerEntry(KEY, CHANGED, 20_001)) == {}


async def test_an_old_event_is_known_from_the_timeline_when_the_ledger_has_forgotten_it(store: Store) -> None:
    old = event("account:1", 19_000 * DAY_MS, "old")
    async with store.updating() as tx:
        await tx.append_timeline([old])
    entry = LedgerEntry(old.key, CONTENT, 20_000, None, old.subject, old.occurred_at)
    assert await enter(store, entry, LedgerEntry(OTHER, CONTENT, 20_000, None, "account:1", 0)) == {old.key: CONTENT}


@pytest.mark.parametrize(
    ("key", "subject", "later"), [(OTHER, "account:1", 0), (KEY, "account:2", 0), (KEY, "account:1", 1)]
)
async def test_another_event_of_that_subject_or_time_is_no_repeat_of_an_old_one(
    store: Store, key: bytes, subject: str, later: int
) -> None:
    old = event("account:1", 19_000 * DAY_MS, "old")._replace(key=KEY)
    async with store.updating() as tx:
        await tx.append_timeline([old])
    assert await enter(store, LedgerEntry(key, CONTENT, 20_000, None, subject, old.occurred_at + later)) == {}


async def test_a_parked_event_is_taken_over_once(store: Store) -> None:
    await enter(store, LedgerEntry(KEY, CONTENT, 20_000, 20_001))
    await park(store)
    assert await enter(store, LedgerEntry(KEY, CHANGED, 20_003)) == {}
    assert await enter(store, LedgerEntry(KEY, CONTENT, 20_003)) == {KEY: CHANGED}


@pytest.mark.parametrize("later", [20_000, 20_001, 20_002, 20_005])
async def test_an_event_that_is_parked_again_can_be_taken_over_again(store: Store, later: int) -> None:
    await enter(store, LedgerEntry(KEY, CONTENT, 20_000))
    await park(store)
    assert await enter(store, LedgerEntry(KEY, CHANGED, later)) == {}
    await park(store, later)
    assert await enter(store, LedgerEntry(KEY, CONTENT, later + 1)) == {}
    assert await enter(store, LedgerEntry(KEY, CHANGED, later + 1)) == {KEY: CONTENT}


async def test_parking_what_nobody_entered_does_nothing(store: Store) -> None:
    await park(store)
    assert await enter(store, LedgerEntry(KEY, CONTENT, 20_000)) == {}


async def test_a_subject_never_seen_stands_for_itself(store: Store) -> None:
    assert await lock(store, "account:1", 4) == StoredSubject("account:1", 0, 0, [], ["account:1"], NO_HEADS, {})


async def test_a_saved_subject_comes_back_with_the_months_asked_for(store: Store) -> None:
    fresh = await lock(store, "account:1")
    fresh.heads, fresh.cuts, fresh.roots = b"heads", [-5, 70], ["party:1", "party:2"]
    fresh.months = {3: b"march", 4: b"april"}
    fresh.fold_version = 2
    await save(store, fresh)
    again = await lock(store, "account:1", 4, 9)
    assert (again.version, again.fold_version, again.cuts, again.roots) == (1, 2, [-5, 70], ["party:1", "party:2"])
    assert (again.heads, again.months) == (b"heads", {4: b"april"})


async def test_a_subject_is_written_only_at_the_version_that_was_read(store: Store) -> None:
    fresh = await lock(store, "account:1")
    await save(store, fresh)
    with pytest.raises(Fenced):
        await save(store, fresh)


async def test_an_older_fold_never_writes_over_a_newer_one(store: Store) -> None:
    fresh = await lock(store, "account:1")
    fresh.fold_version = 7
    await save(store, fresh)
    again = await lock(store, "account:1")
    again.fold_version = 6
    with pytest.raises(Fenced):
        await save(store, again)


async def test_the_timeline_of_a_subject_is_told_oldest_first(store: Store) -> None:
    rows = [event("account:1", 30, "c"), event("account:1", 10, "b"), event("account:2", 5, "d")]
    async with store.updating() as tx:
        await tx.append_timeline(rows)
        await tx.append_timeline([event("account:1", 10, "a")])
        assert [row.key[:1] async for row in tx.timeline_of("account:1")] == [b"a", b"b", b"c"]
        assert [row async for row in tx.timeline_of("account:2")] == [rows[2]]


async def test_personal_values_are_kept_once_and_found_by_whom_they_were_told_of(store: Store) -> None:
    async with store.updating() as tx:
        await tx.save_personal({"r1": "Li Wei", "r2": "x"}, {("r1", "party:1"), ("r1", "party:3"), ("r2", "account:1")})
        await tx.save_personal({"r1": "another"}, {("r1", "party:2")})
    assert await store.personal(["r1", "r9"]) == {"r1": "Li Wei"}
    assert await store.parties_told("r1", 10) == ["party:1", "party:2", "party:3"]
    assert await store.parties_told("r2", 10) == []


async def test_a_value_is_forgotten_with_the_last_subject_that_tells_of_it(store: Store) -> None:
    async with store.updating() as tx:
        await tx.lock_subjects(dict.fromkeys(["party:1", "party:2", "account:1"], frozenset()))
        told = {("r1", "party:1"), ("r1", "party:2"), ("r2", "party:1"), ("r3", "account:1"), ("r3", "party:1")}
        await tx.save_personal({"r1": "Li Wei", "r2": "x", "r3": "y"}, told)
    async with store.updating() as tx:
        await tx.erase_personal(["account:1", "party:1"], 7)
    assert await store.personal(["r1", "r2", "r3"]) == {"r1": "Li Wei"}
    assert await store.personal(["r1"], ["party:1"]) == {}
    assert await store.personal(["r1"], ["party:1", "party:2"]) == {"r1": "Li Wei"}
    assert await store.parties_told("r1", 10) == ["party:2"]


async def test_when_a_subject_was_erased_is_told_to_all_who_read_it_and_never_earlier(store: Store) -> None:
    for at in (7, 5):
        async with store.updating() as tx:
            row = (await tx.lock_subjects({"party:1": frozenset()}))["party:1"]
            await tx.save_subjects([row])
            await tx.erase_personal(["party:1"], at)
    assert await store.erased(["party:1", "party:2"]) == {"party:1": 7}
    async with store.updating() as tx:
        locked = await tx.lock_subjects(dict.fromkeys(["party:1", "party:2"], frozenset({3})))
    assert [locked[one].erased_at for one in ("party:1", "party:2")] == [7, 0]
    async with store.refreshing() as tx:
        [member] = (await tx.members(["party:1"]))["party:1"]
        assert await tx.erased(["party:1", "party:2"]) == {"party:1": 7}
    assert (member.stored.erased_at, member.stored.version) == (7, 2)


@pytest.mark.parametrize("at_once", [1, 3, 1_000])
async def test_what_ingest_refused_of_a_subject_is_emptied_and_other_letters_stay(
    store: Store, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    bodies = {
        "a": (ACCEPT, b'{"identifiers": {"customer_no": " 7 "}, "attributes": {"name": "Li Wei"}}'),
        "b": (ACCEPT, b'{"identifiers": {"account_no": 60}}'),
        "c": (ACCEPT, b'{"identifiers": {"account_no": "7"}}'),
        "d": (ACCEPT, b'{"identifiers": ["7"], "actor": {"customer_no": "7"}}'),
        "e": ("update", b'{"identifiers": {"customer_no": "7"}}'),
        "f": (ACCEPT, b"{aaaa"),
        "g": (ACCEPT, b"[7]"),
    }
    letters = [StoredDeadLetter(name, 5, stage, "core", "r", "", "m", None, body, 2, "ab")
               for name, (stage, body) in bodies.items()]  # fmt: skip
    async with store.updating() as tx:
        await tx.keep_dead_letters(letters)
    monkeypatch.setattr("services.profile.adapters.sql_personal.LETTERS_AT_ONCE", at_once)
    await store.forget_letters({"party:7", "account:60"})
    kept = {one.letter_id for one in await store.dead_letters(10, "open") if one.body}
    assert kept == {"c", "e", "f", "g"}


async def test_sources_are_remembered_by_their_furthest(store: Store) -> None:
    for heartbeat_at, accepted_at in ((5, 50), (9, 40), (2, 60)):
        async with store.updating() as tx:
            await tx.note_sources([SourceSeen("core", "corebank", 1, heartbeat_at, accepted_at)])
    assert await store.sources_seen() == [SourceSeen("core", "corebank", 1, 9, 60)]


async def test_the_terms_of_a_source_are_those_told_last(store: Store) -> None:
    for terms in ((500, 5, True), (400, 4, False), (0, 0, True)):
        async with store.updating() as tx:
            await tx.note_sources([SourceSeen("core", "corebank", 1, 9, 60, *terms)])
    assert await store.sources_seen() == [SourceSeen("core", "corebank", 1, 9, 60, 400, 4, False)]


async def test_staff_is_told_to_the_refresh(store: Store) -> None:
    async with store.updating() as tx:
        await tx.put_staff("m1", {"left": 5})
        await tx.put_staff("m1", {"left": 6, "successor": "m2"})
    async with store.refreshing() as tx:
        assert await tx.staff() == {"m1": {"left": 6, "successor": "m2"}}


async def test_what_is_told_of_a_manager_meanwhile_the_next_refresh_knows(store: Store) -> None:
    async with store.refreshing() as tx:
        assert await tx.staff() == {}
    told: list[dict[str, Any]] = [{"m1": {}}, {"m1": {}, "m2": {}}, {"m1": {"left": 5}, "m2": {}}, {"m1": {}, "m2": {}}]
    for staff in told:
        async with store.updating() as tx:
            for manager, record in staff.items():
                await tx.put_staff(manager, record)
        for _ in range(2):
            async with store.refreshing() as tx:
                assert await tx.staff() == staff


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_staff_that_is_known_is_not_read_again(store: Store) -> None:
    async with store.updating() as update:
        await update.put_staff("m1", {"left": 5})
    async with store.refreshing() as tx:
        known = await tx.staff()
    async with store.refreshing() as tx:
        assert await tx.staff() is known
