"""The same three servers in containers of `deploy/compose.yaml`, for tests where a Docker engine runs."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from deploy.local_servers import NAMES, SetupError
from deploy.local_servers.system import free_port

HEALTHY_WITHIN_S = 60.0
_COMPOSE = Path(__file__).parent / "compose.yaml"


def engine_runs() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    asked = ([docker, "compose", "version"], [docker, "info"])
    return all(subprocess.run(one, capture_output=True, check=False, timeout=20).returncode == 0 for one in asked)  # noqa: S603 - fixed argv


class DockerServers:
    """Has the methods of `Servers`; `project` keeps the containers of two test runs apart. A server's port is chosen
    when it is first asked for: one chosen long before it is taken is another's by then."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._ports: dict[str, int] = {}

    def up(self, *names: str) -> Mapping[str, str]:
        urls = {name: self.url(name) for name in names or NAMES}
        self._compose("up", "--detach", "--wait", *urls)
        return urls

    def erase(self) -> None:
        self._compose("down", "--volumes", "--timeout", "20")

    def url(self, name: str) -> str:
        if name not in self._ports:
            self._ports[name] = free_port()
        port = self._ports[name]
        return {
            "kafka": f"kafka://127.0.0.1:{port}",
            "postgres": f"postgresql://postgres@127.0.0.1:{port}/postgres",
            "redis": f"redis://127.0.0.1:{port}/0",
        }[name]

    def start(self, name: str) -> None:
        self._compose("up", "--detach", "--wait", name)

    def stop(self, name: str) -> None:
        self._compose("stop", name)

    def kill(self, name: str) -> None:
        self._compose("kill", name)

    def freeze(self, name: str) -> None:
        self._compose("pause", name)

    def thaw(self, name: str) -> None:
        """Once it has been found well again: to the engine what is paused is unhealthy, and `up` then refuses it."""
        self._compose("unpause", name)
        until = time.monotonic() + HEALTHY_WITHIN_S
        while self._compose("ps", "--format", "{{.Health}}", name) != "healthy":
            if time.monotonic() > until:
                raise SetupError(f"{name} of {self._project} is not healthy {HEALTHY_WITHIN_S:.0f} s after its pause")
            time.sleep(0.2)

    def _compose(self, *arguments: str) -> str:
        ports = {f"COUNTERPOINT_{name.upper()}_PORT": str(port) for name, port in self._ports.items()}
        command = ["docker", "compose", "--project-name", self._project, "--file", str(_COMPOSE), *arguments]
        done = subprocess.run(  # noqa: S603 - fixed argv
            command, env={**os.environ, **ports}, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise SetupError(f"{' '.join(command)} failed: {done.stderr.strip()[-1000:]}")
        return done.stdout.strip()
