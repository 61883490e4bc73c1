"""On a machine with more to do than it can, everybody waits for a turn: what stands still there may only be slow."""

import os

MOST_TURNS = 3
"""A doctor who waits for longer is no help."""


def turns() -> int:
    """How many have to share each processor; how many times as long one waits there."""
    return min(MOST_TURNS, max(1, round(os.getloadavg()[0] / _processors())))


def but_busy() -> str:
    """To be added to what is wrong: a clause, or nothing."""
    if turns() == 1:
        return ""
    return f"; but this machine is busy (load {os.getloadavg()[0]:.0f} on {_processors()} processors), and slow"


def _processors() -> int:
    return os.cpu_count() or 1
