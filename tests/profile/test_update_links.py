"""Links move subjects between customers: late, at the same time as one another, and without rewriting an event."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from schemas.identifiers import SUBJECT_LIMITS
from services.failures import Fenced
from services.log import Stop
from services.profile.adapters.memory import MemoryProfileStore
from services.profile.adapters.policies import load_declarations
from services.profile.domain.identity.links import BEGINNING, END, Link, Membership
from services.profile.domain.shards import SHARDS
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.series import Counting
from services.profile.linking import Linking
from services.profile.ports.store import ProfileStore
from services.profile.ports.updating import UpdateTransaction
from services.profile.rebuild import Rebuilt, rebuild
from tests.ports.profile_stores import Store, alias_of, store
from tests.profile.expected import differences, expected, held
from tests.profile.test_update import new_update, unlike
from tests.profile.told import CATALOGUE, DECLARED, NOW, batch, new_fold, opened, paid, told

__all__ = ["store"]
DAY = 86_400_000
FIRST = NOW - 60 * DAY


async def roots_of(store: Store, subject: str) -> set[str]:
    return {one.root for one in (await held(store)).memberships if one.subject == subject}


async def test_an_account_waits_for_its_customer_with_all_its_past(store: Store) -> None:
    payments = [paid(f"p-{n}", FIRST + n * DAY, "6001") for n in range(5)]
    update = new_update(store)
    await update.apply([batch(0, payments)], NOW)
    assert await roots_of(store, "account:6001") == set()
    late = opened("6001", "77", FIRST + 3 * DAY)
    assert (await update.apply([batch(5, [late])], NOW)).marked == 2
    assert await unlike(store, [*payments, late]) == []
    found = (await held(store)).memberships
    assert Membership("party:77", "account:6001", "owner", BEGINNING, END) in found


async def test_a_link_that_begins_late_cuts_the_state_into_segments(store: Store) -> None:
    payments = [paid(f"p-{n}", FIRST + n * DAY, "6001") for n in range(10)]
    own = opened("6001", "77", FIRST)
    joint = told("holder.added", "h-1", FIRST + 4 * DAY, account_no="6001", customer_no="78")
    update = new_update(store)
    await update.apply([batch(0, [own, *payments])], NOW)
    await update.apply([batch(11, [joint])], NOW)
    found = await held(store)
    assert len(found.states["account:6001"]) == 2
    assert await unlike(store, [own, *payments, joint]) == []


async def test_a_link_that_one_batch_tells_of_several_times_holds_from_the_first_of_them(store: Store) -> None:
    days = (5, 2, 9)
    joint = [told("holder.added", f"h-{n}", FIRST + n * DAY, account_no="6001", customer_no="78") for n in days]
    await new_update(store).apply([batch(0, [opened("6001", "77", FIRST), *joint])], NOW)
    assert Membership("party:78", "account:6001", "joint", FIRST + 2 * DAY, END) in (await held(store)).memberships


async def test_a_link_that_ends_leaves_what_was_before(store: Store) -> None:
    own = opened("6001", "77", FIRST)
    gone = told("holder.removed", "h-1", FIRST + 4 * DAY, account_no="6001", customer_no="77")
    payments = [paid(f"p-{n}", FIRST + n * DAY, "6001") for n in range(10)]
    update = new_update(store)
    for start, event in enumerate([gone, *payments, own]):
        await update.apply([batch(start, [event])], NOW)
    assert await unlike(store, [own, gone, *payments]) == []
    assert await roots_of(store, "account:6001") == {"party:77", "account:6001"}


async def test_what_another_worker_links_below_before_the_lock_is_given_is_locked_and_follows_as_well(
    store: Store,
) -> None:
    card = told("card.issued", "c-1", FIRST, card_no="card-1", account_no="6001")
    await new_update(store).apply([batch(0, [card])], NOW)
    own = Link(subject="account:6001", target="party:77", role="owner", first_at=FIRST, told_at=(FIRST,))
    async with store.updating() as tx:
        locked = await tx.lock_subjects({"account:6001": frozenset(), "party:77": frozenset()})
        linked = await Linking(SUBJECT_LIMITS, new_fold()).link(tx, [own], locked, NOW)
    assert linked.moved == locked.keys() - {"party:77"} == {"account:6001", "card:card-1"}
    assert "party:77" in locked["card:card-1"].roots
    assert "party:77" in await roots_of(store, "card:card-1")


async def test_what_stands_below_an_account_follows_it_to_its_customer(store: Store) -> None:
    events = [
        told("card.issued", "c-1", FIRST, card_no="card-1", account_no="6001"),
        told("direct_debit.mandate_set_up", "m-1", FIRST, mandate_id="m-1", account_no="6001"),
        opened("6001", "77", FIRST),
        told("household.joined", "j-1", FIRST + DAY, customer_no="77", household_no="h-1"),
    ]
    update = new_update(store)
    for start, event in enumerate(events):
        await update.apply([batch(start, [event])], NOW)
    assert await roots_of(store, "card:card-1") == {
        "card:card-1",
        "party:77",
        "household:h-1",
    }  # itself, before it was issued
    assert await unlike(store, events) == []


async def test_a_mandate_of_which_only_the_end_is_told_counts_for_the_customer_of_the_account_that_it_names(
    store: Store,
) -> None:
    events = [
        opened("6001", "77", FIRST),
        told("standing_order.cancelled", "m-1", FIRST + DAY, mandate_id="so-1", account_no="6001"),
        told("direct_debit.mandate_cancelled", "m-2", FIRST + DAY, mandate_id="dd-1", account_no="6001"),
    ]
    await new_update(store).apply([batch(0, events)], NOW)
    for mandate in ("mandate:so-1", "mandate:dd-1"):
        assert await roots_of(store, mandate) == {mandate, "party:77"}  # itself, before it was told of
    assert await unlike(store, events) == []


async def test_links_that_meet_far_from_each_other_are_worked_out_one_after_the_other(store: Store) -> None:
    """A card finds its account while the account's owner joins a household: the card counts for the household, too."""
    own = opened("6001", "77", FIRST)
    card = told("card.issued", "c-1", FIRST, card_no="card-1", account_no="6001")
    joined = told("household.joined", "j-1", FIRST + DAY, customer_no="77", household_no="h-1")
    await new_update(store).apply([batch(0, [own])], NOW)
    pausing = PausingStore(store)
    household = asyncio.create_task(new_update(cast(Store, pausing)).apply([batch(0, [joined], partition=1)], NOW))
    await pausing.read.wait()
    issued = asyncio.create_task(new_update(store).apply([batch(0, [card], partition=2)], NOW))
    # a store with one writer makes the card wait, one with many lets it through
    await asyncio.wait([issued], timeout=0.3)
    pausing.go_on.set()
    await asyncio.gather(household, issued)
    assert await unlike(store, [own, card, joined]) == []


