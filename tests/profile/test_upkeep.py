"""What is old is put away, and nobody sees a difference: states, rebuilds, cuts, and events that come meanwhile."""

from collections.abc import Mapping
from typing import cast

import pytest

from schemas.events import ChannelEvent
from schemas.identifiers import SUBJECT_LIMITS
from schemas.instants import DAY_MS
from services.failures import Fenced
from services.log import EventLog, Position, Record, Stop
from services.profile.domain.ledger import DAYS_KEPT
from services.profile.domain.states.base import horizon
from services.profile.domain.states.fold import CODE_VERSION, VERSIONS_APART
from services.profile.domain.states.packing import unpack
from services.profile.domain.states.periods import first_day_of, month_of
from services.profile.domain.states.state import MONTHS_KEPT
from services.profile.ports.records import LedgerEntry, Placement, StoredDeadLetter
from services.profile.rebuild import rebuild
from services.profile.update import Update
from services.profile.upkeep import REPLAYED_KEPT_DAYS, Kept, Upkeep
from tests.ports.profile_stores import Store, store
from tests.profile.expected import Held, differences, expected, held
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
LONG_AGO = NOW - 1_000 * DAY_MS
NEWER = CODE_VERSION * VERSIONS_APART + 999


class Log:
    """As much of a log as upkeep asks. `waiting_since`: of partitions from 1 on, each with one record that waits; 0: it
    cannot be read."""

    def __init__(self, *waiting_since: int) -> None:
        self.since = dict(enumerate(waiting_since, 1))

    async def topic_id(self, topic: str) -> str:
        return TOPIC_ID

    async def ends(self, topic: str) -> Mapping[int, tuple[int, int]]:
        return {0: (0, 5)} | dict.fromkeys(self.since, (0, 1))

    async def record(self, topic: str, partition: int, offset: int) -> Record | None:
        assert (partition in self.since, offset) == (True, 0)
        since = self.since[partition]
        return Record(0, since, b"", b"") if since else None


def new_upkeep(store: Store, log: Log | None = None, version: int | None = None) -> Upkeep:
    fold = new_fold() if version is None else new_fold(version)
    return Upkeep(store, cast(EventLog, log or Log()), fold, 25, 20, _no_pause)


async def _no_pause() -> None:
    return None


class Bank:
    """Applies events as they were accepted then, and remembers them."""

    def __init__(self, store: Store) -> None:
        self.store, self.sent = store, list[ChannelEvent]()

    async def tell(self, events: list[ChannelEvent], version: int | None = None) -> None:
        fold = new_fold() if version is None else new_fold(version)
        update = Update(self.store, fold, CATALOGUE, SECRET, SUBJECT_LIMITS)
        await update.apply([batch(len(self.sent), list(events))], NOW)
        self.sent += events

    async def unlike(self) -> list[str]:
        """The timeline aside: that is what ages."""
        wanted, found = expected(self.sent, new_fold()), await held(self.store)
        return differences(_states(wanted), _states(found))


def _states(held: Held) -> Held:
    return held._replace(timeline=set())


def history(account: str) -> list[ChannelEvent]:
    """Of three years, each accepted when it happened."""
    times = {day: LONG_AGO + day * DAY_MS for day in range(0, 1_000, 40)}
    return [paid(f"{account}-{day}", at, account, 1_000 + day, now=at + 5) for day, at in times.items()]


async def kept_events(store: Store) -> int:
    return (await store.counts())["events"]


async def test_old_events_leave_the_timeline_and_no_state_changes(store: Store) -> None:
    bank = Bank(store)
    await bank.tell([opened("1", "77", LONG_AGO, now=LONG_AGO), *history("1"), *history("2")])
    before = await held(store)
    done = await new_upkeep(store).apply(NOW)
    assert done.events == 2 * 7 + 1
    assert await kept_events(store) == 51 - done.events
    assert differences(_states(before), _states(await held(store))) == []
    assert await new_upkeep(store).apply(NOW) == Kept()


async def test_a_rebuild_after_ageing_gives_the_same_state(store: Store) -> None:
    bank = Bank(store)
    await bank.tell(history("1"))
    await new_upkeep(store).apply(NOW)
    await bank.tell([paid("late", LONG_AGO + DAY_MS, "1"), paid("new", NOW - 1, "1")])
    newer = new_fold(999)
    assert await rebuild(store, newer) == 1
    assert await bank.unlike() == []
    assert await store.count_behind(newer.version) == 0


