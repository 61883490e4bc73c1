"""An erasure beside whatever else happens to the same customer: on every store, and at the same moment."""

import asyncio
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import ChannelEvent
from schemas.identifiers import SUBJECT_LIMITS
from schemas.instants import DAY_MS, HOUR_MS
from services.attempts import again_when_contended
from services.failures import Rejected
from services.profile.adapters.memory import MemoryProfileStore
from services.profile.decide import Decide, Said
from services.profile.domain.letters import ACCEPT
from services.profile.ports.records import Decision, StoredDeadLetter
from tests.ports.profile_stores import Store, alias_of, store
from tests.profile.expected import held
from tests.profile.test_update import new_update
from tests.profile.told import NOW, batch, new_fold, opened, paid, refer, told

__all__ = ["store"]
LATER = NOW + HOUR_MS
NAME, PHONE, PAYEE = "Wang Fang", "+8613912345678", "Silk Road Ltd"


def registered(event_id: str, at: int, number: str = "77", name: str = NAME, now: int = NOW) -> ChannelEvent:
    return told(
        "customer.registered", event_id, at, now=now, customer_no=number, phone=PHONE, attributes={"name": name}
    )


def paying(event_id: str, at: int, account: str = "6001") -> ChannelEvent:
    return paid(event_id, at, account, counterparty={"name": PAYEE})


KNOWN = [registered("r-1", NOW - 9 * DAY_MS), opened("6001", "77", NOW - 9 * DAY_MS)]
REST = [paying(f"p-{n}", NOW - n * DAY_MS) for n in range(1, 4)] + [
    told("customer.updated", "u-1", NOW - DAY_MS, customer_no="77", attributes={"address": "7 Long Street"}),
    told("call.ended", "c-1", NOW - DAY_MS, customer_no="77", phone=PHONE, attributes={"reason": "fee"}),
]
VALUES = [refer(one) for one in (NAME, PHONE, PAYEE, "7 Long Street")]


async def erase(store: Store | MemoryProfileStore, number: str = "77", at: int = LATER) -> Decision:
    decide = Decide(store, new_fold(), SUBJECT_LIMITS)
    return await decide.erase(alias_of(f"party:{number}"), Said("anna", "asked for it", at))


async def refs_left(store: Store | MemoryProfileStore) -> set[str]:
    return set(await store.personal(VALUES))


async def test_what_was_refused_of_the_customer_is_emptied_unless_the_erasure_is_refused(store: Store) -> None:
    await new_update(store).apply([batch(0, KNOWN)], NOW)
    sent = {"a": b'{"identifiers": {"account_no": "6001"}}', "b": b'{"identifiers": {"account_no": "6002"}}'}
    letters = [StoredDeadLetter(name, 5, ACCEPT, "core", "r", "", "m", None, body, 2, "ab")
               for name, body in sent.items()]  # fmt: skip
    async with store.updating() as tx:
        await tx.keep_dead_letters(letters)
    with pytest.raises(Rejected, match="reason"):
        await Decide(store, new_fold(), SUBJECT_LIMITS).erase(alias_of("party:77"), Said("anna", " ", LATER))
    assert {one.letter_id for one in await store.dead_letters(9, "open") if one.body} == {"a", "b"}
    await erase(store)
    assert {one.letter_id for one in await store.dead_letters(9, "open") if one.body} == {"b"}


async def test_what_the_own_subjects_told_is_forgotten_and_what_happened_is_not(store: Store) -> None:
    await new_update(store).apply([batch(0, [*KNOWN, *REST])], NOW)
    before = await held(store)
    assert await refs_left(store) == set(VALUES)
    made = await erase(store)
    assert {"party:77", "account:6001"} <= set(made.subjects)
    assert await refs_left(store) == set()
    assert await store.erased(["party:77", "account:6001", "party:78"]) == {"party:77": LATER, "account:6001": LATER}
    after = await held(store)
    assert (after.timeline, after.states["account:6001"]) == (before.timeline, before.states["account:6001"])