class PausingStore:
    """Stops the first time that links have been read, until told to go on."""

    def __init__(self, store: ProfileStore) -> None:
        self._store, self.read, self.go_on = store, asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def updating(self) -> AsyncIterator[UpdateTransaction]:
        async with self._store.updating() as tx:
            read_links = tx.links_around

            async def links_around(subjects: Sequence[str]) -> list[Link]:
                found = await read_links(subjects)
                if not self.read.is_set():
                    self.read.set()
                    await self.go_on.wait()
                return found

            tx.links_around = links_around  # type: ignore[method-assign]  # for this transaction alone
            yield tx


async def test_a_device_of_too_many_customers_identifies_nobody_any_more(store: Store) -> None:
    limit = SUBJECT_LIMITS["device"]
    signed = [
        told(
            "login.succeeded",
            f"l-{n}",
            FIRST + n,
            channel="mobile",
            login=f"user{n}",
            device_id="d-1",
            customer_no=f"{n}",
        )
        for n in range(limit + 1)
    ]
    update = new_update(store)
    for start, event in enumerate(signed[:limit]):
        await update.apply([batch(start, [event])], NOW)
    assert len(await roots_of(store, "device:d-1")) == limit
    await update.apply([batch(limit, signed[limit:])], NOW)
    assert await roots_of(store, "device:d-1") == set()
    assert await unlike(store, signed) == []