async def test_a_subject_of_which_everything_has_aged_is_rebuilt_too(store: Store) -> None:
    bank = Bank(store)
    await bank.tell(history("1")[:5])
    await new_upkeep(store).apply(NOW)
    assert await kept_events(store) == 0
    assert await rebuild(store, new_fold(999)) == 1
    assert await bank.unlike() == []


async def test_an_event_on_a_state_of_an_older_fold_finds_what_has_aged(store: Store) -> None:
    bank = Bank(store)
    await bank.tell(history("1"))
    await new_upkeep(store).apply(NOW)
    await bank.tell([paid("new", NOW - 1, "1")], version=999)
    assert await bank.unlike() == []


async def test_a_link_that_begins_later_cuts_what_has_aged_where_it_can(store: Store) -> None:
    """The account changed hands after everything that has aged, and what aged in segments stays in them."""
    first = told(
        "holder.added", "h-1", LONG_AGO - DAY_MS, account_no="1", customer_no="77", now=LONG_AGO,
        attributes={"role": "owner"},
    )  # fmt: skip
    bank = Bank(store)
    await bank.tell([first, *history("1")])
    await new_upkeep(store).apply(NOW)
    left = told("holder.removed", "h-2", NOW - 9 * DAY_MS, account_no="1", customer_no="77")
    await bank.tell([left, paid("after", NOW - 1, "1")])
    assert await bank.unlike() == []


async def test_history_that_was_told_lately_stays_in_the_timeline(store: Store) -> None:
    """A link that comes later must find it, and so must its repeats."""
    bank = Bank(store)
    await bank.tell([paid("old", LONG_AGO, "1", now=NOW)])
    assert (await new_upkeep(store).apply(NOW)).events == 0
    assert await kept_events(store) == 1


async def test_months_behind_the_horizon_are_dropped_and_a_later_cut_finds_no_trace_of_them(store: Store) -> None:
    """Told in the order in which it happened, each month was stored before it fell behind the horizon."""
    bank = Bank(store)
    for one in history("1"):
        await bank.tell([one])
    assert (await new_upkeep(store).apply(NOW)).months > 0
    async with store.updating() as tx:
        assert len(await tx.months_of("account:1")) <= 25
    await bank.tell([told("holder.removed", "h-2", NOW - 9 * DAY_MS, account_no="1", customer_no="77")])
    await bank.tell([told("holder.added", "h-3", NOW - 5 * DAY_MS, account_no="1", customer_no="78",
                          attributes={"role": "owner"})])  # fmt: skip
    assert await bank.unlike() == []


async def test_a_month_is_dropped_as_soon_as_it_is_behind_the_horizon_though_its_events_stay(store: Store) -> None:
    bank = Bank(store)
    for number in (MONTHS_KEPT, MONTHS_KEPT - 1, 0):
        at = first_day_of(month_of(NOW) - number) * DAY_MS
        await bank.tell([paid(f"e-{number}", at, "1", now=NOW)])
    assert await new_upkeep(store).apply(NOW) == Kept(months=1)
    async with store.updating() as tx:
        assert sorted(await tx.months_of("account:1")) == [month_of(NOW) - MONTHS_KEPT + 1, month_of(NOW)]


async def test_a_cut_drops_the_stored_months_that_the_new_segments_do_not_have(store: Store) -> None:
    bank = Bank(store)
    for one in history("1"):
        await bank.tell([one])
    await bank.tell([told("holder.added", "h-3", NOW - 5 * DAY_MS, account_no="1", customer_no="78",
                          attributes={"role": "owner"})])  # fmt: skip
    async with store.updating() as tx:
        months = frozenset(await tx.months_of("account:1"))
        row = (await tx.lock_subjects({"account:1": months}))["account:1"]
    assert row.months
    assert len(row.cuts) == 1
    assert unpack(row.cuts, row.heads, row.months).months.keys() == row.months.keys()


