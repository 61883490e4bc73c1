"""What stands in the directory of the embedded log: its lock, its topics, and the files that are read from."""

import fcntl
import os
import threading
import uuid
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from schemas.topics import Topic
from services.embedded.segments import Segment, Stream, connect
from services.log import Record, UnknownTopic

_TOPICS = """create table if not exists topics (
  number integer primary key autoincrement, name text not null unique, id text not null, partitions integer not null,
  retention_days integer not null)"""

_KEPT_OPEN = 8
"""Older files: the partitions of a topic may be days apart."""


class DirectoryInUse(RuntimeError):  # noqa: N818 - named after what is wrong
    """Another process writes to this directory."""


class DirectoryLock:
    """Held by the one process that writes. The system lets go of it when the process ends, however it ends."""

    def __init__(self, directory: Path) -> None:
        self._descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise DirectoryInUse(
                f"{directory} is in use by another running platform: stop that one, or name another directory"
            ) from None

    def release(self) -> None:
        os.close(self._descriptor)


class TopicRow(NamedTuple):
    number: int
    id: str
    partitions: int


class TopicTable:
    """Topics by name. Read from the file each time: another process may have made one."""

    def __init__(self, directory: Path, *, read_only: bool) -> None:
        self._lock = threading.Lock()
        self._connection = connect(directory / "topics.sqlite", read_only=read_only)
        if not read_only:
            self._connection.execute(_TOPICS)

    def get(self, name: str) -> TopicRow:
        with self._lock:
            row = self._connection.execute(
                "select number, id, partitions from topics where name = ?", (name,)
            ).fetchone()
        if row is None:
            raise UnknownTopic(name)
        return TopicRow(*row)

    def create(self, topics: Sequence[Topic]) -> None:
        rows = [(topic.name, uuid.uuid4().hex, topic.partitions, topic.retention_days) for topic in topics]
        with self._lock:
            self._connection.executemany(
                "insert into topics (name, id, partitions, retention_days) values (?, ?, ?, ?)"
                " on conflict (name) do nothing",
                rows,
            )

    def delete(self, name: str) -> None:
        with self._lock:
            self._connection.execute("delete from topics where name = ?", (name,))

    def longest_retention_days(self) -> int | None:
        with self._lock:
            row = self._connection.execute("select max(retention_days) from topics").fetchone()
        return None if row[0] is None else int(row[0])

    def streams(self) -> list[Stream]:
        with self._lock:
            rows = self._connection.execute("select number, partitions from topics").fetchall()
        return [(number, partition) for number, partitions in rows for partition in range(partitions)]

    def close(self) -> None:
        self._connection.close()


def segment_paths(directory: Path) -> list[Path]:
    """Oldest first: a file is named after its day."""
    return sorted(directory.glob("????-??-??.sqlite"))


class SegmentReader:
    """Reads over all files of the log. Used by one thread at a time. Open are the newest and those read from last: a
    log of months has more days than a process may open files, and SQLite keeps pages of each."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._segments: dict[Path, Segment] = {}
        self._read_from: deque[Segment] = deque()
        self._seen: tuple[object, ...] = ()
        try:
            self.rescan()
        except BaseException:
            self.close()
            raise

    def rescan(self) -> bool:
        """Follows rotation and retention; says whether something was written since the last call."""
        paths = segment_paths(self._directory)
        for gone in self._segments.keys() - set(paths):
            self._segments.pop(gone).close()
        for path in paths:
            if path not in self._segments:
                self.close()
                self._segments[path] = Segment(path, read_only=True)
        before, self._seen = self._seen, self._written()
        return self._seen != before

    def _written(self) -> tuple[object, ...]:
        newest = next(reversed(self._segments.values()), None)
        return (newest.path, newest.data_version()) if newest else ()

    def first(self, stream: Stream) -> int:
        oldest = next(iter(self._segments.values()), None)
        return oldest.bases.get(stream, 0) if oldest else 0

    def next(self, stream: Stream) -> int:
        newest = next(reversed(self._segments.values()), None)
        return newest.next(stream) if newest else 0

    def offset_at(self, stream: Stream, at_ms: int) -> int:
        """By halves: a day may hold more records than anybody wants to read."""
        low, high = self.first(stream), self.next(stream)
        while low < high:
            middle = (low + high) // 2
            found = self.read(stream, middle, 1, 1)
            if found and found[0].timestamp_ms < at_ms:
                low = middle + 1
            else:
                high = middle
        return low

    def read(self, stream: Stream, start: int, most: int, most_bytes: int) -> list[Record]:
        """Records from `start` on, of one file: the next call goes on in the next."""
        segments = list(self._segments.values())
        at = max((i for i, s in enumerate(segments) if s.bases.get(stream, 0) <= start), default=0)
        for segment in segments[at:]:
            self._keep_open(segment)
            if records := segment.read(stream, start, most, most_bytes):
                return records
        return []

    def _keep_open(self, segment: Segment) -> None:
        if segment is next(reversed(self._segments.values())) or segment in self._read_from:
            return
        self._read_from.append(segment)
        if len(self._read_from) > _KEPT_OPEN:
            self._read_from.popleft().close()

    def close(self) -> None:
        """All files, until they are read again."""
        self._read_from.clear()
        for segment in self._segments.values():
            segment.close()
