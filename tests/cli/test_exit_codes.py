"""One system of exit codes: 0 done, 1 it could not, 2 the command line is not understood, 130 interrupted."""

import ast

import pytest

from tests.cli.conftest import Command, every_command
from tests.house.source import modules

NOT_UNDERSTOOD = [
    "customers find", "customers find colour=red", "customers find phone=1 phone=2",
    "customers split --reason x", "customers split customer_no=1 --decision d --subject s --reason x",
    "customers timeline customer_no=1 --since soon", "rules backtest --from today --to 2026-01-01",
    "rules backtest --from 2026-01-02 --to 2026-01-01", "rules precision --by colour", "rules disable R1 --reason",
    "alerts snooze al_1 --until soon --token t --url http://127.0.0.1:1", "deliveries retry", "dead-letters replay",
    "alerts outcome al_1 sold --amount 5 --token t --url http://127.0.0.1:1", "positions rewind --to-time soon",
    "positions rewind", "simulate --days 0 --key k --url http://127.0.0.1:1", "sources set atm colour=red",
    "profile --only sleep", "watch --every 0", "replay ndjson /nowhere", "keys create atm",
    "users create x --role king", "users create system --role agent", "users create x --role agent --manager-id M-1",
    "sources set atm rhythm_ms=soon", "sources set atm channel=fax", "sources set atm of_record=cash.eaten",
    "sources set ATM! channel=atm", "keys create atm --channel fax",
    "customers show colour=red", "customers timeline colour=red", "customers merge colour=red cus_1 --reason x",
    "customers split colour=red --reason x", "customers timeline customer_no=1 --channel fax",
    "customers timeline customer_no=1 --since 2026-02-01 --until 2026-01-01", "rules explain colour=red",
    "alerts list --customer colour=red", "alerts list --state lost", "alerts outcome al_1 bought",
]  # fmt: skip
UNDERSTOOD = [
    "alerts list", "alerts claim al_1", "customers show customer_no=1", "db status", "dead-letters list",
    "deliveries list", "destinations test nobody", "doctor", "keys list", "positions show", "rebuild",
    "rules check /nowhere", "rules disable R404 --reason x", "rules explain customer_no=1", "simulate", "sources list",
    "users list", "watch --once",
]  # fmt: skip


@pytest.mark.parametrize("command", every_command())
def test_an_option_that_is_none_is_not_understood(counterpoint: Command, command: str) -> None:
    assert counterpoint(*command.split(), "--nonsense").code == 2


@pytest.mark.parametrize("command", NOT_UNDERSTOOD)
def test_what_could_be_right_nowhere_is_not_understood(counterpoint: Command, command: str) -> None:
    said = counterpoint(*command.split())
    assert (said.code, said.out) == (2, ""), said


@pytest.mark.parametrize("command", [
    ["alerts", "list", "--customer", "customer_no="], ["customers", "show", "customer_no= "],
    ["customers", "find", "customer_no="], ["rules", "explain", "customer_no="],
])  # fmt: skip
def test_an_identifier_without_a_value_is_named_with_what_to_write(counterpoint: Command, command: list[str]) -> None:
    said = counterpoint(*command)
    told = "error: customer_no: a value is expected after the equals sign, as in customer_no=10000017\n"
    assert (said.code, said.err) == (2, told)


def test_nobody_at_all_is_not_everybody(counterpoint: Command) -> None:
    said = counterpoint("alerts", "list", "--customer", "")
    assert said.code == 2
    assert said.err.startswith("error: a customer is expected, not blank: a customer id, or an identifier such as")


@pytest.mark.parametrize("command", UNDERSTOOD)
def test_what_is_understood_and_cannot_be_done_where_no_platform_was_yet_has_failed(
    counterpoint: Command, command: str
) -> None:
    assert counterpoint(*command.split()).code == 1


def test_codes_are_named_and_no_command_has_one_of_its_own() -> None:
    ends = {"Exit", "BadParameter", "UsageError", "Abort", "exit", "SystemExit"}
    named = {"FAILED", "INTERRUPTED", "error"}
    found = [
        f"{module.place}:{node.lineno}"
        for module in modules("services")
        if module.name.startswith("services.cli")
        for node in module.nodes
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) in ends
        and not named & {one.id for argument in node.args for one in ast.walk(argument) if isinstance(one, ast.Name)}
    ]
    assert not found
