"""Switches off the kernel's sharing among sessions while a figure is measured, where that is allowed.

Linux shares a processor among sessions first, and only then among the processes of each (sched(7), "The autogroup
feature"). PostgreSQL makes each connection a session of its own, and they then wait for one another: an event is
visible half as soon again. Under systemd and in containers services have control groups, and this has no say.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SETTING = Path("/proc/sys/kernel/sched_autogroup_enabled")


@contextmanager
def autogroup_off() -> Iterator[str]:
    """Yields what the figures were measured under. Whatever it was is set again at the end."""
    if not SETTING.exists() or SETTING.read_text().strip() == "0":
        yield "off"
        return
    try:
        SETTING.write_text("0")
    except OSError:
        yield "on: `sysctl kernel.sched_autogroup_enabled=0`, for the servers' sake"
        return
    try:
        yield "off while this runs"
    finally:
        SETTING.write_text("1")
