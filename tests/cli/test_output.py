"""What a command prints is whole where nobody's window bounds it."""

import pytest

from services.cli.output import show_rows

ROWS = [{name: f"{name}-" + "x" * 30 for name in "abcdef"}]


def test_a_table_in_a_pipe_is_not_cut(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    show_rows(ROWS, {name: name.upper() for name in "abcdef"}, as_json=False, nothing="none")
    printed = capsys.readouterr().out
    assert all(value in printed for value in ROWS[0].values())


def test_a_width_that_was_asked_for_is_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    show_rows(ROWS, {name: name.upper() for name in "abcdef"}, as_json=False, nothing="none")
    assert max(len(line) for line in capsys.readouterr().out.splitlines()) <= 60