async def test_a_phone_leads_to_the_erased_no_longer_until_it_is_told_again(store: Store) -> None:
    await new_update(store).apply([batch(0, KNOWN)], NOW)
    phone = next(link.subject for link in await store.links_to(["party:77"]) if link.subject.startswith("phone:"))
    await erase(store)
    assert alias_of("party:77") not in await store.customers_of(phone)
    await new_update(store).apply([batch(2, [registered("r-late", NOW - DAY_MS)])], NOW)
    assert alias_of("party:77") not in await store.customers_of(phone)
    await new_update(store).apply([batch(3, [registered("r-new", LATER + 1, now=LATER + 1)])], LATER + 1)
    assert await store.customers_of(phone) == [alias_of("party:77")]


async def test_what_was_accepted_before_is_from_before_whatever_its_clock_says(store: Store) -> None:
    await new_update(store).apply([batch(0, KNOWN)], NOW)
    await erase(store)
    await new_update(store).apply([batch(2, [registered("r-ahead", LATER + HOUR_MS, now=NOW)])], NOW)
    assert await refs_left(store) == set()


async def test_erased_twice_is_erased_as_of_the_second_time(store: Store) -> None:
    await new_update(store).apply([batch(0, KNOWN)], NOW)
    await erase(store)
    await new_update(store).apply([batch(2, [registered("r-new", LATER + 1, now=LATER + 1)])], LATER + 1)
    assert await refs_left(store) == {refer(NAME), refer(PHONE)}
    await erase(store, at=LATER + 2)
    assert (await refs_left(store), await store.erased(["party:77"])) == (set(), {"party:77": LATER + 2})


async def test_an_erasure_that_is_lived_through_again_leaves_the_same(store: Store) -> None:
    again = MemoryProfileStore(alias_of)
    for one in (store, again):
        await new_update(one).apply([batch(0, [*KNOWN, *REST])], NOW)
    made = await erase(store)
    assert await store.decisions_taken(LATER + 1) == [made]
    await Decide(again, new_fold(), SUBJECT_LIMITS).again(made)
    assert await held(again) == await held(store)
    assert await again.erased(made.subjects) == await store.erased(made.subjects)


@pytest.mark.parametrize("turn", range(6))
async def test_events_of_the_same_moment_bring_nothing_back(store: Store, turn: int) -> None:
    await new_update(store).apply([batch(0, KNOWN)], NOW)

    async def update() -> None:
        update = new_update(store)
        for place in range(5):
            late = [registered(f"r-{place}", NOW - place), paying(f"q-{place}", NOW - place)]
            await again_when_contended(partial(update.apply, [batch(2 + 2 * place, late)], NOW))

    async def decide() -> None:
        await asyncio.sleep(turn * 0.004)
        await erase(store)

    await asyncio.gather(update(), decide())
    assert await refs_left(store) == set()


async def test_what_somebody_else_tells_at_the_same_moment_is_not_lost(store: Store) -> None:
    """A value that is there already is not written again: whoever tells of it must not lose it to the erasure."""
    await new_update(store).apply([batch(0, KNOWN)], NOW)
    async with store.updating() as tx:
        await tx.lock_subjects({"party:78": frozenset()})
        await tx.save_personal({refer(NAME): NAME}, {(refer(NAME), "party:78")})
        await tx.memberships_of(["party:78"])  # what waited to be written is
        erasing = asyncio.ensure_future(erase(store))
        await asyncio.sleep(0.2)
    await erasing
    assert await refs_left(store) == {refer(NAME)}
    assert await store.parties_told(refer(NAME), 10) == ["party:78"]


@given(order=st.permutations(REST), told_before=st.integers(0, len(REST)), groups=st.integers(1, 3))
async def test_nothing_is_left_whatever_comes_before_and_what_after(
    order: list[ChannelEvent], told_before: int, groups: int
) -> None:
    """And the states are those of the same events without an erasure."""
    store, plain = MemoryProfileStore(alias_of), MemoryProfileStore(alias_of)
    await new_update(plain).apply([batch(0, [*KNOWN, *order])], NOW)
    update = new_update(store)
    await update.apply([batch(0, [*KNOWN, *order[:told_before]])], NOW)
    await erase(store)
    start = len(KNOWN) + told_before
    for place in range(start, len(KNOWN) + len(order), groups):
        some = order[place - len(KNOWN) : place - len(KNOWN) + groups]
        await update.apply([batch(place, some)], NOW)
    assert await refs_left(store) == set()
    assert (await held(store)).timeline == (await held(plain)).timeline
    assert (await held(store)).states["account:6001"] == (await held(plain)).states["account:6001"]
