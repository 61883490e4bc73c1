"""The files of the embedded log: one SQLite database per day, whole files are what retention drops.

Records of one partition that were appended together are one block, one row: a record costs microseconds, a row ten.
A block carries a checksum, for SQLite has none: a bit that a disk has turned must not become another amount of money.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import msgspec

from services.embedded.damage import OtherFormat, damage_told
from services.failures import Unavailable
from services.log import Record

Stream = tuple[int, int]
"""Number of the topic in `topics.sqlite` (never given twice), partition."""

_SCHEMA = """
create table blocks (
  topic integer not null, partition integer not null, first integer not null, until integer not null,
  payload blob not null, primary key (topic, partition, first)) without rowid;
create table bases (
  topic integer not null, partition integer not null, next integer not null,
  primary key (topic, partition)) without rowid;
pragma user_version = 2;
"""
_VERSION = 2
_READ = """
select first, payload from blocks
where topic = ?1 and partition = ?2 and until > ?3 and first >= coalesce(
  (select max(first) from blocks where topic = ?1 and partition = ?2 and first <= ?3), 0)
order by first
"""


class _Payload(msgspec.Struct, array_like=True, gc=False):
    """`checksum`: of the encoded pairs, and of where and when."""

    timestamp_ms: int
    pairs: msgspec.Raw
    checksum: int


_decoder = msgspec.msgpack.Decoder(_Payload)
_pairs_decoder = msgspec.msgpack.Decoder(list[tuple[bytes, bytes]])
_encoder = msgspec.msgpack.Encoder()


class Block(NamedTuple):
    topic: int
    partition: int
    first: int
    timestamp_ms: int
    pairs: Sequence[tuple[bytes, bytes]]  # key, value


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Transactions are explicit. Threads take turns by construction: one writes, one reads. Raises `Unavailable` where
    there is no file or it is none of SQLite's."""
    if not read_only and not path.exists():
        path.touch(0o600)  # what customers did is the owner's alone; the journals beside it get the same mode
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=5.0, isolation_level=None, check_same_thread=False)
        _look_at(connection, read_only)
    except sqlite3.Error as error:
        raise Unavailable(f"the embedded log cannot be opened: {path}: {error}") from error
    return connection


def _look_at(connection: sqlite3.Connection, read_only: bool) -> None:
    """SQLite opens whatever there is, and reads it with the first statement."""
    try:
        connection.execute("pragma schema_version")
        if not read_only:
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
    except sqlite3.Error:
        connection.close()
        raise


def create_segment(path: Path, bases: Mapping[Stream, int]) -> None:
    """Makes the file of a day; `bases` say where each partition goes on, in the same transaction as its tables."""
    path_new = path.with_suffix(".new")  # renamed when whole: a crash leaves no half-made day behind
    for suffix in ("", "-wal", "-shm"):
        path_new.with_name(path_new.name + suffix).unlink(missing_ok=True)
    connection = connect(path_new)
    try:
        connection.execute("begin immediate")
        for statement in _SCHEMA.strip().split(";"):
            connection.execute(statement)
        connection.executemany("insert into bases values (?, ?, ?)", [(*stream, n) for stream, n in bases.items()])
        connection.execute("commit")
        # what closing could not bring from the journal into the file would be lost with its name, without an error
        if connection.execute("pragma wal_checkpoint(truncate)").fetchone()[0]:
            raise Unavailable(f"another program keeps {path_new} open")
    finally:
        connection.close()
    path_new.rename(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


class Segment:
    """One day's file. `bases` are the offsets at which its partitions begin; a partition left out begins at 0."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path, self._read_only = path, read_only
        self._open: sqlite3.Connection | None = None
        with damage_told(path):
            version = self._connection.execute("pragma user_version").fetchone()[0]
        if version != _VERSION:
            self.close()
            raise OtherFormat(
                f"{path} is of version {version} of the embedded log, and this release reads {_VERSION}: go on with the"
                f" build that wrote it, or begin anew in another directory"
            )
        with damage_told(path):
            rows = self._connection.execute("select topic, partition, next from bases")
            self.bases: dict[Stream, int] = {(topic, partition): n for topic, partition, n in rows}

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            self._open = connect(self.path, read_only=self._read_only)
        return self._open

    def write(self, blocks: Sequence[Block]) -> None:
        """Durable on return. Raises sqlite3.Error or `Unavailable`, and then nothing was written."""
        rows = [(*b[:3], b.first + len(b.pairs), _payload(b)) for b in blocks]
        with damage_told(self.path):
            self._insert(rows)

    def _insert(self, rows: Sequence[tuple[object, ...]]) -> None:
        connection = self._connection
        connection.execute("begin immediate")
        try:
            connection.executemany("insert into blocks values (?, ?, ?, ?, ?)", rows)
            connection.execute("commit")
        except BaseException:
            if connection.in_transaction:
                connection.execute("rollback")
            raise

    def next(self, stream: Stream) -> int:
        query = "select until from blocks where topic = ? and partition = ? order by first desc limit 1"
        with damage_told(self.path):
            row = self._connection.execute(query, stream).fetchone()
        return int(row[0]) if row else self.bases.get(stream, 0)

    def read(self, stream: Stream, start: int, most: int, most_bytes: int) -> list[Record]:
        """At least one block, if there is one at or after `start`; then as many as the limits allow, and none after a
        damaged one. Raises `Unavailable` where that is the first."""
        records: list[Record] = []
        try:
            with damage_told(self.path):
                self._read_into(records, stream, start, most, most_bytes)
        except Unavailable:
            if not records:
                raise
        return records

    def _read_into(self, records: list[Record], stream: Stream, start: int, most: int, most_bytes: int) -> None:
        size = 0
        for first, payload in self._blocks(stream, start):
            if records and first != records[-1].offset + 1:
                return  # a block is gone: who goes on from here is told
            timestamp_ms, pairs = _opened(payload, (*stream, first))
            skip = max(0, start - first)
            records += [Record(first + i, timestamp_ms, *pairs[i]) for i in range(skip, len(pairs))]
            size += len(payload)
            if len(records) >= most or size >= most_bytes:
                return

    def _blocks(self, stream: Stream, start: int) -> Iterator[tuple[int, bytes]]:
        cursor = self._connection.execute(_READ, (*stream, start))
        try:
            yield from cursor
        finally:
            cursor.close()  # an open cursor would hold the write-ahead log back

    def data_version(self) -> int:
        """Changes when another process has written."""
        return int(self._connection.execute("pragma data_version").fetchone()[0])

    def close(self) -> None:
        """Until it is used again."""
        if self._open is not None:
            self._open.close()
            self._open = None


def _payload(block: Block) -> bytes:
    pairs = _encoder.encode(block.pairs)
    return _encoder.encode((block.timestamp_ms, msgspec.Raw(pairs), _checksum(pairs, *block[:4])))


def _opened(payload: bytes, place: tuple[int, int, int]) -> tuple[int, list[tuple[bytes, bytes]]]:
    """`place`: topic, partition and first offset. Raises `msgspec.DecodeError`."""
    timestamp_ms, pairs, checksum = msgspec.structs.astuple(_decoder.decode(payload))
    if checksum != _checksum(pairs, *place, timestamp_ms):
        raise msgspec.DecodeError("its checksum does not agree")
    return timestamp_ms, _pairs_decoder.decode(pairs)


def _checksum(pairs: bytes, *numbers: int) -> int:
    return crc32(pairs, crc32(repr(numbers).encode()))
