"""A process that holds to the history of its database takes no connection to another one."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asyncpg.exceptions import FeatureNotSupportedError

from services.failures import Unavailable
from services.sql.history import History

FIRST, PROMOTED, REPLICA = "7/00000001", "7/00000002", ""


class Server:
    """A connection to it, as SQLAlchemy gives it; it tells its history unless it cannot."""

    def __init__(self, told: str | None) -> None:
        self._told = told
        self.is_closed = False

    def run_async(self, ask: Callable[[Any], Any]) -> Any:
        return ask(self)

    def fetchval(self, _: str) -> str:
        if self._told is None:
            raise FeatureNotSupportedError("pg_walfile_name is not supported")
        return self._told

    def close(self) -> None:
        self.is_closed = True


def held_since(*told: str | None) -> History:
    history = History()
    for one in told:
        history.note(Server(one), None)
    history.hold()
    return history


async def has_left(history: History) -> bool:
    waiting = asyncio.ensure_future(history.left())
    await asyncio.sleep(0)
    return waiting.done() or not waiting.cancel()


@pytest.mark.parametrize(
    ("server", "why", "ends"),
    [(PROMOTED, "another one than at the start", True), (REPLICA, "only reads now, a replica", False)],
)
async def test_a_server_promoted_since_ends_the_work_and_a_replica_is_waited_for(
    server: str, why: str, ends: bool
) -> None:
    history, other = held_since(FIRST), Server(server)
    with pytest.raises(Unavailable, match=why):
        history.note(other, None)
    assert other.is_closed
    assert await has_left(history) == ends


@pytest.mark.parametrize("server", [FIRST, None])
async def test_the_same_server_is_taken_and_one_that_does_not_tell(server: str | None) -> None:
    history, again = held_since(FIRST), Server(server)
    history.note(again, None)
    assert not again.is_closed
    assert not await has_left(history)


async def test_who_began_with_a_replica_goes_on_with_what_it_becomes() -> None:
    history = held_since(REPLICA)
    history.note(Server(REPLICA), None)
    history.note(Server(PROMOTED), None)
    assert not await has_left(history)


async def test_nothing_is_refused_before_it_is_held() -> None:
    history = History()
    for told in (FIRST, REPLICA, PROMOTED):
        history.note(Server(told), None)
    assert not await has_left(history)
