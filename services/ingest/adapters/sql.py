"""Keys and sources in SQLite or PostgreSQL. Both are small and rarely written: plain statements, no cleverness."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.exc import IntegrityError

from services.ingest.domain.sources import Grant, Source
from services.ingest.ports import Conflict
from services.sql.database import Database

_COLUMNS = "key_id, source, channels, rate, burst, created_at, revoked_at"
_ADD = text(
    f"insert into api_keys (key_hash, {_COLUMNS}) values"  # noqa: S608 - our own constant
    " (:key_hash, :key_id, :source, :channels, :rate, :burst, :created_at, :revoked_at)"
)
_FIND = text(f"select {_COLUMNS} from api_keys where key_hash = :key_hash")  # noqa: S608 - our own constant
_ALL = text(f"select {_COLUMNS} from api_keys order by key_id")  # noqa: S608 - our own constant
_REVOKE = text("update api_keys set revoked_at = :at where key_id = :key_id and revoked_at is null")
_PUT_SOURCE = text(
    "insert into sources (source, parameters) values (:source, :parameters)"
    " on conflict (source) do update set parameters = excluded.parameters"
)
_FIND_SOURCE = text("select parameters from sources where source = :source")
_ALL_SOURCES = text("select parameters from sources order by source")


class SqlKeyStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key_hash: str, grant: Grant) -> None:
        try:
            async with self._database.transaction() as connection:
                await connection.execute(_ADD, {"key_hash": key_hash, **_row(grant)})
        except IntegrityError:
            raise Conflict(grant.key_id) from None

    async def find(self, key_hash: str) -> Grant | None:
        rows = await _rows(self._database, _FIND, key_hash=key_hash)
        return _grant(rows[0]) if rows else None

    async def grants(self) -> Sequence[Grant]:
        return [_grant(row) for row in await _rows(self._database, _ALL)]

    async def revoke(self, key_id: str, at: int) -> bool:
        async with self._database.transaction() as connection:
            return (await connection.execute(_REVOKE, {"key_id": key_id, "at": at})).rowcount == 1


class SqlSourceStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, source: Source) -> None:
        parameters = msgspec.json.encode(source).decode()
        async with self._database.transaction() as connection:
            await connection.execute(_PUT_SOURCE, {"source": source.id, "parameters": parameters})

    async def find(self, source_id: str) -> Source | None:
        rows = await _rows(self._database, _FIND_SOURCE, source=source_id)
        return _source(rows[0]) if rows else None

    async def sources(self) -> Sequence[Source]:
        return [_source(row) for row in await _rows(self._database, _ALL_SOURCES)]


async def _rows(database: Database, statement: TextClause, **values: str) -> Sequence[RowMapping]:
    async with database.reading() as connection:
        return (await connection.execute(statement, values)).mappings().all()


def _row(grant: Grant) -> dict[str, object]:
    return {**msgspec.structs.asdict(grant), "channels": msgspec.json.encode(grant.channels).decode()}


def _grant(row: RowMapping) -> Grant:
    return Grant(**{**row, "channels": tuple(msgspec.json.decode(row["channels"], type=list[str]))})


def _source(row: RowMapping) -> Source:
    return msgspec.json.decode(row["parameters"], type=Source)
