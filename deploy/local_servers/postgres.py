"""PostgreSQL of the system's packages, with its own data directory; durable as in production."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir

from deploy.local_servers.system import SetupError, find_program

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    # smaller ones write whole pages again and again under load: a checkpoint for each 100,000 events or so
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "log_min_messages": "warning",
}


class Postgres:
    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": ends sessions, then stops cleanly

    @property
    def user(self) -> str | None:
        return "postgres" if os.geteuid() == 0 else None

    def prepare(self, home: Path, port: int) -> None:
        initdb = _program("initdb")
        if (home / "data" / "PG_VERSION").exists():
            return
        self._give_to_user(home)
        command = [initdb, "-D", str(home / "data"), "-U", "postgres", "-A", "trust", "--encoding=UTF8", "--locale=C"]
        done = subprocess.run(  # noqa: S603 - fixed argv
            command, capture_output=True, text=True, check=False, cwd=home, user=self.user, group=self.user
        )
        if done.returncode != 0:
            raise SetupError(f"initdb failed: {done.stderr.strip()[-1000:]}")

    def _give_to_user(self, home: Path) -> None:
        """initdb refuses root, so the user `postgres` works in a directory of its own."""
        if self.user is None:
            return
        try:
            pwd.getpwnam(self.user)
        except KeyError:
            raise SetupError("there is no system user postgres: install the package postgresql") from None
        shutil.chown(home, self.user, self.user)

    def command(self, home: Path, port: int) -> list[str]:
        options = [argument for name, value in _SETTINGS.items() for argument in ("-c", f"{name}={value}")]
        return [_program("postgres"), "-D", str(home / "data"), "-p", str(port), *options]

    def ready(self, home: Path, port: int, log: str) -> bool:
        return (home / "data" / "postmaster.pid").exists() and _accepts(home, port)

    def url(self, port: int) -> str:
        return f"postgresql://postgres@127.0.0.1:{port}/postgres"


def home_for(data: Path) -> Path:
    """`data/postgres`, unless root runs this below a directory closed to the user `postgres`."""
    home = data / "postgres"
    if os.geteuid() == 0 and any(not p.stat().st_mode & 0o001 for p in (data, *data.parents)):
        return Path(gettempdir()) / f"counterpoint-postgres-{sha256(str(data).encode()).hexdigest()[:12]}"
    return home


def _program(name: str) -> str:
    return find_program(name, ("postgresql",), where=("/usr/lib/postgresql/*/bin",))


def _accepts(home: Path, port: int) -> bool:
    """The last line of postmaster.pid says `ready`; a port that answers may still be recovering."""
    state = (home / "data" / "postmaster.pid").read_text().splitlines()
    if len(state) < 8 or state[7].strip() != "ready":
        return False
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
