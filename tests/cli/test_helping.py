"""The command line explains itself, quickly."""

import subprocess
import sys
from importlib.metadata import version

import pytest

from services.cli.on_demand import COMMANDS
from tests.cli.conftest import Command, every_command

STAY = ("run", "ingest", "profile", "alerts serve")
"""Services: whoever starts one by a script reads its log, or `--credentials-file`."""


def test_help_lists_every_command(counterpoint: Command) -> None:
    said = counterpoint("--help")
    assert said.code == 0
    assert all(name in said.out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own(counterpoint: Command, name: str) -> None:
    said = counterpoint(name, "--help")
    assert said.code == 0, said.err
    assert "Usage:" in said.out


def test_it_says_which_release_it_is(counterpoint: Command) -> None:
    said = counterpoint("--version")
    assert (said.code, said.out) == (0, f"counterpoint {version('counterpoint')}\n")


def test_a_mistyped_command_is_asked_about(counterpoint: Command) -> None:
    said = counterpoint("dead-leters")
    assert said.code == 2
    assert "Did you mean 'dead-letters'?" in said.err


def test_help_loads_no_driver_and_no_service() -> None:
    program = (
        "import sys\nfrom services.cli.command_line import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'sqlalchemy', 'faust', 'aiokafka', 'litestar', 'services.profile', 'services.ingest'}\n"
        "print(sorted(heavy & sys.modules.keys()), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("rules backtest --to 2026-05-01", "Missing option '--from'"),
        ("rules backtest --from 2026-05-01 --to 2026-05-02 --truth /nowhere/truth", "'--truth'"),
        ("profile --only sleep", "sleep is none of update, refresh, read"),
    ],
)
def test_what_is_misspelled_or_left_out_is_named_before_anything_is_opened(
    counterpoint: Command, command: str, named: str
) -> None:
    said = counterpoint(*command.split())
    assert (said.code, named in said.err) == (2, True), said.err


@pytest.mark.parametrize("command", [one for one in every_command() if one not in STAY])
def test_whatever_a_command_says_it_says_to_a_script_as_well(counterpoint: Command, command: str) -> None:
    assert "--json" in counterpoint(*command.split(), "--help").out
