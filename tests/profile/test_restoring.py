"""A database went back in time, and what was published of its customers since then did not."""

from services.profile.adapters.restoring import raise_versions
from services.profile.adapters.sql import SqlProfileStore
from services.sql.database import open_database
from services.sql.migrations import upgrade
from tests.ports.profile_stores import alias_of, view

PARTY = "party:1"
PUBLISHED = 50
"""The version that readers of changes have seen of a customer of whom the backup knows the third."""


async def save(store: SqlProfileStore, version: int) -> None:
    async with store.refreshing() as tx:
        await tx.save_views([view(PARTY, version)], {})


async def test_a_restored_view_goes_on_above_every_version_that_was_published(postgres_url: str) -> None:
    database = open_database(postgres_url)
    await upgrade(database)
    store = SqlProfileStore(database, alias_of)
    await save(store, 3)
    assert await raise_versions(database) == 1
    restored = await store.view(alias_of(PARTY))
    assert restored is not None
    assert restored.version > PUBLISHED
    await save(store, restored.version + 1)
    await database.close()