async def test_a_large_past_ages_in_several_transactions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.profile.upkeep.EVENTS_AT_ONCE", 3)
    monkeypatch.setattr("services.profile.upkeep.SUBJECTS_AT_ONCE", 2)
    bank = Bank(store)
    for account in ("1", "2", "3", "4", "5"):
        await bank.tell(history(account))
    pauses = list[None]()

    async def pause() -> None:
        pauses.append(None)

    assert (await Upkeep(store, cast(EventLog, Log()), new_fold(), 25, 25, pause).apply(NOW)).events == 5 * 7
    assert len(pauses) == 5 * 3 + 4, "after each transaction of an account, and each page of subjects"
    assert await bank.unlike() == []
    assert await rebuild(store, new_fold(999)) == 5
    assert await bank.unlike() == [], "what aged first is in the base as well"


async def enter_ledgers(store: Store) -> int:
    """One for each of the last twenty days; returns today."""
    today = NOW // DAY_MS
    async with store.updating() as tx:
        for day in range(today - 19, today + 1):
            await tx.enter_ledger([LedgerEntry(day.to_bytes(16, "big"), b"content.", day)])
    await store.set_position(TOPIC, 0, Position(TOPIC_ID, 5))
    return today


async def test_ledgers_past_their_days_are_dropped(store: Store) -> None:
    today = await enter_ledgers(store)
    assert (await new_upkeep(store).apply(NOW)).ledgers == 19 - DAYS_KEPT
    assert await store.ledger_days() == list(range(today - DAYS_KEPT, today + 1))


async def test_a_clock_that_is_ahead_drops_no_ledger_that_a_repeat_may_meet(store: Store) -> None:
    today = await enter_ledgers(store)
    for ahead in (1, 30):
        await new_upkeep(store).apply(NOW + ahead * DAY_MS)
        assert (await store.ledger_days())[0] == today - DAYS_KEPT


async def test_a_ledger_stays_while_events_of_its_time_wait_in_the_log(store: Store) -> None:
    """A repeat behind a partition that stood still must not count again."""
    today = await enter_ledgers(store)
    assert (await new_upkeep(store, Log(NOW - 5 * DAY_MS)).apply(NOW)).ledgers == 19 - DAYS_KEPT - 5
    assert (await store.ledger_days())[0] == today - DAYS_KEPT - 5


@pytest.mark.parametrize("days", [(5, 1), (1, 5)])
async def test_of_several_partitions_that_stand_still_the_oldest_event_keeps_its_ledgers(
    store: Store, days: tuple[int, int]
) -> None:
    today = await enter_ledgers(store)
    await new_upkeep(store, Log(*(NOW - many * DAY_MS for many in days))).apply(NOW)
    assert (await store.ledger_days())[0] == today - DAYS_KEPT - 5


async def test_no_ledger_is_dropped_while_what_waits_cannot_be_read(store: Store) -> None:
    await enter_ledgers(store)
    assert (await new_upkeep(store, Log(0)).apply(NOW)).ledgers == 0


async def test_what_is_old_a_month_later_ages_then(store: Store) -> None:
    bank = Bank(store)
    await bank.tell(history("1"))
    upkeep = new_upkeep(store)
    first = await upkeep.apply(NOW)
    assert (await upkeep.apply(NOW + 60 * DAY_MS)).events > 0 < first.events
    assert await bank.unlike() == []


async def test_within_a_month_the_subjects_are_gone_through_once(store: Store) -> None:
    bank, upkeep = Bank(store), new_upkeep(store)
    await upkeep.apply(NOW)
    await bank.tell(history("1"))
    assert (await upkeep.apply(NOW)).events == 0
    assert (await new_upkeep(store).apply(NOW)).events > 0


async def test_no_ledger_is_dropped_while_a_position_is_of_another_topic(store: Store) -> None:
    await enter_ledgers(store)
    await store.set_position(TOPIC, 0, Position("made anew", 5))
    assert (await new_upkeep(store).apply(NOW)).ledgers == 0


