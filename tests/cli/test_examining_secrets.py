"""The doctor looks at the secret and the passwords: whether they are there, whether they do, and who can read them."""

from pathlib import Path

import pytest

from tests.cli.conftest import Command, in_log
from tests.cli.test_examining import finding, one_event

DATABASE = "postgresql://counterpoint@127.0.0.1:1/x"


@pytest.mark.parametrize(("mode", "state", "words"), [
    (0o600, "ok", "for its owner alone"), (0o400, "ok", "for its owner alone"),
    (0o440, "ok", "for its owner and its group"), (0o640, "ok", "for its owner and its group"),
    (0o644, "wrong", "can be read by everybody here: chmod o="), (0o604, "wrong", "can be read by everybody"),
])  # fmt: skip
def test_a_secret_that_everybody_can_read_is_wrong(
    counterpoint: Command, deployment: Path, mode: int, state: str, words: str
) -> None:
    """A cluster mounts its secrets for the group of the processes."""
    (deployment / "secret").chmod(mode)
    code, found, told = finding(counterpoint, "secret")
    assert (code, found) == (int(state == "wrong"), state)
    assert words in told


def test_a_secret_that_is_gone_is_wrong_and_not_made_anew(counterpoint: Command, deployment: Path) -> None:
    in_log(deployment, one_event)
    (deployment / "secret").unlink()
    code, state, told = finding(counterpoint, "secret")
    assert (code, state) == (1, "wrong")
    assert "restore it" in told
    assert not (deployment / "secret").exists()


@pytest.mark.parametrize("by", ["COUNTERPOINT_SECRET", "COUNTERPOINT_SECRET_FILE"])
def test_a_short_secret_is_told_as_what_is_wrong_and_nothing_else_is(
    counterpoint: Command, deployment: Path, tmp_path: Path, by: str
) -> None:
    (short := tmp_path / "short").write_text("hunter2")
    short.chmod(0o600)
    said = counterpoint("doctor", "--json", env={by: "hunter2" if by.endswith("SECRET") else str(short)})
    wrong = {one["what"]: one["told"] for one in said.json if one["state"] == "wrong"}
    assert (said.code, list(wrong)) == (1, ["secret"])
    assert "must hold at least 32 characters" in wrong["secret"]
    assert "hunter2" not in said.out


def test_a_file_of_a_password_that_everybody_can_read_is_wrong(
    counterpoint: Command, deployment: Path, tmp_path: Path
) -> None:
    (file := tmp_path / "password").write_text("hunter2\n")
    env = {"COUNTERPOINT_DATABASE": DATABASE, "COUNTERPOINT_DATABASE_PASSWORD_FILE": str(file)}
    for mode, state in ((0o440, "ok"), (0o444, "wrong")):
        file.chmod(mode)
        assert finding(counterpoint, "passwords", env)[1] == state


def test_a_token_that_soon_expires_is_named_unless_its_owner_has_another(
    counterpoint: Command, deployment: Path
) -> None:
    assert finding(counterpoint, "tokens")[1:] == ("ok", "none of 0 expires within 14 days")
    for name, *days in (("Li Wei", "3"), ("Mei", "3"), ("Mei", "90"), ("An",)):
        expires = ["--expires", *days] if days else []
        assert counterpoint("users", "create", name, "--role", "agent", *expires).code == 0
    code, state, told = finding(counterpoint, "tokens")
    assert (code, state) == (0, "warning")
    assert told.startswith("those of Li Wei expire within 14 days: `counterpoint users create --expires DAYS`")
