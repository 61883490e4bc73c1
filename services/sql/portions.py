"""A statement that touches more rows than it has the time for: some at a time, each portion in its own transaction."""

from typing import Any

from services.sql.database import Database
from services.sql.session import writing


async def run_in_portions(database: Database, sql: str, at_once: int, *arguments: Any) -> int:
    """`sql` touches at most `{limit}` rows, and other ones each time. Returns how many in all; raises as `writing`, and
    what was done before stands."""
    touched, some = 0, at_once
    while some == at_once:
        async with writing(database) as session:
            some = await session.run(sql.format(limit=at_once), *arguments)
        touched += some
    return touched
