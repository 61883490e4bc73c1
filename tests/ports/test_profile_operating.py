"""The contract of the profile's store: what an operator's commands do to it."""

from services.log import Position
from services.profile.ports.records import StoredDeadLetter
from tests.ports.profile_stores import Store, store

__all__ = ["store"]


async def test_an_operator_sets_a_position_whatever_stood_there(store: Store) -> None:
    await store.set_position("t", 3, Position("first", 70))
    await store.set_position("t", 4, Position("first", 1))
    await store.set_position("t", 3, Position("anew", 20))
    assert await store.positions("t", [3, 4, 5]) == {3: Position("anew", 20), 4: Position("first", 1)}


async def test_a_letter_is_marked_replayed_once(store: Store) -> None:
    letter = StoredDeadLetter("l1", 5, "accept", "core", "unknown_type", "type", "m", None, b"{}", 2, "ab")
    async with store.updating() as tx:
        await tx.keep_dead_letters([letter])
    assert await store.mark_letter_replayed("l1")
    assert not await store.mark_letter_replayed("l1")
    assert not await store.mark_letter_replayed("nobody's")
    found = await store.dead_letter("l1")
    assert found is not None
    assert (found.state, found.body) == ("replayed", b"{}")
    assert await store.dead_letter("nobody's") is None


async def test_subjects_of_an_older_fold_are_behind_until_they_are_written_anew(store: Store) -> None:
    """A subject that was never folded has nothing to be folded anew."""
    assert await store.newest_fold() == 0
    async with store.updating() as tx:
        stored = await tx.lock_subjects(dict.fromkeys(("account:1", "account:2", "party:1"), frozenset()))
        for subject in ("account:1", "account:2"):
            stored[subject].fold_version = 1
        await tx.save_subjects(list(stored.values()))
    assert await store.newest_fold() == 1
    assert await store.count_behind(1) == 0
    assert await store.count_behind(2) == 2
    assert await store.count_behind(2, 1) == 1
    assert await store.page_behind("", 2, 10) == (["account:1", "account:2"], "party:1")
    assert await store.page_behind("", 2, 1) == (["account:1"], "account:1")
    assert await store.page_behind("account:1", 2, 1) == (["account:2"], "account:2")
    assert await store.page_behind("account:2", 2, 10) == ([], "party:1")
    assert await store.page_behind("party:1", 2, 10) == ([], None)
    async with store.updating() as tx:
        stored = await tx.lock_subjects({"account:1": frozenset()})
        stored["account:1"].fold_version = 2
        await tx.save_subjects(list(stored.values()))
    assert await store.page_behind("", 2, 10) == (["account:2"], "party:1")
