"""How wide the columns of a table are: within the window, whole words, and the columns of least worth left out."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.cells import cell_len

BESIDE_CELL, EDGE = 3, 1
"""What the lines of a table and the space beside them take."""
LONGEST_WORD, LONGEST_UNSPACED = 36, 12
"""A longer one may break: a trace, a sentence in Chinese."""


class Column(NamedTuple):
    """`whole`: as wide as its longest line. `least`: without breaking a word."""

    whole: int
    least: int


def widths(columns: Mapping[str, Sequence[str]], window: int) -> dict[str, int]:
    """`columns`: name → heading and cells, in the order of their worth. Those that are missing have no room.

    The first names the row and is always there. A word of its own breaks only where the window is narrower: it may be
    an id with a channel's own inside.
    """
    kept: dict[str, Column] = {}
    taken = EDGE
    for name, texts in columns.items():
        column = _measured(texts, LONGEST_WORD if kept else window - EDGE - BESIDE_CELL)
        if not kept or taken + column.least + BESIDE_CELL <= window:
            kept[name] = column
            taken += column.least + BESIDE_CELL
    room = window - EDGE - BESIDE_CELL * len(kept)
    return _shared_out(kept, room)


def _shared_out(columns: Mapping[str, Column], room: int) -> dict[str, int]:
    """Who needs little has it all, the others the same: as much as there is."""
    found = {name: column.least for name, column in columns.items()}
    for share in range(1, room + 1):
        wider = {name: min(column.whole, max(column.least, share)) for name, column in columns.items()}
        if sum(wider.values()) > room:
            break
        found = wider
    return found


def _measured(texts: Sequence[str], longest_word: int) -> Column:
    lines = [line for text in texts for line in text.splitlines()]
    unbroken = [_unbroken(word, longest_word) for line in lines for word in line.split()]
    return Column(max(map(cell_len, lines), default=0), max(unbroken, default=0))


def _unbroken(word: str, longest_word: int) -> int:
    return min(cell_len(word), longest_word if word.isascii() else LONGEST_UNSPACED)
