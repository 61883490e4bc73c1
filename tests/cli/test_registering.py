"""Keys, sources and users: made, shown and taken back; a mistake is one sentence with the fix."""

import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Command


def test_a_directory_without_a_platform_is_not_made_into_one(counterpoint: Command, data: Path) -> None:
    said = counterpoint("keys", "list")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"error: there is no database at {data}/counterpoint.db: ")
    assert "Traceback" not in said.err
    assert not data.exists()


def test_a_wrong_setting_is_named(counterpoint: Command) -> None:
    said = counterpoint("keys", "list", env={"COUNTERPOINT_PORT": "http"})
    assert said.code == 1
    assert said.err.startswith("error: COUNTERPOINT_PORT: ")


def test_a_key_is_shown_once_listed_and_revoked(counterpoint: Command, deployment: Path) -> None:
    assert counterpoint("sources", "set", "atm", "channel=atm").out == "atm is registered\n"
    made = counterpoint("keys", "create", "atm", "--channel", "atm", "--rate", "50", "--json").json
    listed = counterpoint("keys", "list", "--json")
    assert made["key"] not in listed.out
    assert [(one["key_id"], one["rate"], one["revoked_at"]) for one in listed.json] == [(made["key_id"], 50, None)]
    assert counterpoint("keys", "revoke", made["key_id"]).code == 0
    assert counterpoint("keys", "list", "--json").json[0]["revoked_at"] is not None
    for key_id in (made["key_id"], "key_nobody"):
        refused = counterpoint("keys", "revoke", key_id)
        assert (refused.code, f"there is no key {key_id} in force" in refused.err) == (1, True)


def test_a_key_needs_a_registered_source(counterpoint: Command, deployment: Path) -> None:
    said = counterpoint("keys", "create", "atm", "--channel", "atm")
    assert (said.code, said.err) == (1, "error: source: register the source first: `counterpoint sources set atm`\n")


def test_a_key_of_several_channels_takes_them_with_commas_or_one_by_one(
    counterpoint: Command, deployment: Path
) -> None:
    counterpoint("sources", "set", "apps")
    for said in (["--channel", "online,mobile"], ["--channel", "online", "--channel", "mobile"]):
        assert counterpoint("keys", "create", "apps", *said, "--json").json["channels"] == ["online", "mobile"]
    refused = counterpoint("keys", "create", "apps", "--channel", "online,moon")
    assert (refused.code, "one of counter, atm, online" in refused.err) == (2, True)


def test_a_key_is_for_the_channel_that_its_source_speaks_for(counterpoint: Command, deployment: Path) -> None:
    counterpoint("sources", "set", "atm", "channel=atm")
    refused = counterpoint("keys", "create", "atm", "--channel", "mobile")
    assert (refused.code, refused.err) == (
        1, "error: channels: atm speaks for atm: a key that allows it is expected\n",
    )  # fmt: skip


def test_a_source_changes_where_it_is_told_to_and_nowhere_else(counterpoint: Command, deployment: Path) -> None:
    counterpoint("sources", "set", "atm", "channel=atm", "of_record=cash.withdrawn,cash.deposited")
    assert counterpoint("sources", "set", "atm", "rhythm_ms=600000", "enabled=false").out == "atm is changed\n"
    known = counterpoint("sources", "show", "atm", "--json").json
    assert known["of_record"] == ["cash.withdrawn", "cash.deposited"]
    assert (known["rhythm_ms"], known["enabled"], known["channel"]) == (600_000, False, "atm")
    assert "cash.withdrawn" in counterpoint("sources", "list").out


def test_a_wrong_parameter_of_a_source_is_named(counterpoint: Command, deployment: Path) -> None:
    assert (
        "of_record: the catalogue has no type cash.eaten"
        in counterpoint("sources", "set", "a", "of_record=cash.eaten").err
    )
    assert "colour=red: name=value is expected" in counterpoint("sources", "set", "a", "colour=red").err
    assert "rhythm_ms" in counterpoint("sources", "set", "a", "rhythm_ms=soon").err
    assert counterpoint("sources", "list", "--json").json == []


@pytest.mark.parametrize("given", ["rhythm_ms", "id=b"])
def test_a_parameter_without_a_value_and_the_id_of_a_source_are_none_that_can_be_set(
    counterpoint: Command, deployment: Path, given: str
) -> None:
    said = counterpoint("sources", "set", "a", given)
    assert said.code == 2
    told = f"error: {given}: name=value is expected, with one of the names channel, "
    assert said.err.startswith(told)
    assert " id" not in said.err.removeprefix(told)


def test_a_list_of_types_may_end_with_a_comma_and_be_empty(counterpoint: Command, deployment: Path) -> None:
    for given, kept in (("cash.withdrawn,", ["cash.withdrawn"]), ("", [])):
        assert counterpoint("sources", "set", "a", f"of_record={given}", "--json").json["of_record"] == kept


def test_a_change_of_a_source_that_changes_nothing_is_refused(counterpoint: Command, deployment: Path) -> None:
    counterpoint("sources", "set", "a", "channel=atm")
    said = counterpoint("sources", "set", "a")
    assert (said.code, "say what to change" in said.err) == (1, True)


def test_a_source_is_registered_as_others_are_where_nothing_is_said_of_it(
    counterpoint: Command, deployment: Path
) -> None:
    assert counterpoint("sources", "set", "a").out == "a is registered\n"
    assert counterpoint("sources", "show", "a", "--json").json["enabled"]


