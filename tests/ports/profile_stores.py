"""The profile's stores under test, each empty: in memory, on SQLite, on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

import pytest_asyncio

from services.profile.adapters.memory import MemoryProfileStore
from services.profile.adapters.sql import SqlProfileStore
from services.profile.domain.shards import shard_of
from services.profile.ports.reading import ProfileReader
from services.profile.ports.records import Shard, StoredView, TimelineRow
from services.profile.ports.store import ProfileStore
from tests.ports.emptied import emptied


class Store(ProfileStore, ProfileReader, Protocol):
    """Both faces, as every adapter has them."""


def alias_of(subject: str) -> str:
    return f"c_{subject[::-1]}"


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    if not store_url:
        yield MemoryProfileStore(alias_of)
        return
    async with emptied(store_url, "counterpoint_profile") as database:
        yield SqlProfileStore(database, alias_of)


def event(
    subject: str, at: int, key: str, kind: str = "card.paid", channel: str = "pos", sequence: int = -1
) -> TimelineRow:
    return TimelineRow(subject, at, sequence, key.encode().ljust(16, b"."), kind, channel, at + 5, b"event")


def view(lead: str, version: int = 1, **told: object) -> StoredView:
    plain = StoredView(alias_of(lead), lead, version, "person", "live", 7, b"{}", b"{}")
    for name, value in told.items():
        setattr(plain, name, value)
    return plain


async def lapsed(store: Store, owner: str) -> list[Shard]:
    """What somebody held who has fallen silent since."""
    held = await store.lease(owner, 1)
    await asyncio.sleep(0.005)
    return held


async def shard_for(store: Store, root: str, owner: str = "worker") -> Shard:
    """A lease on the shard that refreshes this root."""
    return next(one for one in await store.lease(owner, 60_000) if one.shard == shard_of(root))
