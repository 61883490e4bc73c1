"""What processes have used: CPU seconds and bytes sent to disk, of whole process trees."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

import psutil

from deploy.local_servers import Servers
from tests.benchmarks.figures import Report
from tests.conftest import RunningServers


class Used(NamedTuple):
    cpu_s: float = 0.0
    written: int = 0

    def since(self, before: "Used") -> "Used":
        return Used(self.cpu_s - before.cpu_s, self.written - before.written)


Usage = Mapping[str, Used]


def used(processes: Mapping[str, int]) -> Usage:
    """`processes`: name → process id. Children count for their parent, those that have ended, too."""
    return {name: _tree(pid) for name, pid in processes.items()}


def between(before: Usage, after: Usage) -> Usage:
    return {name: one.since(before.get(name, Used())) for name, one in after.items()}


def _tree(pid: int) -> Used:
    cpu, written = 0.0, 0
    with suppress(psutil.Error):
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            with suppress(psutil.Error):
                times = process.cpu_times()
                cpu += times.user + times.system + times.children_user + times.children_system
                written += process.io_counters().write_bytes
    return Used(cpu, written)


def server_processes(servers: RunningServers, names: Iterable[str]) -> dict[str, int]:
    """Empty for servers in containers: their processes are not ours to see."""
    if not isinstance(servers, Servers):
        return {}
    found = {name: servers.process(name).pid for name in names}
    return {name: pid for name, pid in found.items() if pid is not None}


def tell_usage(report: Report, usage: Usage, events: int) -> None:
    """The CPU of every process an event, and what all of them wrote."""
    for name, one in usage.items():
        report.tell(f"CPU of {name}", one.cpu_s / events * 1e6, "us/event")
    report.tell("bytes written to disk", sum(one.written for one in usage.values()) / events, "bytes/event")