async def test_an_older_worker_stops_and_never_writes_over_a_newer_fold(store: Store) -> None:
    events = [paid("p-1", FIRST, "6001"), paid("p-2", FIRST, "6001")]
    older, newer = new_update(store), new_update(store, new_fold(DECLARED.series.version + 1))
    await older.apply([batch(0, events[:1])], NOW)
    await newer.apply([batch(1, events[1:])], NOW)
    for beside in ([], [paid("p-4", FIRST, "6002")]):
        with pytest.raises(Stop, match="newer release"):
            await older.apply([batch(2, [paid("p-3", FIRST, "6001"), *beside])], NOW)
    assert await unlike(store, events) == []


async def test_an_event_folds_its_subject_anew_where_its_state_has_another_shape(store: Store) -> None:
    update, events = new_update(store), [opened("6001", "77", FIRST), paid("p-1", FIRST + DAY, "6001")]
    await update.apply([batch(0, events)], NOW)
    async with store.updating() as tx:
        row = (await tx.lock_subjects({"account:6001": frozenset()}))["account:6001"]
        row.heads = b"\x91\xa3abc"
        await tx.save_subjects([row])
    events.append(paid("p-2", FIRST + 2 * DAY, "6001"))
    await update.apply([batch(2, events[2:])], NOW)
    assert not differences(expected(events, new_fold()), await held(store))


async def test_an_event_folds_its_subject_anew_where_an_older_fold_left_it(store: Store) -> None:
    events = [paid(f"p-{n}", FIRST + n * 20 * DAY, "6001") for n in range(3)]
    await new_update(store).apply([batch(0, events[:2])], NOW)
    newer = new_fold(DECLARED.series.version + 1)
    await new_update(store, newer).apply([batch(2, events[2:])], NOW)
    assert await store.count_behind(newer.version) == 0
    assert await unlike(store, events) == []


async def test_a_rebuild_folds_every_subject_anew_and_goes_on_where_it_was_stopped(store: Store) -> None:
    events = [opened("6001", "77", FIRST), *(paid(f"p-{n}", FIRST + n * DAY, f"60{n:02d}") for n in range(60))]
    await new_update(store).apply([batch(0, events)], NOW)
    newer = new_fold(DECLARED.series.version + 1)
    seen: list[Rebuilt] = []

    def stop_after_one(progress: Rebuilt) -> None:
        seen.append(progress)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rebuild(store, newer, stop_after_one)
    assert seen[0].waiting == 60 - seen[0].done > 0
    assert await rebuild(store, newer) == seen[0].waiting
    assert await store.count_behind(newer.version) == 0
    assert differences(expected(events, newer), await held(store)) == []


async def refreshed_marks(store: Store) -> list[str]:
    async with store.refreshing() as tx:
        return sorted(mark.root for mark in await tx.take_marks(range(SHARDS), 100))


async def test_a_rebuild_folds_together_what_a_customer_has_and_marks_the_customer_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.profile.rebuild.AT_ONCE", 1)
    accounts = ["6001", "6002", "6003"]
    events = [opened(account, "77", FIRST) for account in accounts]
    events += [paid(f"p-{account}", FIRST + DAY, account) for account in [*accounts, "6009"]]
    await new_update(store).apply([batch(0, events)], NOW)
    newer, seen = new_fold(DECLARED.series.version + 1), list[Rebuilt]()

    async def one_is_enough(folded: int) -> None:
        raise KeyboardInterrupt

    await refreshed_marks(store)
    with pytest.raises(KeyboardInterrupt):
        await rebuild(store, newer, seen.append, one_is_enough)
    assert seen == [Rebuilt(3, 1)]
    assert await refreshed_marks(store) == ["party:77"]
    assert await rebuild(store, newer) == 1
    assert differences(expected(events, newer), await held(store)) == []


