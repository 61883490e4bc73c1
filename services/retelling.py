"""Telling readers of a log anew what they have heard of rows since the backup that a database came back from."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import NamedTuple, TypeVar

from services.attempts import again_when_contended

T = TypeVar("T")
AT_ONCE = 500


class Retold(NamedTuple):
    """`again`: what is told as it stands now. `unknown`: that of which the database knows nothing, and which readers
    are told to be over."""

    again: int
    unknown: int


async def retold_in_portions(heard: Mapping[str, T], some: Callable[[Mapping[str, T]], Awaitable[Retold]]) -> Retold:
    """`heard`: by id, what readers have heard last; `some` tells a portion of it anew in one transaction."""
    again = unknown = 0
    ids = sorted(heard)
    for start in range(0, len(ids), AT_ONCE):
        portion = {one: heard[one] for one in ids[start : start + AT_ONCE]}
        done = await again_when_contended(partial(some, portion))
        again, unknown = again + done.again, unknown + done.unknown
    return Retold(again, unknown)
