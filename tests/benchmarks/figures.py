"""What a benchmark tells: one figure after another, printed for people and written as JSON lines for programs."""

import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec
import psutil

LIBRARIES = ("aiokafka", "asyncpg", "fastavro", "msgspec", "sqlalchemy", "uvloop")
PACE_TRIES, PACE_STEPS = 5, 300_000


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """The command line. Short by default: only what is asked for with `--full` is worth reporting."""

    seconds: float = 10.0
    customers: int = 5_000
    rate: float = 0.0
    batch: int = 2_000
    peer: bool = True
    embedded: bool = False
    log: str = ""
    months: int = 18
    seeds: tuple[int, ...] = (6,)
    processes: int = 2
    kept: Path | None = None


class Figure(msgspec.Struct, frozen=True):
    """`aim`: what the project promises of it; empty where it is told as context."""

    benchmark: str
    name: str
    value: float
    unit: str
    aim: str = ""


def machine() -> dict[str, str]:
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.1f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "load": " ".join(f"{load:.1f}" for load in os.getloadavg()),
        "pace": f"{pace_ms():.0f} ms of CPU for {PACE_STEPS:,} steps of plain Python",
    }


def pace_ms() -> float:
    """The best of a few tries at the same small work: by it figures of machines, and of one machine's days, compare."""
    return min(_pace() for _ in range(PACE_TRIES)) * 1000


def _pace() -> float:
    counts: dict[int, int] = {}
    began = time.process_time()
    for number in range(PACE_STEPS):
        counts[number % 1000] = counts.get(number % 1000, 0) + number
    return time.process_time() - began


class Report:
    """`path`: where the JSON lines go, too; appended, so that several runs can stand in one file."""

    def __init__(self, benchmark: str, path: Path | None) -> None:
        self._benchmark, self._path = benchmark, path
        print(f"\n== {benchmark} ==", flush=True)

    def tell(self, name: str, value: float, unit: str, aim: str = "") -> None:
        figure = Figure(self._benchmark, name, value, unit, aim)
        promised = f"   (aim: {aim})" if aim else ""
        print(f"{name:<62} {_written(value):>12} {unit}{promised}", flush=True)
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(figure) + b"\n")

    def note(self, text: str) -> None:
        print(f"   {text}", flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """`share` 0.99 for p99, 0 for the least; nothing measured is infinitely bad."""
    if not values:
        return float("inf")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _written(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"