async def test_replayed_letters_are_dropped_after_their_time_and_open_ones_later(store: Store) -> None:
    old, lately = NOW - (REPLAYED_KEPT_DAYS + 1) * DAY_MS, NOW - (REPLAYED_KEPT_DAYS - 1) * DAY_MS
    letters = [StoredDeadLetter(name, at, "accept", "core", "r", "", "m", None, b"", 0, "") for name, at in
               {"old-open": old, "old-replayed": old, "replayed": lately}.items()]  # fmt: skip
    async with store.updating() as tx:
        await tx.keep_dead_letters(letters)
    assert await store.mark_letter_replayed("old-replayed")
    assert await store.mark_letter_replayed("replayed")
    assert await new_upkeep(store).apply(NOW) == Kept(letters=1)
    assert await store.dead_letter("old-replayed") is None
    assert await store.dead_letter("old-open") is not None
    assert await store.dead_letter("replayed") is not None


async def test_letters_that_nobody_sent_again_are_dropped_after_as_many_months_as_are_chosen(store: Store) -> None:
    kept_since = horizon(NOW, 20)
    async with store.updating() as tx:
        await tx.keep_dead_letters([
            StoredDeadLetter(name, at, "accept", "core", "r", "", "m", None, b'{"note": "Wang"}', 16, "")
            for name, at in {"before": kept_since - 1, "since": kept_since}.items()
        ])  # fmt: skip
    assert await new_upkeep(store).apply(NOW) == Kept(unreplayed=1)
    assert [await store.dead_letter("before"), (await store.dead_letter("since")) is not None] == [None, True]


@pytest.mark.parametrize("at_once", [2, 3, 1000])
async def test_a_placement_goes_once_another_one_has_aged_as_well(
    store: Store, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("services.profile.upkeep.PLACEMENTS_AT_ONCE", at_once)
    kept_since = horizon(NOW, 25)
    told = {"a": (-9, -2, -1, 0, 5), "b": (-3,), "c": (-2, 4), "d": (7, 8)}
    async with store.refreshing() as tx:
        await tx.note_placements([
            Placement(lead, kept_since + at, b"{}") for lead, times in told.items() for at in times
        ])  # fmt: skip
    assert await new_upkeep(store).apply(NOW) == Kept(placements=2)
    kept = [(one.lead, one.at - kept_since) for one in await store.placements_page(("", 0), 100)]
    assert kept == [("a", -1), ("a", 0), ("a", 5), ("b", -3), ("c", -2), ("c", 4), ("d", 7), ("d", 8)]


async def test_an_older_worker_stops_at_states_of_a_newer_fold_and_writes_nothing(store: Store) -> None:
    bank = Bank(store)
    await bank.tell([opened("1", "77", LONG_AGO, now=LONG_AGO), *history("1")], version=999)
    before = await held(store)
    with pytest.raises(Stop, match="newer release"):
        await bank.tell([paid("new", NOW, "1")])
    upkeep = new_upkeep(store)
    for _ in ("at once", "and when it is tried again"):
        with pytest.raises(Fenced):
            await upkeep.apply(NOW)
    assert differences(before, await held(store)) == []
    assert await store.positions(TOPIC, [0]) == {0: Position(TOPIC_ID, len(bank.sent))}


async def test_an_older_worker_stops_at_states_of_a_newer_shape(store: Store) -> None:
    bank = Bank(store)
    await bank.tell([opened("1", "77", LONG_AGO, now=LONG_AGO), *history("1")], version=999)
    async with store.updating() as tx:
        row = (await tx.lock_subjects({"account:1": frozenset()}))["account:1"]
        row.heads = b"\x91\xa3abc"
        await tx.save_subjects([row])
    with pytest.raises(Stop, match="newer release"):
        await bank.tell([paid("new", NOW, "1")])
    with pytest.raises(Stop, match="newer release"):
        await bank.tell([opened("1", "78", NOW)])


async def test_an_older_worker_stops_at_a_link_to_states_of_a_newer_fold(store: Store) -> None:
    bank = Bank(store)
    await bank.tell(history("1"), version=999)
    with pytest.raises(Stop, match="newer release"):
        await bank.tell([opened("1", "77", NOW)])


async def test_an_older_worker_stops_at_a_base_of_a_newer_fold(store: Store) -> None:
    bank = Bank(store)
    await bank.tell(history("1"), version=1)
    await new_upkeep(store, version=999).apply(NOW)
    with pytest.raises(Stop, match="newer release"):
        await bank.tell([paid("new", NOW, "1")], version=2)
    await bank.tell([paid("newer", NOW, "1")], version=999)
    assert await bank.unlike() == []
