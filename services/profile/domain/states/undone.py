"""A movement is cancelled once, however many reversals come: the month keeps what a reversal took, so that a second one
can be given back."""

from collections.abc import Mapping
from typing import TypeVar

from services.profile.domain.states.state import Cell, Month, Series, Undone

K = TypeVar("K")
TAKEN, GIVEN_BACK = 1, -1


def times(undone: Undone, sign: int) -> Undone:
    """Shares nothing with its argument: a fold changes the cells that it is given."""
    month = undone.month
    moved = Month(
        days=_times_each(month.days, sign), totals=_times(month.totals, sign),
        parties=_times_each(month.parties, sign), banks=_times_each(month.banks, sign),
        names=_times_each(month.names, sign),
    )  # fmt: skip
    return Undone(undone.stamp, moved, _times_each(undone.hours, sign))


def _times_each(parts: Mapping[K, Series], sign: int) -> dict[K, Series]:
    return {key: _times(series, sign) for key, series in parts.items()}


def _times(series: Series, sign: int) -> Series:
    return {name: Cell(cell.count * sign, cell.total * sign) for name, cell in series.items()}
