"""Whoever presses Ctrl-C in the first second reads one line, whoever pipes into `head` none; never where Python was."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import HANG_S

INTERRUPTED_AT = """
import sys
module = sys.argv.pop(1)

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Finder())
from services.cli import main
main()
"""
TOLD_WHILE_OPENING = """
import asyncio, os, signal, sys
told_by = getattr(signal, sys.argv.pop(1))
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
from services.cli import main
import services.cli.run.platform as platform

async def told(database, secret, clock):
    os.kill(os.getpid(), told_by)
    await asyncio.sleep(3600)

platform.take_up = told
main()
"""


SERVICE_TOLD_WHILE_OPENING = """
import asyncio, os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
import services.sql.migrations as migrations

async def told(database):
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(3600)

migrations.upgrade = told
runpy.run_module(sys.argv[1], run_name="__main__")
"""

SERVICE_TOLD_AS_IT_SERVES = """
import os, runpy, signal, sys
import services.deployment as deployment

deployment.calm_collector = lambda: os.kill(os.getpid(), signal.SIGTERM)
runpy.run_module(sys.argv[1], run_name="__main__")
"""


def ended(program: str, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANG_S)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("module", ["typer", "services.cli.positions", "services.profile.adapters.sql"])
def test_interrupted_while_it_is_loaded_a_command_says_so_in_one_line(tmp_path: Path, module: str) -> None:
    (tmp_path / "counterpoint.db").touch()
    told = ended(INTERRUPTED_AT, module, "positions", "show", "--data", str(tmp_path))
    assert told == (130, "interrupted\n")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_told_to_stop_while_it_still_opens_a_platform_says_so_in_one_line(tmp_path: Path, name: str) -> None:
    told = ended(TOLD_WHILE_OPENING, name, "run", "--data", str(tmp_path / "var"), "--port", "0")
    assert told == (130, "interrupted\n")


@pytest.mark.parametrize("service", ["services.ingest", "services.profile"])
def test_a_service_hears_that_it_is_told_to_stop_while_it_still_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    """As process 1 it would not be ended by the signal itself."""
    monkeypatch.setenv("COUNTERPOINT_DATA", str(tmp_path))
    code, _ = ended(SERVICE_TOLD_WHILE_OPENING, service)
    assert code == -signal.SIGINT


@pytest.mark.parametrize("service", ["services.ingest", "services.profile"])
def test_a_service_told_to_stop_in_the_moment_it_serves_stops_cleanly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    for name, value in (("DATA", str(tmp_path)), ("PORT", "0"), ("PROFILE_STEPS", "read")):
        monkeypatch.setenv(f"COUNTERPOINT_{name}", value)
    code, told = ended(SERVICE_TOLD_AS_IT_SERVES, service)
    assert code == 0, told


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_whoever_has_read_enough_of_a_command_is_told_nothing(tmp_path: Path, more: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "services.cli", "rules", "list", *more]
    environment = {**os.environ, "COUNTERPOINT_DATA": str(tmp_path)}
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False, env=environment)
    os.close(writer)
    assert done.stderr == ""
