"""What similar customers hold and this one does not: a dated table that lies open, nothing is learned."""

from collections.abc import Sequence, Set
from typing import NamedTuple


class NextProduct(NamedTuple):
    """Of customers of this kind and one of these tiers who hold the families `has`. Days since 1970, both included."""

    kind: str
    tiers: frozenset[str]
    has: frozenset[str]
    family: str
    share_percent: int
    from_day: int
    until_day: int


def next_product(table: Sequence[NextProduct], kind: str, tier: str, held: Set[str], day: int) -> NextProduct | None:
    """The first row that fits."""
    return next(
        (
            row
            for row in table
            if row.kind == kind
            and tier in row.tiers
            and row.family not in held
            and row.has <= held
            and row.from_day <= day <= row.until_day
        ),
        None,
    )
