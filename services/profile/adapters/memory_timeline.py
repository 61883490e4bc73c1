"""Which rows of a timeline a reader of the memory store asks for."""

from services.profile.ports.reading import Cursor, TimelineFilter
from services.profile.ports.records import TimelineRow


def passes(row: TimelineRow, before: Cursor | None, where: TimelineFilter) -> bool:
    return (
        (before is None or row[1:4] < before)
        and (not where.types or row.type in where.types)
        and (not where.channels or row.channel in where.channels)
        and (where.since is None or row.occurred_at >= where.since)
        and (where.until is None or row.occurred_at < where.until)
    )
