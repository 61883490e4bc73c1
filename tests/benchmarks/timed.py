"""Where the time of a transaction goes: a store whose transactions count wall and CPU time of every call."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from services.profile.ports.store import ProfileStore

COMMIT = "begin and commit"
OWN = "the use case itself"


class Spent:
    """`wall`, `cpu`: step → seconds. CPU is this process's: Python, without the database."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = defaultdict(float)
        self.cpu: dict[str, float] = defaultdict(float)

    def add(self, step: str, wall: float, cpu: float) -> None:
        self.wall[step] += wall
        self.cpu[step] += cpu

    def clear(self) -> None:
        self.wall.clear()
        self.cpu.clear()


class TimedStore:
    """Passes everything on."""

    def __init__(self, store: ProfileStore, spent: Spent) -> None:
        self._store, self._spent = store, spent

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def updating(self) -> AbstractAsyncContextManager[Any]:
        return self._timed(self._store.updating)

    def refreshing(self) -> AbstractAsyncContextManager[Any]:
        return self._timed(self._store.refreshing)

    @asynccontextmanager
    async def _timed(self, opening: Callable[[], AbstractAsyncContextManager[Any]]) -> AsyncIterator[Any]:
        began = time.perf_counter(), time.process_time()
        async with opening() as tx:
            self._note(COMMIT, began)
            yield _TimedTransaction(tx, self._note)
            began = time.perf_counter(), time.process_time()
        self._note(COMMIT, began)

    def _note(self, step: str, began: tuple[float, float]) -> None:
        self._spent.add(step, time.perf_counter() - began[0], time.process_time() - began[1])


class _TimedTransaction:
    def __init__(self, tx: Any, note: Callable[[str, tuple[float, float]], None]) -> None:
        self._tx, self._note = tx, note

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method, note = getattr(self._tx, name), self._note

        async def timed(*arguments: Any) -> Any:
            began = time.perf_counter(), time.process_time()
            try:
                return await method(*arguments)
            finally:
                note(name, began)

        return timed
