"""The three servers of one data directory, together or one at a time: tests stop and freeze single ones."""

import json
import shlex
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.local_servers import postgres
from deploy.local_servers.kafka import Kafka
from deploy.local_servers.postgres import Postgres
from deploy.local_servers.process import Server, ServerProcess
from deploy.local_servers.redis import Redis
from deploy.local_servers.system import free_port

VARIABLES = {"kafka": "COUNTERPOINT_LOG", "postgres": "COUNTERPOINT_DATABASE", "redis": "COUNTERPOINT_REDIS"}
"""Server → the setting that says where it is."""
NAMES = tuple(VARIABLES)


class Servers:
    """Ports are chosen once and kept in the data directory, so that a stopped server comes back where it was."""

    def __init__(self, data: Path) -> None:
        self._data = data.absolute()
        self._processes: dict[str, ServerProcess] = {}

    def up(self, *names: str) -> Mapping[str, str]:
        """Starts what does not run yet (all, when none is named) and returns name → URL. Raises `SetupError`."""
        wanted = names or NAMES
        for name in wanted:
            self.process(name).start()
        return {name: self.url(name) for name in wanted}

    def down(self) -> None:
        """Stops all. The data stay."""
        for name in reversed(NAMES):
            if name in self._ports():
                self.process(name).stop()

    def erase(self) -> None:
        """Stops all and removes the data."""
        self.down()
        home = postgres.home_for(self._data) if self._data.exists() else None
        for path in (home, self._data):
            if path is not None:
                shutil.rmtree(path, ignore_errors=True)
        self._processes.clear()

    def url(self, name: str) -> str:
        return self.process(name).url

    def running(self) -> Mapping[str, str]:
        """Name → URL of those that run."""
        return {n: self.url(n) for n in NAMES if n in self._ports() and self.process(n).pid is not None}

    def start(self, name: str) -> None:
        self.process(name).start()

    def stop(self, name: str) -> None:
        self.process(name).stop()

    def kill(self, name: str) -> None:
        """As a power failure: nothing is written any more."""
        self.process(name).kill()

    def freeze(self, name: str) -> None:
        """It still holds its connections and answers nothing, until `thaw`."""
        self.process(name).freeze()

    def thaw(self, name: str) -> None:
        self.process(name).thaw()

    def process(self, name: str) -> ServerProcess:
        if name not in self._processes:
            port = self._port(name)
            home = postgres.home_for(self._data) if name == "postgres" else self._data / name
            self._processes[name] = ServerProcess(_server(name), home, port)
        return self._processes[name]

    def _port(self, name: str) -> int:
        ports = self._ports()
        if name not in ports:
            if not self._data.exists():
                self._data.mkdir(parents=True)
                self._data.chmod(0o711)  # the user postgres has to pass through
            ports[name] = free_port()
            (self._data / "ports.json").write_text(json.dumps(ports))
        return ports[name]

    def _ports(self) -> dict[str, int]:
        try:
            ports: dict[str, int] = json.loads((self._data / "ports.json").read_text())
        except FileNotFoundError:
            return {}
        return ports


def exported(environment: Mapping[str, str]) -> str:
    """As a shell reads it."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())


def _server(name: str) -> Server:
    servers: Mapping[str, Callable[[], Server]] = {"kafka": Kafka, "postgres": Postgres, "redis": Redis}
    return servers[name]()
