"""What the machine must have: finds programs, and installs Debian packages where the program may."""

import fcntl
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SetupError(Exception):
    """The message says in words what is missing and what to install."""


def find_program(name: str, packages: tuple[str, ...], where: tuple[str, ...] = ()) -> str:
    """Path of the program, installing the packages when it is missing. `where` are glob patterns looked at first."""
    found = _find(name, where)
    if found is None:
        install(packages, wanted=name)
        found = _find(name, where)
    if found is None:
        raise SetupError(f"{name} is still missing after installing {' '.join(packages)}: install it by hand")
    return found


def _find(name: str, where: tuple[str, ...]) -> str | None:
    for pattern in where:
        root = Path("/")
        candidates = sorted(root.glob(pattern.lstrip("/") + "/" + name), key=_version_in_path)
        if candidates:
            return str(candidates[-1])
    return shutil.which(name)


def _version_in_path(path: Path) -> list[int]:
    return [int(part) for part in path.parts if part.isdigit()]


def install(packages: tuple[str, ...], wanted: str) -> None:
    """By apt as root on Debian; anywhere else raises `SetupError` with the command to run."""
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    apt = shutil.which("apt-get")
    if os.geteuid() != 0 or apt is None:
        hint = "sudo " + " ".join(command) if apt else f"the packages of your system for: {' '.join(packages)}"
        raise SetupError(f"{wanted} is not installed. Install it with: {hint}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with locked(cache_dir() / "apt.lock"):
        for step in ([apt, "update"], [apt, *command[1:]]):
            done = subprocess.run(step, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - fixed argv
            if done.returncode != 0:
                raise SetupError(f"{' '.join(step)} failed: {done.stderr.strip()[-500:]}")


def cache_dir() -> Path:
    """Where downloads are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    path = Path(base) / "counterpoint"
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time: two test runs may start on a fresh machine together."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
