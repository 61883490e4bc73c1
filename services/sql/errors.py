"""What an error of a database driver means: try again, wait for the server, or a bug."""

import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.failures import Rejected

# PostgreSQL, appendix A: serialization_failure, deadlock_detected, lock_not_available
_RETRYABLE_STATES = frozenset({"40001", "40P01", "55P03"})
# what asyncpg raises once for each connection, and prepares anew after it
_PREPARED_ANEW = frozenset({"InvalidCachedStatementError", "OutdatedSchemaCacheError"})
# character_not_in_repertoire: NUL, which JSON and URLs can spell and PostgreSQL's text cannot hold
_NO_TEXT = "22021"
# query_canceled (statement timeout), idle_in_transaction_session_timeout, transaction_timeout,
# read_only_sql_transaction (a fallen primary), data_corrupted, index_corrupted; duplicate_prepared_statement,
# invalid_sql_statement_name: the driver's names are its connection's own, until a pooler hands it another one's;
# invalid_catalog_name, insufficient_privilege: whoever mends it mends no event
_UNAVAILABLE_STATES = frozenset(
    {"57014", "25P03", "25P04", "25006", "XX001", "XX002", "42P05", "26000", "3D000", "42501"}
)
# connection exception, insufficient resources, operator intervention (shutdown), system error; invalid authorization
_UNAVAILABLE_CLASSES = ("08", "53", "57P", "58", "28")

_FILES = "PGSSLROOTCERT, PGSSLCERT or PGSSLKEY"
_NAMED_WORDS = {
    "gaierror": "nobody knows its host",
    # asyncpg's, of the URL and PGSSL… variables: a file of certificates that cannot be read, an unknown `ssl`
    "ClientConfigurationError": "what its URL and PGSSLROOTCERT say of TLS cannot be used",
    # Python's, and none of them names the file
    "FileNotFoundError": f"a file that is named by {_FILES}, or its socket, is not there",
    "PermissionError": f"this process may not read a file that is named by {_FILES}, or not use its socket",
    "SSLCertVerificationError": "its certificate is not one that PGSSLROOTCERT vouches for",
    "SSLError": f"a file that is named by {_FILES} holds no such thing, or TLS is spoken another way there",
}
_RETRYABLE_SQLITE = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_SQLITE_WORDS = {
    sqlite3.SQLITE_FULL: "its disk is full", sqlite3.SQLITE_IOERR: "its disk fails",
    sqlite3.SQLITE_CANTOPEN: "its file cannot be opened", sqlite3.SQLITE_READONLY: "its file is read-only",
    sqlite3.SQLITE_NOMEM: "it is out of memory",
    # no transaction that failed is wrong, nor is the release: whoever waits can go on once there is a whole file
    sqlite3.SQLITE_NOTADB: "its file is no database: restore a backup",
    sqlite3.SQLITE_CORRUPT: "its file is damaged: restore a backup",
}  # fmt: skip
_POOLED = "a pooler hands each transaction another connection: set it to session mode"
_STATE_WORDS = {
    "53100": "its disk is full", "53200": "it is out of memory", "53300": "it has too many connections",
    "57P01": "it is shutting down", "57P03": "it is starting up", "57014": "a statement took too long",
    "25P03": "a transaction took too long", "25P04": "a transaction took too long",
    "25006": "it is a read-only replica", "XX001": "its data are damaged: restore a backup",
    "XX002": "an index is damaged: reindex it", "55P03": "somebody keeps a whole table locked",
    "42P05": _POOLED, "26000": _POOLED,
    "28P01": "it refuses the password", "28000": "it refuses this role, or a connection without TLS, from here",
    "3D000": "it has no database of this name",
    "42501": "this role lacks a right: deploy/rights/postgresql.sql gives each service its own",
    "40001": "a replica had to end the reading", "40P01": "it ended a deadlock",
}  # fmt: skip


def is_retryable(error: BaseException) -> bool:
    """Deadlock, serialization failure, lock timeout, or a table that was altered since the statement was prepared: the
    same transaction may succeed at once."""
    return any(
        _state(e) in _RETRYABLE_STATES or _sqlite_code(e) in _RETRYABLE_SQLITE or type(e).__name__ in _PREPARED_ANEW
        for e in _chain(error)
    )


def is_no_text(error: BaseException) -> bool:
    """A value holds a character that the database cannot: it can never be kept nor found."""
    return any(_state(e) == _NO_TEXT for e in _chain(error))


def no_text() -> Rejected:
    """What a NUL in a text is answered with, whichever the database."""
    return Rejected("invalid_text", "a value contains a NUL character")


def is_unavailable(error: BaseException) -> bool:
    """The server or its disk is away, overloaded or shutting down, or the connection was lost."""
    return any(_tells_of_absence(e) for e in _chain(error))


def why_unavailable(error: BaseException) -> str:
    """In words where it is known, else the name of the error: its text may repeat a value."""
    words = (
        _STATE_WORDS.get(_state(one)) or _SQLITE_WORDS.get(_sqlite_code(one)) or _NAMED_WORDS.get(type(one).__name__)
        for one in _chain(error)
    )
    late = "it did not answer in time" if any(isinstance(one, TimeoutError) for one in _chain(error)) else None
    # asyncpg's words for it, which begin with host and port
    bare = "it offers no TLS" if any("rejected SSL" in str(one) for one in _chain(error)) else None
    return next(filter(None, words), late or bare or type(error).__name__)


def _tells_of_absence(error: BaseException) -> bool:
    if isinstance(error, OSError | PoolTimeout):  # TimeoutError and ConnectionError are OSErrors
        return True
    if (isinstance(error, DBAPIError) and error.connection_invalidated) or type(error).__name__ in _NAMED_WORDS:
        return True
    state = _state(error)
    if state in _UNAVAILABLE_STATES or state.startswith(_UNAVAILABLE_CLASSES):
        return True
    # asyncpg's own error for a connection that ended has no SQLSTATE, and is also used for programming errors
    closed = type(error).__name__ == "InterfaceError" and "closed" in str(error)
    return closed or _is_interrupted(error) or _sqlite_code(error) in _SQLITE_WORDS


def _is_interrupted(error: BaseException) -> bool:
    """A connection whose last operation never ended, because its process was frozen past every timeout or its server
    went away: the pool handed it out before it was thrown away."""
    return type(error).__name__ in ("InternalClientError", "InterfaceError") and "another operation" in str(error)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what SQLAlchemy wrapped in it, and what the driver raised first."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [getattr(current, "orig", None), current.__cause__]


def _state(error: BaseException) -> str:
    state = getattr(error, "sqlstate", None)
    return state if isinstance(state, str) else ""


def _sqlite_code(error: BaseException) -> int:
    """The primary result code: extended codes keep it in their low byte."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else -1
