"""Which events may have come before the days that the ledger keeps: the same for every store."""

from services.profile.domain.ledger import DAY_MS, DAYS_KEPT
from services.profile.ports import LedgerEntry


def predates_ledger(entry: LedgerEntry) -> bool:
    """An event is accepted a day before it occurred at the earliest: its clock may be that much ahead."""
    if entry.occurred_at is None:
        return False
    return entry.occurred_at // DAY_MS - 1 < entry.day - DAYS_KEPT + 1
