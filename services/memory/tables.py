"""Tables in memory with indexes, and transactions that can be undone: one writer at a time, readers wait for it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Iterable
from contextlib import asynccontextmanager
from operator import attrgetter
from typing import Any, Generic, Self, TypeVar

Row = TypeVar("Row")
Journal = list[Callable[[], None]]


class Turns:
    """`journal`: how to undo what the transaction in hand has done so far."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self.journal: Journal = []

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Self]:
        """A transaction: nobody else reads or writes meanwhile, and an exception undoes all of it."""
        async with self._turn:
            self.journal.clear()
            try:
                yield self
            except BaseException:
                while self.journal:
                    self.journal.pop()()
                raise


class Table(Generic[Row]):
    """Rows by the fields of their key, and by any number of indexed fields; changes are noted in `journal`."""

    def __init__(self, journal: Journal, key: str, *indexes: str) -> None:
        self._journal, self._key = journal, attrgetter(*key.split())
        self._indexes = {index: attrgetter(index) for index in indexes}
        self._rows: dict[Hashable, Row] = {}
        self._found: dict[str, dict[Hashable, dict[Hashable, None]]] = {index: {} for index in indexes}

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: Hashable) -> Row | None:
        return self._rows.get(key)

    def rows(self) -> list[Row]:
        return list(self._rows.values())

    def by(self, index: str, values: Iterable[Hashable]) -> list[Row]:
        """The rows whose indexed value is one of these, each once."""
        found = self._found[index]
        return [self._rows[key] for value in dict.fromkeys(values) for key in found.get(value, ())]

    def values(self, index: str) -> list[Any]:
        """Every value of the index, each once."""
        return list(self._found[index])

    def put(self, row: Row) -> None:
        key = self._key(row)
        before = self._rows.get(key)
        self._set(key, row)
        self._journal.append(lambda: self._set(key, before))

    def drop(self, rows: Iterable[Row]) -> None:
        for row in list(rows):
            key = self._key(row)
            self._set(key, None)
            self._journal.append(lambda key=key, row=row: self._set(key, row))  # type: ignore[misc] # binds this row

    def _set(self, key: Hashable, row: Row | None) -> None:
        before = self._rows.pop(key, None)
        if before is not None:
            for index, value in self._indexes.items():
                keys = self._found[index][value(before)]
                del keys[key]
                if not keys:
                    del self._found[index][value(before)]
        if row is not None:
            self._rows[key] = row
            for index, value in self._indexes.items():
                self._found[index].setdefault(value(row), {})[key] = None
