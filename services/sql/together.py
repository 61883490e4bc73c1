"""Writes that nobody waits for, as one statement of PostgreSQL: a round trip costs the same, whatever is in it."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple


class Write(NamedTuple):
    """`refused` is raised where fewer rows than `expected` are written; None where that is of no interest."""

    sql: str
    arguments: Sequence[Any]
    expected: int
    refused: Exception | None


async def write_together(driver: Any, writes: Sequence[Write]) -> None:
    """No two of them may write the same row: none sees what another one does."""
    text = _together(tuple((one.sql, len(one.arguments), one.refused is not None) for one in writes))
    found = await driver.fetchrow(text, *(value for one in writes for value in one.arguments))
    counted = [one for one in writes if one.refused is not None]
    for one, written in zip(counted, found, strict=True):
        if written != one.expected and one.refused is not None:
            raise one.refused


@lru_cache(256)
def _together(statements: Sequence[tuple[str, int, bool]]) -> str:
    parts, counts, before = list[str](), list[str](), 0
    for place, (sql, arguments, counted) in enumerate(statements):
        parts.append(f"w{place} as ({_renumbered(sql, before)}{' returning 1' if counted else ''})")
        if counted:
            counts.append(f"(select count(*) from w{place})")  # noqa: S608 - a number
        before += arguments
    return f"with {', '.join(parts)} select {', '.join(counts)}"


def _renumbered(sql: str, before: int) -> str:
    return re.sub(r"\$(\d+)", lambda found: f"${int(found[1]) + before}", sql)
