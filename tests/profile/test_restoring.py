"""A database went back in time, and what was published of its customers since then did not."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from schemas.changes import GONE, ProfileChange
from schemas.identifiers import SUBJECT_LIMITS
from services import retelling
from services.profile.adapters.restoring import LastHeard, restate
from services.profile.decide import Decide
from services.retelling import Retold
from services.sql.database import Database, open_database
from tests.ports.profile_stores import Store, alias_of, store
from tests.profile.test_refresh import FIRST, SAID, changes, mark, refresh_all
from tests.profile.test_update import new_update
from tests.profile.told import NOW, batch, new_fold, opened

__all__ = ["store"]
SINCE = NOW + 50
"""The version that readers have seen of customers of whom the backup knows an older one."""
LATER = NOW + 100
ON_EACH = pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)


@pytest_asyncio.fixture
async def database(store: Store, store_url: str) -> AsyncIterator[Database]:
    """Two customers, of each of whom something was published."""
    await new_update(store).apply([batch(0, [opened("6001", "77", FIRST), opened("6002", "78", FIRST)])], NOW)
    await refresh_all(store)
    database = open_database(store_url)
    yield database
    await database.close()


async def last_of(store: Store, party: str) -> ProfileChange:
    return [one for one in await changes(store) if one.customer_id == alias_of(party)][-1]


def told(*parties: str, kind: str = "person") -> dict[str, LastHeard]:
    return {alias_of(party): LastHeard(SINCE, kind, NOW) for party in parties}


@ON_EACH
async def test_who_was_told_of_since_is_told_of_as_the_database_knows_him_though_nothing_has_changed_there(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retelling, "AT_ONCE", 1)
    before = await last_of(store, "party:77")
    await mark(store, ["party:77", "party:78"])
    assert await refresh_all(store, NOW + 1) == []
    assert await restate(database, told("party:77", "party:78"), LATER) == Retold(2, 0)
    assert set(await refresh_all(store, LATER)) == {alias_of("party:77"), alias_of("party:78")}
    after = await last_of(store, "party:77")
    assert (after.version, after.facts, after.moments) == (LATER, before.facts, before.moments)
    await mark(store, ["party:77", "party:78"])
    assert await refresh_all(store, LATER + 1) == []


@ON_EACH
async def test_who_is_gone_here_and_lives_for_readers_is_told_to_be_gone(store: Store, database: Database) -> None:
    await Decide(store, new_fold(), SUBJECT_LIMITS).merge(alias_of("party:77"), alias_of("party:78"), SAID)
    await refresh_all(store)
    assert await restate(database, told("party:78"), LATER) == Retold(1, 0)
    await refresh_all(store, LATER)
    last = await last_of(store, "party:78")
    assert (last.kind, last.version, last.aliases) == (GONE, LATER, [alias_of("party:77")])


@ON_EACH
async def test_who_is_unknown_here_is_taken_back_and_comes_back_with_a_later_version(
    store: Store, database: Database
) -> None:
    assert await restate(database, told("party:79") | told("party:80", kind=GONE), LATER) == Retold(0, 1)
    assert [one.customer_id for one in await changes(store) if one.version > NOW] == [alias_of("party:79")]
    gone = await last_of(store, "party:79")
    assert (gone.kind, gone.version, gone.facts) == (GONE, SINCE + 1, {})
    await new_update(store).apply([batch(2, [opened("6003", "79", FIRST)])], LATER)
    await refresh_all(store, LATER)
    back = await last_of(store, "party:79")
    assert (back.kind, back.version) == ("person", LATER)
