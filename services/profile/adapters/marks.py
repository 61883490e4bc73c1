"""How marks of one customer become one: the same for every store."""

from collections.abc import Iterable

from services.profile.ports.records import Mark

ROWS_A_ROOT = 8
"""How many of the oldest marks are looked through for each root that may be taken."""


def oldest_of(marks: Iterable[Mark]) -> list[Mark]:
    """One mark per root with the oldest event behind it; 0 says that none is."""
    oldest: dict[str, int] = {}
    for root, accepted_at in marks:
        known = oldest.get(root, 0)
        oldest[root] = min(known or accepted_at, accepted_at or known)
    return [Mark(root, oldest[root]) for root in sorted(oldest)]
