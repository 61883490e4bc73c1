"""What a command prints is whole, and within the window where there is one."""

from typing import Any

import pytest

from services.cli.alerts.tables import print_events
from services.cli.output import console, show_rows

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


def test_a_table_ends_within_the_window_and_loses_no_letter(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ids = {name: name * 28 for name in "XYZ"}
    show_rows([{**ids, "d": "words that may be laid out in lines"}], {name: name for name in "XYZd"}, as_json=False,
              nothing="none")  # fmt: skip
    lines = capsys.readouterr().out.splitlines()
    assert {line[-1] for line in lines} == set("┓┃┩│┘")
    assert ids["X"] in "".join(lines)
    assert [sum(line.count(name) for line in lines[3:]) for name in "YZ"] == [28, 28]


def test_the_events_of_a_fact_that_two_rules_saw_are_laid_out_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)

    def seen_by(rule: str, value: float) -> dict[str, Any]:
        event = {"id": "ev-1", "occurred_at": "2026-11-22T08:05:15Z", "type": "transfer.sent", "counts": value}
        fact = {"name": "outflow_30d", "value": value, "why": "", "since": "2026-10-29", "until": "2026-11-27",
                "events": [event], "adds_up": True, "left_out": 0, "came_later": []}  # fmt: skip
        return {"rule": {"id": rule, "version": 1}, "seen_at": "2026-11-27", "origin": None, "event": None,
                "facts": [fact]}  # fmt: skip

    print_events(
        console(), {"evidence": [seen_by("R1", 5.0), seen_by("R1", 5.0), seen_by("R2", 5.0), seen_by("R3", 6.0)]}
    )
    printed = capsys.readouterr().out
    assert printed.count("ev-1") == 2
    assert printed.count("outflow_30d = 5: the events above, under R1") == 2
    assert "2026-11-22 08:05:15Z" in printed
