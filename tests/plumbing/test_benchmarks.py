"""The programs behind the figures go on working: a moment of each. What they print here says nothing."""

import subprocess
import sys

import pytest

_MOMENT = """
from tests.benchmarks.__main__ import run
from tests.benchmarks.figures import Given

run({name!r}, Given(seconds=0.5, customers=100, batch=100))
"""


@pytest.mark.parametrize("name", ["alerts", "due", "growth", "pipeline", "profile", "update"])
def test_a_program_behind_a_figure_runs_to_its_end(name: str) -> None:
    command = [sys.executable, "-c", _MOMENT.format(name=name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"== {name} ==" in done.stdout
