"""Which events may have come before the days that the ledger keeps, and which are old."""

from schemas.instants import DAY_MS
from services.profile.domain.ledger import DAYS_KEPT
from services.profile.ports.records import LedgerEntry, TimelineRow


def predates_ledger(entry: LedgerEntry) -> bool:
    """An event is accepted a day before it occurred at the earliest: its clock may be that much ahead."""
    if entry.occurred_at is None:
        return False
    return entry.occurred_at // DAY_MS - 1 < entry.day - DAYS_KEPT + 1


def is_aged(row: TimelineRow, before: int) -> bool:
    """History that was told lately stays: a link that comes later must find it, and so must its repeats."""
    return row.occurred_at < before and row.accepted_at < before
