"""The tables of the board: a row a line, and in a narrow window fewer columns instead of fewer letters of each."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.markup import render
from rich.table import Table

from services.cli.output import written

GAP, BETWEEN = 1, 2
"""Behind a column, and between two tables side by side."""


class Latest(NamedTuple):
    """`columns`: heading → cells, in the order in which they stand. `worth`: the same headings, the least worth last.
    `cut`: the one that may be cut, to no less than `least`."""

    columns: Mapping[str, Sequence[str]]
    worth: Sequence[str]
    cut: str
    least: int

    @property
    def whole(self) -> int:
        """How wide it is with everything in it."""
        return sum(map(self._whole, self.columns)) + GAP * len(self.columns)

    @property
    def narrowest(self) -> int:
        """How wide with every column, the one cut as short as may be."""
        return self.whole - max(0, self._whole(self.cut) - self.least)

    def within(self, width: int) -> Table:
        """The first column is always there."""
        kept: list[str] = []
        left = width
        for heading in self.worth:
            needed = min(self._whole(heading), self.least) if heading == self.cut else self._whole(heading)
            if not kept or needed + GAP <= left:
                kept.append(heading)
                left -= needed + GAP
        table = Table(box=None, padding=(0, GAP, 0, 0), header_style="bold")
        shown = [heading for heading in self.columns if heading in kept]
        for heading in shown:
            whole = self._whole(heading)
            taken = min(whole, self.least + left) if heading == self.cut else whole
            table.add_column(heading, width=taken, no_wrap=True)
        for row in zip(*(self.columns[heading] for heading in shown), strict=True):
            table.add_row(*row)
        return table

    def _whole(self, heading: str) -> int:
        return max(cell_len(render(cell, emoji=False).plain) for cell in (heading, *self.columns[heading]))


def latest(
    rows: Sequence[Sequence[object]], headings: Sequence[str], worth: Sequence[str], *, cut: str, least: int
) -> Latest:
    cells = [[written(row[place]) for row in rows] for place in range(len(headings))]
    return Latest(dict(zip(headings, cells, strict=True)), worth, cut, least)


def side_by_side(left: Latest, right: Latest, width: int) -> RenderableType | None:
    """None where there is no room for both."""
    if left.narrowest + BETWEEN + right.narrowest > width:
        return None
    of_right = max(right.narrowest, min(right.whole, width - BETWEEN - left.whole))
    grid = Table.grid(padding=(0, BETWEEN))
    grid.add_row(left.within(width - BETWEEN - of_right), right.within(of_right))
    return Group(grid)
