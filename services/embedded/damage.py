"""What an operator is told of files of the embedded log that cannot be read: damaged ones, another release's."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from services.failures import Unavailable

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class OtherFormat(Exception):  # noqa: N818 - a state of the files, told to an operator; not a programming error
    """Another release has written the log. The message says what to do."""


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Turns what SQLite says of a damaged file into `Unavailable`: who waits can go on once there is a whole one."""
    try:
        yield
    except (sqlite3.DatabaseError, msgspec.DecodeError) as error:
        if isinstance(error, sqlite3.DatabaseError) and error.sqlite_errorcode & 0xFF not in _DAMAGED:
            raise
        message = f"the embedded log is damaged: {path}: {error}: restore a backup"
        raise Unavailable(message, retry_after=5.0) from error
