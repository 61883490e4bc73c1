"""Keys and sources in memory, for tests of ingest. Held to the contract of `tests/ports/test_ingest_stores.py`."""

from collections.abc import Sequence

import msgspec

from services.ingest.domain.sources import Grant, Source
from services.ingest.ports import Conflict


class MemoryKeyStore:
    def __init__(self) -> None:
        self._grants: dict[str, Grant] = {}

    async def add(self, key_hash: str, grant: Grant) -> None:
        if key_hash in self._grants or any(known.key_id == grant.key_id for known in self._grants.values()):
            raise Conflict(grant.key_id)
        self._grants[key_hash] = grant

    async def find(self, key_hash: str) -> Grant | None:
        return self._grants.get(key_hash)

    async def grants(self) -> Sequence[Grant]:
        return sorted(self._grants.values(), key=lambda grant: grant.key_id)

    async def revoke(self, key_id: str, at: int) -> bool:
        for key_hash, grant in self._grants.items():
            if grant.key_id == key_id and grant.revoked_at is None:
                self._grants[key_hash] = msgspec.structs.replace(grant, revoked_at=at)
                return True
        return False


class MemorySourceStore:
    def __init__(self) -> None:
        self._sources: dict[str, Source] = {}

    async def put(self, source: Source) -> None:
        self._sources[source.id] = source

    async def find(self, source_id: str) -> Source | None:
        return self._sources.get(source_id)

    async def sources(self) -> Sequence[Source]:
        return sorted(self._sources.values(), key=lambda source: source.id)