def test_the_parameters_of_a_source_are_shown_by_name_and_of_one_that_is_none_it_is_said(
    counterpoint: Command, deployment: Path
) -> None:
    counterpoint("sources", "set", "a", "channel=atm", "rhythm_ms=600000")
    rows = [line.split() for line in counterpoint("sources", "show", "a").out.splitlines()]
    assert ["│", "rhythm_ms", "│", "600000", "│"] in rows
    for script in ((), ("--json",)):
        said = counterpoint("sources", "show", "b", *script)
        assert (said.code, said.out) == (1, "")
        assert "there is no source b: `counterpoint sources list` shows them" in said.err


def test_a_token_is_shown_once_listed_and_revoked(counterpoint: Command, deployment: Path) -> None:
    made = counterpoint("users", "create", "Li Wei", "--role", "agent", "--json").json
    listed = counterpoint("users", "list", "--json")
    assert made["token"] not in listed.out
    assert [(one["name"], one["role"]) for one in listed.json] == [("Li Wei", "agent")]
    assert counterpoint("users", "revoke", made["user_id"]).code == 0
    assert counterpoint("users", "revoke", made["user_id"]).code == 1
    made = counterpoint("users", "create", "Li Wei", "--role", "manager", "--manager-id", "M-104", "--json").json
    assert made["manager_id"] == "M-104"
    made = counterpoint("users", "create", "Li Wei", "--role", "agent", "--expires", "90", "--json").json
    listed = counterpoint("users", "list", "--json").json
    assert [one["expires_at"] for one in listed if one["user_id"] == made["user_id"]] == [made["expires_at"]]
    assert [one["expires_at"] is None for one in listed].count(True) == 2
    assert counterpoint("users", "create", "Li Wei", "--role", "agent", "--expires", "0").code == 2
    said = counterpoint("users", "create", "Li Wei", "--role", "king")
    assert said.code == 2
    assert "'agent', 'manager', 'admin'" in said.err
    assert "Value error" not in said.err


def test_of_several_the_one_that_was_taken_back_is_told(counterpoint: Command, deployment: Path) -> None:
    counterpoint("sources", "set", "a", "channel=atm")
    users = [counterpoint("users", "create", name, "--role", "agent", "--json").json["user_id"] for name in "xyz"]
    keys = [counterpoint("keys", "create", "a", "--channel", "atm", "--json").json["key_id"] for _ in range(3)]
    for user, key in zip(users[::-1], keys[::-1], strict=True):
        assert counterpoint("users", "revoke", user, "--json").json["user_id"] == user
        assert counterpoint("keys", "revoke", key, "--json").json["key_id"] == key


@pytest.mark.parametrize(
    ("command", "field"),
    [(("users", "create", " ", "--role", "agent"), "name"), (("keys", "create", "a", "--channel", "fax"), "channel")],
)
def test_a_mistake_of_the_line_is_told_before_anything_is_asked_for(
    counterpoint: Command, command: tuple[str, ...], field: str
) -> None:
    """Here there is no database yet."""
    said = counterpoint(*command)
    assert (said.code, said.err.startswith(f"error: {field}")) == (2, True)


def test_a_database_of_a_newer_release_is_refused(counterpoint: Command, deployment: Path) -> None:
    assert counterpoint("db", "status", "--json").json["current"]
    with sqlite3.connect(deployment / "counterpoint.db") as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    connection.close()
    for command in (("db", "status"), ("db", "upgrade"), ("keys", "list")):
        said = counterpoint(*command)
        assert said.code == 1
        assert "revision 9999, made by a newer release" in said.err


def test_a_parameter_that_cannot_be_read_is_said_in_words(counterpoint: Command, deployment: Path) -> None:
    for wanted, told in (
        ("rhythm_ms=soon", "rhythm_ms: a whole number is expected"),
        ("rhythm_ms=0", "rhythm_ms: a whole number >= 1 is expected"),
        ("heartbeats=perhaps", "heartbeats: true or false is expected"),
    ):
        said = counterpoint("sources", "set", "core", wanted)
        assert (said.code, said.err) == (2, f"error: {told}\n")


def test_what_was_done_is_told_to_a_script_as_a_list_tells_it(counterpoint: Command, deployment: Path) -> None:
    registered = counterpoint("sources", "set", "a", "channel=atm", "--json").json
    assert registered == counterpoint("sources", "show", "a", "--json").json
    key = counterpoint("keys", "create", "a", "--channel", "atm", "--json").json["key_id"]
    assert counterpoint("keys", "revoke", key, "--json").json == counterpoint("keys", "list", "--json").json[0]
    user = counterpoint("users", "create", "Li Wei", "--role", "agent", "--json").json["user_id"]
    assert counterpoint("users", "revoke", user, "--json").json == counterpoint("users", "list", "--json").json[0]
    switched = counterpoint("rules", "disable", "R1", "--reason", "tried", "--json").json
    [listed] = [one for one in counterpoint("rules", "list", "--json").json if one["id"] == "R1"]
    assert {name: listed[name] for name in switched} == switched
    assert counterpoint("db", "upgrade", "--json").json == counterpoint("db", "status", "--json").json
    assert counterpoint("rebuild", "--json").json["subjects"] == 0
    assert counterpoint("deliveries", "retry", "--all", "--json").json == {"asked": 0, "sent_again": 0}
