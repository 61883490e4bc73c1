"""Decisions of people, taken once more on a past that is lived through again, leave the same customers."""

from schemas.identifiers import SUBJECT_LIMITS
from schemas.instants import DAY_MS
from services.profile.adapters.memory import MemoryProfileStore
from services.profile.decide import Decide, Said
from services.profile.domain.identity.links import Membership
from tests.ports.profile_stores import alias_of
from tests.profile.test_update import new_update
from tests.profile.told import NOW, batch, new_fold, opened

PARTIES = ["party:77", "party:78", "party:79"]
OPENED = [opened(f"600{n}", f"7{n + 6}", NOW - 30 * DAY_MS) for n in range(1, 4)]


async def lived() -> tuple[MemoryProfileStore, Decide]:
    store = MemoryProfileStore(alias_of)
    await new_update(store).apply([batch(0, OPENED)], NOW)
    return store, Decide(store, new_fold(), SUBJECT_LIMITS)


async def stands(store: MemoryProfileStore) -> tuple[list[Membership], list[object]]:
    return sorted(await store.memberships(PARTIES)), [await store.cluster(party) for party in PARTIES]


async def test_merges_splits_and_detached_subjects_take_effect_again_in_their_order() -> None:
    store, decide = await lived()
    first = await decide.merge(alias_of("party:77"), alias_of("party:78"), Said("anna", "one person", NOW))
    await decide.merge(alias_of("party:77"), alias_of("party:79"), Said("anna", "again", NOW + 1))
    await decide.undo(first.decision_id, Said("bo", "two after all", NOW + 2))
    for subject, at in (("account:6001", NOW + 3), ("account:6002", NOW + 4)):
        taken = await decide.detach(alias_of(f"party:7{int(subject[-1]) + 6}"), subject, Said("bo", "not hers", at))
    await decide.undo(taken.decision_id, Said("bo", "hers", NOW + 5))
    told = await store.decisions_taken(NOW + 9)
    assert [one.kind for one in told] == ["merge", "merge", "split", "detach", "detach", "attach"]

    again, deciding = await lived()
    before = await stands(again)
    for one in told:
        await deciding.again(one)
    assert await stands(again) == await stands(store) != before
    assert await again.decisions_taken(NOW + 9) == told


async def test_a_decision_on_what_was_never_heard_of_is_kept_and_moves_nothing() -> None:
    _, decide = await lived()
    merged = await decide.merge(alias_of("party:77"), alias_of("party:78"), Said("anna", "one person", NOW))
    empty = MemoryProfileStore(alias_of)
    await Decide(empty, new_fold(), SUBJECT_LIMITS).again(merged)
    assert await empty.decisions_taken(NOW + 1) == [merged]
