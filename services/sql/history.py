"""Which server's past the connections of one database share: after a fail-over, or where a backup came back, the
server is another one or on another timeline, and may not know what this process was told is committed."""

import asyncio
from typing import Any

from asyncpg import exceptions

from services.failures import Unavailable

# the timeline as the server's next write has it: its control file follows only with the next checkpoint
# (PostgreSQL, "System Administration Functions", and "Timelines" of continuous archiving)
_HISTORY = """
select case when pg_is_in_recovery() then '' else
    (select system_identifier::text from pg_control_system()) || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
end"""
_REPLICA = ""
_NOT_TOLD = (
    exceptions.InsufficientPrivilegeError, exceptions.FeatureNotSupportedError, exceptions.UndefinedFunctionError,
    exceptions.ObjectNotInPrerequisiteStateError,
)  # fmt: skip
"""What a hosted server, or one that only speaks PostgreSQL's protocol, may answer: its history is not known then."""


class History:
    """That of the first connection to a server that writes. Once it is held, a connection of another one is refused."""

    def __init__(self) -> None:
        self._first = _REPLICA
        self._is_held = False
        self._left = asyncio.Event()

    def hold(self) -> None:
        self._is_held = True

    async def left(self) -> None:
        """Returns when a server of another history was met. A replica is none yet: it may still catch up."""
        await self._left.wait()

    def note(self, connection: Any, _: object) -> None:
        """For each new connection of a pool, as SQLAlchemy's event `connect` gives it. Raises `Unavailable`."""
        found = _of(connection)
        if found is None:
            return
        self._first = self._first or found
        if not self._is_held or found == self._first:
            return
        connection.run_async(lambda driver: driver.close())
        if found == _REPLICA:
            raise Unavailable("the database only reads now, a replica", setting="COUNTERPOINT_DATABASE")
        self._left.set()
        raise Unavailable("the database is another one than at the start", setting="COUNTERPOINT_DATABASE")


def _of(connection: Any) -> str | None:
    try:
        identity: str = connection.run_async(lambda driver: driver.fetchval(_HISTORY))
    except _NOT_TOLD:
        return None
    return identity
