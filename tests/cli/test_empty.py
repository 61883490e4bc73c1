"""Where there is nothing to show, a command says what would be shown, and by what it comes to be there."""

from pathlib import Path

import pytest

from tests.cli.conftest import Command, Platform


@pytest.mark.parametrize(
    ("command", "fills"),
    [
        ("sources list", "`counterpoint sources set`"),
        ("keys list", "`counterpoint keys create`"),
        ("users list", "`counterpoint users create`"),
        ("deliveries list", "`--state all`"),
        ("deliveries list --state waiting", "`--state all`"),
        ("deliveries list --state all", "destinations.yaml in the directory of COUNTERPOINT_ALERTS_CATALOGUE"),
        ("destinations list", "destinations.yaml in the directory of COUNTERPOINT_ALERTS_CATALOGUE"),
        ("dead-letters list", "`--replayed`"),
        ("dead-letters list --replayed", "`counterpoint dead-letters replay`"),
        ("dead-letters list --reason conflict", "--reason"),
        ("customers find customer_no=1", "`counterpoint dead-letters list`"),
        ("rules precision", "`counterpoint alerts outcome`"),
        ("rules history", "`counterpoint rules list`"),
        ("rules notices", "`--all`"),
        ("rules backtest --from 2026-01-01 --to 2026-01-02", "`--clock event`"),
        ("watch --once --every 0.2", "`counterpoint sources set`"),
    ],
)
def test_nothing_to_show_is_told_with_what_would_fill_it(
    counterpoint: Command, deployment: Path, command: str, fills: str
) -> None:
    said = counterpoint(*command.split(), env={"COLUMNS": "200"})
    assert (said.code, fills in said.out) == (0, True), said


def test_an_inbox_without_such_alerts_says_where_to_look(platform: Platform) -> None:
    said = platform.run("alerts", "list", "--rule", "none")
    assert "`--state all`" in said.out
    assert "`counterpoint rules explain CUSTOMER`" in said.out


def test_of_an_empty_database_nobody_is_told_anew_after_a_restore(counterpoint: Command, deployment: Path) -> None:
    said = counterpoint("db", "restored")
    assert (said.code, said.out) == (0, "0 customers told anew, 0 taken back; 0 alerts told anew, 0 taken back\n"), said
