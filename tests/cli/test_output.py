"""What a command prints is whole, and within the window where there is one."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.markup import render

from services.cli.alerts.tables import print_alert, print_events
from services.cli.customers.tables import event_row, found_row
from services.cli.layout import widths
from services.cli.output import at, console, counted, show_rows, written
from tests.cli.conftest import Command

ROWS = [{name: f"{name}-" + "x" * 30 for name in "abcdef"}]


def test_a_table_in_a_pipe_is_not_cut(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    show_rows(ROWS, {name: name.upper() for name in "abcdef"}, as_json=False, nothing="none")
    printed = capsys.readouterr().out
    assert all(value in printed for value in ROWS[0].values())


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, "-"), ("", "-"), ([], "-"), (0, "0"), (True, "yes"), (False, "no"), ("a [red]word[/]", "a [red]word[/]"),
        ({"value": "12.50", "currency": "CNY"}, "12.50 CNY"),
        ({"value": "12.50", "of": "[red]"}, "value: 12.50, of: [red]"),
        ({"[b]": {"[i]": "[red]"}}, "[b]: [i]: [red]"),
        (["[red]", "b"], "[red], b"), (("a", True, None), "a, yes, -"),
        ("2026-11-22T09:30:00.123456Z", "2026-11-22 09:30:00Z"),
        ({"at": "2026-11-22T09:30:00Z"}, "at: 2026-11-22 09:30:00Z"),
        ("at 2026-11-22T09:30:00Z", "at 2026-11-22T09:30:00Z"),
    ],
)  # fmt: skip
def test_a_cell_shows_what_it_was_given_however_deep_and_whatever_it_holds(value: Any, cell: str) -> None:
    assert render(written(value), emoji=False).plain == cell


def test_a_time_is_told_in_utc_to_the_second_and_none_is_none() -> None:
    assert (at(1_790_000_000_999), at(0), at(None)) == ("2026-09-21 14:13:20Z", "1970-01-01 00:00:00Z", None)


def test_times_are_read_by_the_clocks_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as there:
        there.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        assert written("2026-11-30T04:00:00.123Z") == "2026-11-30 12:00:00+08:00"
        assert at(1_790_000_000_999) == "2026-09-21 22:13:20+08:00"
        assert written("9999-12-31T23:59:59Z") == "9999-12-31 23:59:59Z"
    time.tzset()


def test_what_happened_is_told_in_a_row_with_the_sign_of_the_money() -> None:
    told = {"type": "transfer.sent", "subject": "account:1", "amount": {"value": "5.00", "currency": "CNY"},
            "counterparty": {"bank": "OTHA"}, "attributes": {"purpose": "rent"}}  # fmt: skip
    rows = [event_row({**told, "direction": direction}) for direction in ("debit", "credit", None)]
    assert [row["amount"] for row in rows] == ["-5.00 CNY", "+5.00 CNY", "5.00 CNY"]
    nothing = event_row({**told, "direction": "debit", "amount": {"value": "0.00", "currency": "CNY"}})
    assert nothing["amount"] == "0.00 CNY", "a fee that was waived"
    assert (rows[0]["about"], rows[0]["details"]) == ("account:1", {"bank": "OTHA", "purpose": "rent"})
    bare = event_row({"type": "login.failed", "amount": None, "counterparty": None, "attributes": None})
    assert (bare["amount"], bare["details"]) == (None, None)


def test_a_customer_is_found_with_the_number_of_accounts() -> None:
    found = found_row(
        {"customer_id": "c", "accounts": [{}, {}], "person": {"name": {"value": "Li Na"}}, "owner": "M-1"}
    )
    assert (found["accounts"], found["name"], found["owner"]) == (2, "Li Na", "M-1")
    assert found_row({"customer_id": "c", "accounts": None})["accounts"] == 0


def test_a_width_that_was_asked_for_is_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    show_rows(ROWS, {name: name.upper() for name in "abcdef"}, as_json=False, nothing="none")
    assert max(len(line) for line in capsys.readouterr().out.splitlines()) <= 60


def printed_at(window: int, rows: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> list[str]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("COLUMNS", str(window))
        show_rows(rows, {name: name.upper() for name in rows[0]}, as_json=False, nothing="none")
    return capsys.readouterr().out.splitlines()


def test_a_column_without_room_for_its_longest_word_is_left_out_and_told_of(
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = {name: name * 28 for name in "xyz"} | {"d": "words that may be laid out in lines"}
    lines = printed_at(80, [row], capsys)
    assert {line[-1] for line in lines[:-1]} == set("┓┃┩│┘")
    assert row["x"] in lines[3]
    assert row["y"] in lines[3]
    assert lines[-1].strip() == "Left out in a window of this width: Z"
    cells = " ".join(line.split("│")[3].strip() for line in lines[3:-2])
    assert cells == row["d"], "words, and none of them broken"
    assert row["z"] in "".join(printed_at(120, [row], capsys))


@pytest.mark.parametrize("name", ["cus_" + "x" * 26, "core-BOOKING-0000-4711-conflict-d8dcd85344273758"])
def test_what_names_the_row_is_there_and_whole_in_any_window_that_has_room_for_it(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed_at(len(name) + 10, [{"a": name, "b": "some words beside it"}], capsys)
    assert f"│ {name} │" in lines[3]


def test_a_long_word_and_a_text_without_spaces_may_break(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed_at(60, [{"a": "1", "b": "/" * 100, "c": "晨" * 20}], capsys)
    assert max(cell_len(line) for line in lines) <= 60
    assert (sum(line.count("/") for line in lines), sum(line.count("晨") for line in lines)) == (100, 20)


@given(
    cells=st.lists(st.lists(st.text("abc 王\n", max_size=50), min_size=4, max_size=4), max_size=5),
    window=st.integers(40, 240),
)
def test_no_table_is_wider_than_its_window(cells: list[list[str]], window: int) -> None:
    columns = {str(place): ["Heading", *(row[place] for row in cells)] for place in range(4)}
    found = widths(columns, window)
    assert "0" in found
    assert sum(width + 3 for width in found.values()) + 1 <= window


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


_PAGE = ("title", "alert_id", "customer_name", "customer_id", "kind", "situation", "severity", "grade", "state",
         "waiting", "owner", "claimed_by", "wording", "reason", "suggested", "may_say", "must_not_say",
         "outcome")  # fmt: skip
_EMPTY: dict[str, Any] = {
    **dict.fromkeys(_PAGE, ""), "value": None, "currency": "CNY", "due_at": None, "evidence": [], "history": [],
}  # fmt: skip


@pytest.mark.parametrize(("value", "told"), [(None, "unknown"), (0.0, "CNY 0"), (1234.4, "CNY 1,234")])
def test_a_value_at_stake_that_is_not_known_is_said_to_be_so(
    value: float | None, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_alert(console(), {**_EMPTY, "value": value}, "en")
    assert f"At stake: {told}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wording", "told"), [("service_only", "Service only"), ("other_channels", "by a channel"), (None, "")]
)
def test_how_an_alert_must_be_worded_is_said_above_its_words(
    wording: str | None, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_alert(console(), {**_EMPTY, "wording": wording, "suggested": "Call."}, "en")
    above = capsys.readouterr().out.partition("Suggested")[0]
    assert told in above
    assert ("offered" in above) is bool(wording)


def test_a_script_is_told_times_as_the_api_tells_them(counterpoint: Command, deployment: Path) -> None:
    assert counterpoint("sources", "set", "atm", "channel=atm").code == 0
    assert counterpoint("keys", "create", "atm", "--channel", "atm").code == 0
    assert counterpoint("users", "create", "Li Na", "--role", "agent").code == 0
    for group in ("keys", "users"):
        (one,) = counterpoint(group, "list", "--json", env={"COLUMNS": "40"}).json
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", one["created_at"]), one
        assert one["revoked_at"] is None


@pytest.mark.parametrize(("number", "told"), [(0, "0 events wait"), (1, "1 event waits"), (1200, "1,200 events wait")])
def test_a_number_agrees_with_what_follows_it(number: int, told: str) -> None:
    assert counted(number, "event waits", "events wait") == told


@pytest.mark.parametrize("encoding", ["ascii", "gb18030"])
def test_what_a_terminal_cannot_show_costs_one_character_and_a_script_is_told_in_utf8(
    deployment: Path, encoding: str
) -> None:
    environment = {**os.environ, "COUNTERPOINT_DATA": str(deployment), "PYTHONIOENCODING": encoding}

    def told(*more: str) -> bytes:
        command = [sys.executable, "-m", "services.cli", "rules", "list", "--language", "zh", *more]
        return subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment).stdout

    assert "投诉".encode(encoding, "replace") in told()
    assert "投诉" in told("--json").decode()
