"""Switches off the kernel's sharing among sessions while a figure is measured, where that is allowed."""

from collections.abc import Iterator
from contextlib import contextmanager

from deploy.topology import AUTOGROUP, shares_among_sessions


@contextmanager
def autogroup_off() -> Iterator[str]:
    """Yields what the figures are measured under. As it was, it is again at the end."""
    if not shares_among_sessions():
        yield "off"
        return
    try:
        AUTOGROUP.write_text("0")
    except OSError:
        yield "on: with `sysctl kernel.sched_autogroup_enabled=0` figures with PostgreSQL are better"
        return
    try:
        yield "off while this runs"
    finally:
        AUTOGROUP.write_text("1")
