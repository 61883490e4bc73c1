"""Before a customer is erased, somebody at a terminal is asked, and told what goes and what stays."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.patience import HANG_S


def asked(deployment: Path, answer: bytes, who: str = "phone=+8613912345678") -> tuple[int, str]:
    """At a terminal; the exit code, and what was said."""
    mine, terminal = pty.openpty()
    command = [sys.executable, "-m", "services.cli", "customers", "erase", who, "--reason", "asked for it"]
    environment = {**os.environ, "COUNTERPOINT_DATA": str(deployment)}
    with subprocess.Popen(
        command, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
    ) as run:
        os.write(mine, answer)
        said, _ = run.communicate(timeout=HANG_S)
    os.close(mine)
    os.close(terminal)
    return run.returncode, said.decode()


def test_whoever_does_not_say_yes_changes_nothing(deployment: Path) -> None:
    code, said = asked(deployment, b"n\n")
    assert code != 0
    assert "Erasing the customer of this phone cannot be undone." in said
    assert "Kept: movements, balances" in said
    assert "139" not in said
    assert "nobody is known" not in said, "it was not even looked for"


def test_whoever_says_yes_is_answered(deployment: Path) -> None:
    code, said = asked(deployment, b"y\n", "customer_no=1")
    assert (code, "error: no customer has customer_no=1" in said) == (1, True)
    assert "Erasing customer_no=1 cannot be undone." in said
