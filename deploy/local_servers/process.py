"""One server as a background process: it outlives the program that started it and is found again by its pid file."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Protocol

from deploy.local_servers.system import SetupError


class Server(Protocol):
    """What differs between the three servers."""

    @property
    def name(self) -> str: ...

    @property
    def stop_signal(self) -> signal.Signals: ...

    @property
    def user(self) -> str | None:
        """The system user that runs it; None: the caller's own."""

    def prepare(self, home: Path, port: int) -> None:
        """Makes data directory and configuration when they are not there yet."""

    def command(self, home: Path, port: int) -> list[str]: ...

    def ready(self, home: Path, port: int, log: str) -> bool:
        """Whether it serves; `log` is what it has printed since it was started."""

    def url(self, port: int) -> str: ...


class ServerProcess:
    def __init__(self, server: Server, home: Path, port: int) -> None:
        self._server, self._home, self._port = server, home, port
        self._pid_file = home / "server.pid"
        self._log_file = home / "server.log"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self._server.url(self._port)

    @property
    def pid(self) -> int | None:
        """Process id while it runs. Every server works inside its home, which tells it from a reused number."""
        if self._child is not None:
            self._child.poll()
        try:
            pid = int(self._pid_file.read_text())
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        return pid if _works_in(pid, self._home) else None

    def start(self, timeout: float = 240.0) -> None:
        """One that cannot start ends at once; one that is starved of the processor serves in the end."""
        if self.pid is not None:
            return
        self._home.mkdir(parents=True, exist_ok=True)
        self._server.prepare(self._home, self._port)
        begin = self._log_file.stat().st_size if self._log_file.exists() else 0
        with self._log_file.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - fixed argv
                self._server.command(self._home, self._port),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._home,
                user=self._server.user,
                group=self._server.user,
                extra_groups=[] if self._server.user else None,
                start_new_session=True,  # Ctrl-C in the terminal is for the program, not for its servers
            )
        self._pid_file.write_text(str(self._child.pid))
        self._wait_until_ready(begin, timeout)

    def _wait_until_ready(self, begin: int, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while True:
            log = self._log_file.read_bytes()[begin:].decode(errors="replace")
            if self._server.ready(self._home, self._port, log):
                return
            ended = self._child is not None and self._child.poll() is not None
            if ended or time.monotonic() > deadline:
                self.kill()
                what = "ended at once" if ended else f"did not serve within {timeout:.0f} s"
                raise SetupError(f"{self._server.name} {what}; the end of its log ({self._log_file}):\n{log[-2000:]}")
            time.sleep(0.05)

    def stop(self, timeout: float = 30.0) -> None:
        self._signal(signal.SIGCONT)  # a frozen process cannot hear the order
        self._signal(self._server.stop_signal)
        if not self._gone_within(timeout):
            self.kill()

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        self._gone_within(10.0)

    def freeze(self) -> None:
        """Returns once every thread stands still: on a busy machine the others still answer until one has heard it."""
        self._signal(signal.SIGSTOP)
        deadline = time.monotonic() + 10.0
        while not self._stands_still() and time.monotonic() < deadline:
            time.sleep(0.01)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        pid = self.pid
        if pid is not None:
            os.kill(pid, number)

    def _stands_still(self) -> bool:
        """Where the system does not tell of threads, it is believed to."""
        told = [_state_of(one) for one in Path(f"/proc/{self.pid}/task").glob("*/stat")]
        return all(state in ("T", "t", "") for state in told)

    def _gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.pid is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        if self._child is not None:
            self._child.wait()
            self._child = None
        self._pid_file.unlink(missing_ok=True)
        return True


def _works_in(pid: int, home: Path) -> bool:
    """Where there is no /proc the pid file alone has to do."""
    if not Path("/proc/self").exists():
        return True
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True).is_relative_to(home.resolve())
    except OSError:  # it ended meanwhile, or is a zombie
        return False


def _state_of(path: Path) -> str:
    """A thread's state as Linux writes it (proc(5)), T for stopped; empty for one that has ended."""
    try:
        return path.read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
