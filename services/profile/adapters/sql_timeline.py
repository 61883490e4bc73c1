"""The timeline of a customer: the newest events of several subjects, each read along its own index."""

from collections.abc import Sequence
from typing import Any

from services.profile.adapters import rows
from services.profile.ports.reading import Cursor, TimelineFilter
from services.profile.ports.records import TimelineRow
from services.sql.session import Session

PAGE = f"""
select {rows.EVENT} from timeline where (subject, occurred_at, sequence, key) > ($1, $2, $3, $4)
order by subject, occurred_at, sequence, key limit $5"""  # noqa: S608 - constants
_SPANS_AT_ONCE = 200


async def timeline(
    session: Session,
    spans: Sequence[tuple[str, int, int]],
    before: Cursor | None,
    where: TimelineFilter,
    limit: int,
) -> list[TimelineRow]:
    newest: list[TimelineRow] = []
    for start in range(0, len(spans), _SPANS_AT_ONCE):
        sql, arguments = _query(spans[start : start + _SPANS_AT_ONCE], before, where, limit)
        newest += [TimelineRow(*row) for row in await session.rows(sql, *arguments)]
    newest.sort(key=lambda row: row[1:4], reverse=True)
    return newest[:limit]


def _query(
    spans: Sequence[tuple[str, int, int]], before: Cursor | None, where: TimelineFilter, limit: int
) -> tuple[str, list[Any]]:
    """One branch for each span, so that each stops at `limit` of its own index; values travel as arguments."""
    arguments: list[Any] = [limit]

    def place(value: Any) -> str:
        arguments.append(value)
        return f"${len(arguments)}"

    narrowed = ""
    if before is not None:
        narrowed += f" and (occurred_at, sequence, key) < ({', '.join(map(place, before))})"
    if where.types:
        narrowed += f" and type = any({place(list(where.types))}::text[])"
    if where.channels:
        narrowed += f" and channel = any({place(list(where.channels))}::text[])"
    if where.since is not None:
        narrowed += f" and occurred_at >= {place(where.since)}"
    if where.until is not None:
        narrowed += f" and occurred_at < {place(where.until)}"
    branches = [
        f"select * from (select {rows.EVENT} from timeline where subject = {place(subject)}"  # noqa: S608 - no input in it
        f" and occurred_at >= {place(since)} and occurred_at < {place(until)}{narrowed}"
        " order by occurred_at desc, sequence desc, key desc limit $1) t"
        for subject, since, until in spans
    ]
    return " union all ".join(branches), arguments
