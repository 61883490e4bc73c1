"""Keys and sources in SQLite or PostgreSQL. Both are small and rarely written: plain statements, no cleverness."""

from collections.abc import Sequence

import msgspec

from services.ingest.domain.sources import Grant, Source
from services.ingest.ports import Conflict
from services.sql.database import Database
from services.sql.session import Row, read, writing

_COLUMNS = ", ".join(Grant.__struct_fields__)
_ADD = f"""
insert into api_keys (key_hash, {_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict do nothing"""  # noqa: S608 - constants
_FIND = f"select {_COLUMNS} from api_keys where key_hash = $1"  # noqa: S608 - constants
_ALL = f"select {_COLUMNS} from api_keys order by key_id"  # noqa: S608 - constants
_REVOKE = "update api_keys set revoked_at = $2 where key_id = $1 and revoked_at is null"
_PUT_SOURCE = """
insert into sources (source, parameters) values ($1, $2)
on conflict (source) do update set parameters = excluded.parameters"""
_FIND_SOURCE = "select parameters from sources where source = $1"
_ALL_SOURCES = "select parameters from sources order by source"


class SqlKeyStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key_hash: str, grant: Grant) -> None:
        row = {**msgspec.structs.asdict(grant), "channels": msgspec.json.encode(grant.channels).decode()}
        async with writing(self._database) as session:
            if await session.run(_ADD, key_hash, *row.values()) != 1:
                raise Conflict(grant.key_id)

    async def find(self, key_hash: str) -> Grant | None:
        found = await read(self._database, _FIND, key_hash)
        return _grant(found[0]) if found else None

    async def grants(self) -> Sequence[Grant]:
        return [_grant(row) for row in await read(self._database, _ALL)]

    async def revoke(self, key_id: str, at: int) -> bool:
        async with writing(self._database) as session:
            return await session.run(_REVOKE, key_id, at) == 1


class SqlSourceStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, source: Source) -> None:
        async with writing(self._database) as session:
            await session.run(_PUT_SOURCE, source.id, msgspec.json.encode(source).decode())

    async def find(self, source_id: str) -> Source | None:
        found = await read(self._database, _FIND_SOURCE, source_id)
        return _source(found[0]) if found else None

    async def sources(self) -> Sequence[Source]:
        return [_source(row) for row in await read(self._database, _ALL_SOURCES)]


def _grant(row: Row) -> Grant:
    fields = dict(zip(Grant.__struct_fields__, row, strict=True))
    return Grant(**{**fields, "channels": tuple(msgspec.json.decode(fields["channels"], type=list[str]))})


def _source(row: Row) -> Source:
    return msgspec.json.decode(row[0], type=Source)
