"""How marks of one customer become one."""

from collections.abc import Iterable

from services.profile.ports.records import Mark

ROWS_A_ROOT = 8
"""How many of the oldest marks are looked through for each root that may be taken."""


def oldest_of(marks: Iterable[Mark]) -> list[Mark]:
    """One mark per root with the oldest events behind it; 0 says that there is none."""
    oldest: dict[str, Mark] = {}
    for mark in marks:
        known = oldest.get(mark.root, mark)
        accepted_at = _earlier(known.accepted_at, mark.accepted_at)
        oldest[mark.root] = Mark(mark.root, accepted_at, _earlier(known.urgent_at, mark.urgent_at))
    return [oldest[root] for root in sorted(oldest)]


def _earlier(one: int, other: int) -> int:
    return min(one or other, other or one)
