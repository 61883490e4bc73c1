"""A deployment in a temporary directory, its command line, and where a test needs one a running platform."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from schemas.topics import TOPICS
from services.cli.command_line import app
from services.cli.on_demand import COMMANDS
from services.clock import Clock
from services.embedded.log import EmbeddedLog
from services.sql.database import open_database
from services.sql.migrations import upgrade
from tests.conftest import logging_as_before
from tests.patience import HANG_S


class Said(NamedTuple):
    """What a command has said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Said]


def every_command() -> list[str]:
    """By their whole names."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    found = []
    for name in COMMANDS:
        command = group.get_command(typer.Context(group), name)
        found += [f"{name} {one}" for one in getattr(command, "commands", {})] or [name]
    return found


def command_line(data: Path) -> Command:
    """Runs a command in this process, on that deployment."""

    def run(*arguments: str, env: dict[str, str] | None = None) -> Said:
        environment = {"COUNTERPOINT_DATA": str(data), "COLUMNS": "200", **(env or {})}
        with logging_as_before():  # a fixture of a whole module may run a command, too
            result = CliRunner().invoke(app, list(arguments), env=environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "var"


@pytest.fixture
def counterpoint(data: Path) -> Command:
    return command_line(data)


@pytest.fixture
def deployment(data: Path, counterpoint: Command) -> Path:
    """A deployment as the first start leaves it: database, secret, topics."""
    assert counterpoint("db", "upgrade").code == 0
    assert counterpoint("keys", "list").code == 0  # makes the secret
    in_log(data)
    return data


def in_log(data: Path, *works: Callable[[EmbeddedLog], Any], clock: Clock | None = None) -> None:
    """Opens the deployment's log for writing, as a platform does."""

    async def work() -> None:
        log = EmbeddedLog(data / "log", clock=clock)
        await log.ensure_topics(TOPICS)
        for one in works:
            await one(log)
        await log.close()

    asyncio.run(work())


def in_database(data: Path, work: Callable[[Any], Any]) -> Any:
    """`work` with the opened `Database`."""

    async def main() -> Any:
        database = open_database(f"sqlite:{data}/counterpoint.db")
        try:
            await upgrade(database)
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(main())


class Platform:
    """`counterpoint run` in a process of its own. `program` are the arguments of the interpreter."""

    def __init__(self, data: Path, *program: str) -> None:
        self.data = data
        self._said = data.with_suffix(".credentials")
        self._said.unlink(missing_ok=True)
        command = [sys.executable, *(program or ("-m", "services.cli")), "run", "--data", str(data), "--port", "0"]
        command += ["--no-simulator", "--credentials-file", str(self._said)]
        with data.with_suffix(".out").open("ab") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, "COLUMNS": "200"})
        try:
            self.credentials: dict[str, str] = self._credentials()
        except BaseException:
            self.stop()
            raise
        self.run = command_line(data)

    def _credentials(self) -> dict[str, str]:
        deadline = time.monotonic() + HANG_S
        while not self._said.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(self.data.with_suffix(".out").read_text())
            time.sleep(0.05)
        return dict(json.loads(self._said.read_text()))

    def until(self, *command: str, holds: Callable[[Any], bool]) -> Any:
        """The JSON that a command says, once it holds."""
        deadline = time.monotonic() + HANG_S
        while not holds(told := self.run(*command, "--json").json):
            assert time.monotonic() < deadline, told
            time.sleep(0.1)
        return told

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        self._process.wait(HANG_S)


@contextmanager
def running(data: Path, *program: str) -> Iterator[Platform]:
    platform = Platform(data, *program)
    try:
        yield platform
    finally:
        platform.stop()


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running(tmp_path_factory.mktemp("platform") / "var") as started:
        yield started
