"""The single writer of the embedded log: appends that wait at the same time share one transaction and one fsync."""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from services.clock import Clock
from services.embedded.files import segment_paths
from services.embedded.segments import Block, Segment, Stream, create_segment
from services.failures import Unavailable

_AWAY = {
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM,
}  # fmt: skip
_MOST_BLOCK_RECORDS = 1_000
_MOST_BLOCK_BYTES = 4 << 20
_MOST_COMMIT_BYTES = 16 << 20
_MOST_WAITING_BYTES = 128 << 20

Pairs = list[tuple[bytes, bytes]]


class Append(NamedTuple):
    """One call of append, grouped by partition; `done` gets the first offset given per partition."""

    pairs: Mapping[Stream, Pairs]
    size: int
    done: "asyncio.Future[dict[Stream, int]]"


class Written(NamedTuple):
    firsts: list[dict[Stream, int]]  # of each append, the first offset per partition
    ends: dict[Stream, int]


Outcome = Written | Exception


class Writer:
    """`ends` is the next offset of every partition, moved after each commit, before anybody is told."""

    def __init__(self, directory: Path, streams: Sequence[Stream], clock: Clock, drop: Callable[[date], None]) -> None:
        self._directory, self._clock, self._drop = directory, clock, drop
        self._queue: queue.SimpleQueue[Append | None] = queue.SimpleQueue()
        self._waiting_bytes = 0
        self._segment = self._newest()
        self.ends: dict[Stream, int] = {stream: self._segment.next(stream) for stream in streams}
        self._thread = threading.Thread(target=self._run, name="embedded log writer", daemon=True)

    def start(self, written: Callable[[Mapping[Stream, int]], None], rotated: Callable[[], None]) -> None:
        """`written` is told on the loop of the appends which partitions grew, `rotated` on the writer's thread."""
        self._written, self._rotated = written, rotated
        self._thread.start()

    def _newest(self) -> Segment:
        paths = segment_paths(self._directory)
        path = paths[-1] if paths else self._directory / f"{self._today()}.sqlite"
        if not paths:
            create_segment(path, {})
        return Segment(path, read_only=False)

    def _today(self) -> str:
        return datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).date().isoformat()

    def submit(self, append: Append) -> None:
        """Raises `Unavailable` while too much waits for the disk."""
        if self._waiting_bytes + append.size > _MOST_WAITING_BYTES:
            raise Unavailable("the embedded log's disk is slower than what is appended")
        self._waiting_bytes += append.size
        self._queue.put(append)

    def close(self) -> None:
        """What was submitted is written first."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        self._segment.close()

    def _run(self) -> None:
        last = False
        while not last:
            appends, last = self._take()
            if appends:
                self._answer(appends, self._commit(appends))

    def _take(self) -> tuple[list[Append], bool]:
        appends: list[Append] = []
        size = 0
        with contextlib.suppress(queue.Empty):
            while size < _MOST_COMMIT_BYTES:
                append = self._queue.get(block=not appends)
                if append is None:
                    return appends, True
                appends.append(append)
                size += append.size
        return appends, False

    def _answer(self, appends: Sequence[Append], outcome: Outcome) -> None:
        def on_loop() -> None:
            self._waiting_bytes -= sum(append.size for append in appends)
            for index, append in enumerate(appends):
                if append.done.done():  # who appended has been cancelled
                    continue
                if isinstance(outcome, Exception):
                    append.done.set_exception(outcome)
                else:
                    append.done.set_result(outcome.firsts[index])
            if isinstance(outcome, Written):
                self._written(outcome.ends)

        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            appends[0].done.get_loop().call_soon_threadsafe(on_loop)

    def _commit(self, appends: Sequence[Append]) -> Outcome:
        ends: dict[Stream, int] = {}
        firsts: list[dict[Stream, int]] = []
        grouped: dict[Stream, Pairs] = {}
        for append in appends:
            placed = {}
            for stream, pairs in append.pairs.items():
                placed[stream] = ends.get(stream, self._end(stream))
                ends[stream] = placed[stream] + len(pairs)
                grouped.setdefault(stream, []).extend(pairs)
            firsts.append(placed)
        try:
            self._rotate()
            now_ms = self._clock.now_ms()
            self._segment.write([b for s, pairs in grouped.items() for b in _blocks(s, self._end(s), now_ms, pairs)])
        except Unavailable as error:
            return error
        except sqlite3.Error as error:
            away = getattr(error, "sqlite_errorcode", 0) & 0xFF in _AWAY
            return Unavailable(f"the embedded log cannot write: {error}", retry_after=5.0) if away else error
        except OSError as error:
            return Unavailable(f"the embedded log cannot write: {error.strerror}", retry_after=5.0)
        self.ends.update(ends)
        return Written(firsts, ends)

    def _end(self, stream: Stream) -> int:
        return self.ends.get(stream, 0)

    def _rotate(self) -> None:
        """A new file when the clock has entered a new day; what is no longer kept goes."""
        today = self._today()
        if today <= self._segment.path.stem:
            return
        path = self._directory / f"{today}.sqlite"
        create_segment(path, self.ends)
        self._segment.close()
        self._segment = Segment(path, read_only=False)
        self._drop(date.fromisoformat(today))
        self._rotated()


def _blocks(stream: Stream, first: int, now_ms: int, pairs: Pairs) -> list[Block]:
    blocks: list[Block] = []
    begin = size = 0
    for i, (key, value) in enumerate(pairs):
        if i > begin and (i - begin >= _MOST_BLOCK_RECORDS or size + len(value) > _MOST_BLOCK_BYTES):
            blocks.append(Block(*stream, first + begin, now_ms, pairs[begin:i]))
            begin, size = i, 0
        size += len(key) + len(value)
    blocks.append(Block(*stream, first + begin, now_ms, pairs[begin:]))
    return blocks
