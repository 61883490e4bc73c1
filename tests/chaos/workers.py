"""The workers of a chaos run as processes: started, killed, told to stop, frozen, and replaced."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROFILE, ALERTS = "profile", "alerts"
KINDS = (PROFILE, ALERTS)
"""What a worker does; both are sabotaged alike."""


class WorkerProcess:
    def __init__(self, kind: str, name: str, environment: Mapping[str, str], log: Path) -> None:
        self.kind, self.name, self.log = kind, name, log
        self.expected_to_end = False
        self.frozen = False
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.worker", kind],
                env={**os.environ, **environment}, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        if self.alive:
            self._process.send_signal(number)

    def kill(self) -> None:
        self.expected_to_end = True
        self.signal(signal.SIGKILL)
        self._process.wait()

    def stop_within(self, seconds: float) -> bool:
        """Whether it has ended by itself after SIGTERM."""
        self.expected_to_end = True
        self.signal(signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while self.alive and time.monotonic() < deadline:
            time.sleep(0.05)
        return not self.alive

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]


class Crew:
    """Every worker that ever was; `report` keeps what was done to whom."""

    def __init__(self, environment: Mapping[str, str], directory: Path) -> None:
        self._environment, self._directory = dict(environment), directory
        self._count = 0
        self.all: list[WorkerProcess] = []
        self.died: list[WorkerProcess] = []

    def start(self, kind: str, **environment: str) -> WorkerProcess:
        self._count += 1
        name = f"{kind}-{self._count}"
        worker = WorkerProcess(kind, name, {**self._environment, **environment}, self._directory / f"{name}.log")
        self.all.append(worker)
        return worker

    def working(self, *kinds: str) -> list[WorkerProcess]:
        """All of them where no kind is named."""
        return [
            one
            for one in self.all
            if one.alive and not one.frozen and not one.expected_to_end and one.kind in (kinds or KINDS)
        ]

    def deaths(self) -> list[WorkerProcess]:
        """Those that ended without having been told to, since the last time asked."""
        found = [one for one in self.all if not one.alive and not one.expected_to_end and one not in self.died]
        self.died += found
        return found

    def kill_all(self) -> None:
        for one in self.all:
            if one.alive:
                one.kill()
