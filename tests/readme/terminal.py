"""A terminal for the commands of a page: what one block sets, the next one sees; servers stay in the background."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

WAIT_S = 180.0
SERVERS = re.compile(r"counterpoint (run|ingest|profile|alerts serve)\b")


class Terminal:
    """In `directory`, which has the environment of this interpreter as its `.venv`, as a checkout has."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._state = directory / ".terminal"
        self._servers: list[subprocess.Popen[bytes]] = []
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("COUNTERPOINT_")}
        self._environment |= {"COLUMNS": "120", "NO_COLOR": "1"}
        (directory / ".venv").symlink_to(sys.prefix)
        self._state.touch()

    def run(self, block: str) -> str:
        """The block's output; a command of it that fails is an AssertionError with all that it said."""
        if SERVERS.match(block):
            return "\n".join(self.start(line) for line in block.splitlines())
        script = f"set -a\n. {self._state}\n{block}\nexport -p > {self._state}\n"
        done = subprocess.run(
            ["sh", "-eu", "-c", script], cwd=self._directory, env=self._environment, capture_output=True, text=True,
            timeout=WAIT_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, command: str) -> str:
        """Starts what stays, on a free port instead of the page's; returns its address when it is ready."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        asked = re.sub(r"--port \d+", f"--port {port}", command)
        assert asked != command, f"{command}: says no port"
        script = f"set -a\n. {self._state}\nexec {asked}"
        address, log = f"http://127.0.0.1:{port}", self._directory / f"{port}.log"
        with log.open("wb") as output:
            server = subprocess.Popen(
                ["sh", "-eu", "-c", script], cwd=self._directory, env=self._environment, stdout=output, stderr=output
            )
        self._servers.append(server)
        until(lambda: self._is_ready(asked, address, log), f"{asked}: not ready")
        return address

    def _is_ready(self, command: str, address: str, log: Path) -> bool:
        assert self._servers[-1].poll() is None, log.read_text(errors="replace")[-3000:]
        if " run " in command and "is up" not in log.read_text():
            return False  # it serves, but its credentials are not written yet
        try:
            return httpx.get(f"{address}/health/ready").status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> list[int]:
        """As Ctrl-C does; returns the exit codes."""
        for server in self._servers:
            server.send_signal(signal.SIGTERM)
        return [server.wait(WAIT_S) for server in self._servers]


def until(holds: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.1)
