"""Kafka Streams on the engine's fold, as a process of its own: compiled and run where there is a JDK and Maven."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from deploy.local_servers import SetupError
from deploy.local_servers.system import cache_dir, locked

_HERE = Path(__file__).parent
_TIMEOUT_S = 600
_VERSION = "4.1.0"


class Peer(msgspec.Struct):
    """`seconds`: from the first event to the commit that covers the last one; `warm_s`: of the second half of them,
    when Java has compiled itself. `folded`: events in the states."""

    seconds: float
    warm_s: float
    cpu_s: float
    folded: int


def run_peer(brokers: str, topic: str, events: int, options: Mapping[str, str]) -> Peer:
    """`options` are Kafka Streams' own settings; `cache` turns its record cache on. Raises `SetupError`."""
    jars = _jars()
    with TemporaryDirectory(prefix="counterpoint-peer-") as directory:
        _run([_found("javac"), "-cp", f"{jars}/*", "-d", directory, str(_HERE / "Peer.java")])
        command = [_found("java"), "-Xmx1g", "-XX:+UseParallelGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
        command += ["-cp", f"{directory}:{jars}/*", "Peer", brokers, topic, str(events), f"peer-{uuid.uuid4().hex}"]
        told = _run([*command, directory, *(f"{name}={value}" for name, value in options.items())])
    return msgspec.json.decode(told.splitlines()[-1], type=Peer)


def _jars() -> Path:
    home = cache_dir() / f"kafka-streams-{_VERSION}"
    with locked(cache_dir() / "kafka-streams.lock"):
        if not home.exists():
            partial = home.with_name(f"{home.name}.{os.getpid()}.partial")
            maven = [_found("mvn"), "-q", "-B", "-f", str(_HERE / "pom.xml"), "dependency:copy-dependencies"]
            _run([*maven, f"-DoutputDirectory={partial}"])
            partial.rename(home)
    return home


def _found(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise SetupError(f"{program} is not installed; on Debian: apt-get install default-jdk-headless maven")
    return found


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    if done.returncode != 0:
        raise SetupError(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout)[-2000:]}")
    return done.stdout