@pytest.mark.parametrize("together", [2, 3])
async def test_a_rebuild_leaves_a_customer_who_has_too_much_to_be_folded_bit_by_bit(
    store: Store, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr("services.profile.rebuild.AT_ONCE", 1)
    monkeypatch.setattr("services.profile.rebuild.TOGETHER", together)
    events = [opened(account, "77", FIRST) for account in ("6001", "6002")]
    await new_update(store).apply([batch(0, events)], NOW)
    seen: list[Rebuilt] = []
    assert await rebuild(store, new_fold(DECLARED.series.version + 1), seen.append) == 2
    assert seen == ([Rebuilt(2, 0)] if together == 3 else [Rebuilt(1, 1), Rebuilt(2, 0)])


async def test_a_rebuild_of_very_many_takes_all_subjects_for_behind(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [paid(f"p-{n}", FIRST + n * DAY, f"60{n:02d}") for n in range(60)]
    await new_update(store).apply([batch(0, events)], NOW)
    monkeypatch.setattr("services.profile.rebuild.COUNTED", 20)
    seen: list[Rebuilt] = []
    assert await rebuild(store, new_fold(DECLARED.series.version + 1), seen.append) == 60
    assert seen == [Rebuilt(done, 60 - done) for done in range(10, 70, 10)]


async def test_a_rebuild_comes_back_for_what_an_older_worker_has_written_behind_it(store: Store) -> None:
    events = [paid(f"p-{n}", FIRST + n * DAY, f"60{n:02d}") for n in range(60)]
    await new_update(store).apply([batch(0, events)], NOW)
    newer, seen = new_fold(DECLARED.series.version + 1), list[Rebuilt]()

    async def write_behind(folded: int) -> None:
        if len(seen) == 1:
            await new_update(store).apply([batch(60, [paid("p-behind", FIRST, "5999")])], NOW)

    assert await rebuild(store, newer, seen.append, write_behind) == 61
    assert [progress.waiting for progress in seen] == [50, 40, 30, 20, 10, 0, 0]
    assert await store.count_behind(newer.version) == 0


async def test_a_series_that_the_bank_adds_is_counted_of_the_past_by_a_rebuild(store: Store, tmp_path: Path) -> None:
    (tmp_path / "series.yaml").write_text("version: 1\nseries: [{name: payments, where: {direction: debit}}]\n")
    declared = load_declarations(catalogue=str(tmp_path)).series
    own = Fold(CATALOGUE, Counting(declared), declared.version)
    events = [paid(f"p-{n}", FIRST + n * DAY, "6001") for n in range(3)]
    await new_update(store).apply([batch(0, events)], NOW)
    assert differences(expected(events, own), await held(store)) != []
    assert await store.count_behind(own.version) == 1
    assert await rebuild(store, own) == 1
    assert differences(expected(events, own), await held(store)) == []


async def test_a_rebuild_marks_whoever_counts_on_a_state_that_it_has_folded_anew(store: Store) -> None:
    newer = new_fold(DECLARED.series.version + 1)
    await new_update(store).apply([batch(0, [opened("6001", "77", FIRST)])], NOW)
    await new_update(store, newer).apply([batch(1, [paid("p-1", FIRST, "6009")])], NOW)
    async with store.refreshing() as tx:
        await tx.take_marks(range(SHARDS), 100)
    assert await rebuild(store, newer) == 1
    async with store.refreshing() as tx:
        marked = await tx.take_marks(range(SHARDS), 100)
    assert {mark.root for mark in marked} == await roots_of(store, "account:6001")
    assert {mark.accepted_at for mark in marked} == {0}, "of no event that was accepted just now"


async def test_links_known_to_a_worker_are_asserted_again_after_the_database_has_lost_them(store: Store) -> None:
    """A fail-over to a replica that lags: the position went back, and with it the links."""
    own, other = opened("6001", "77", FIRST), paid("p-1", FIRST, "6009")
    lost = MemoryProfileStore(alias_of)
    update = new_update(lost)
    await update.apply([batch(0, [other, own])], NOW)
    await new_update(store).apply([batch(0, [other])], NOW)
    update._store = store
    with pytest.raises(Fenced):
        await update.apply([batch(2, [paid("p-2", FIRST, "6009")])], NOW)
    await update.apply([batch(1, [own])], NOW)
    assert await unlike(store, [other, own]) == []
