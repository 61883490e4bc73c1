"""Rules on the command line: looked at and checked anywhere, switched on and off in a deployment."""

import getpass
from datetime import datetime
from pathlib import Path

import pytest

from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.domain.alert import Alert, Outcome
from services.alerts.domain.editions import Edition
from services.alerts.domain.notices import Notice
from services.alerts.domain.rules import Text
from services.sql.database import Database
from tests.alerts.told import declared
from tests.cli.conftest import Command, in_database
from tests.ports.alert_stores import alert, save


def test_rules_are_listed_where_no_platform_has_been(counterpoint: Command, data: Path) -> None:
    rules = {one["id"]: one for one in counterpoint("rules", "list", "--json").json}
    assert (rules["R4"]["kind"], rules["R4"]["situation"], rules["R4"]["enabled"]) == ("retention", "leaving", True)
    assert rules["R4"]["name"] == "Salary has not come"
    assert rules["R4"]["precision"] is None
    assert not data.exists()
    assert "工资未按期入账" in counterpoint("rules", "list", "--language", "zh").out


def test_a_mistyped_directory_is_no_reason_to_list_as_if_there_were_none(counterpoint: Command, tmp_path: Path) -> None:
    said = counterpoint("rules", "list", "--data", str(tmp_path / "vra"))
    assert said.code == 1
    assert "there is no database at" in said.err


def test_the_products_rules_have_no_mistake(counterpoint: Command) -> None:
    said = counterpoint("rules", "check")
    assert said.code == 0, said.err
    assert said.out.endswith("rules, and nothing is wrong with them\n")


def test_a_banks_mistakes_are_told_with_file_and_line(counterpoint: Command, tmp_path: Path) -> None:
    (tmp_path / "bank.yaml").write_text(
        "rules:\n  - id: B1\n    kind: upsell\n    situation: growth\n    name: {en: x, zh: y}\n"
        "    reason: {en: x, zh: y}\n    when: [asets >= 1.0]\n"
    )
    said = counterpoint("rules", "check", str(tmp_path))
    assert said.code == 1
    assert said.err == "bank.yaml:7: B1 when[0]: no fact is called asets; did you mean assets?\n"
    told = counterpoint("rules", "check", str(tmp_path), "--json").json
    assert [(one["file"], one["line"], one["rule"]) for one in told] == [("bank.yaml", 7, "B1")]
    as_set = counterpoint("rules", "check", env={"COUNTERPOINT_ALERTS_CATALOGUE": str(tmp_path)})
    assert (as_set.code, as_set.err) == (1, said.err)


def test_one_file_can_be_checked_by_itself(counterpoint: Command, tmp_path: Path) -> None:
    file = tmp_path / "draft.yaml"
    file.write_text("rules:\n  - {id: B1}\n")
    said = counterpoint("rules", "check", str(file))
    assert said.code == 1
    assert said.err.startswith("draft.yaml:2: B1")


def test_a_draft_is_checked_whatever_it_is_called(counterpoint: Command, tmp_path: Path) -> None:
    file = tmp_path / "draft.yml"
    file.write_text("rules:\n  - {id: B1}\n")
    assert counterpoint("rules", "check", str(file)).err.startswith("draft.yaml:2: B1")


def test_a_file_that_the_platform_would_not_read_is_named(counterpoint: Command, tmp_path: Path) -> None:
    (tmp_path / "draft.yml").write_text("rules: []\n")
    said = counterpoint("rules", "check", str(tmp_path))
    assert (said.code, said.err) == (1, "error: draft.yml is read by nobody: call it draft.yaml\n")


def test_a_period_that_ends_before_it_begins_is_refused(counterpoint: Command) -> None:
    said = counterpoint("rules", "backtest", "--from", "2026-05-02", "--to", "2026-05-01")
    assert (said.code, said.err) == (2, "error: --to: 2026-05-01 is before 2026-05-02\n")


def test_a_directory_that_is_not_there_is_named(counterpoint: Command) -> None:
    said = counterpoint("rules", "check", "/nowhere")
    assert (said.code, said.err) == (1, "error: /nowhere is no directory\n")


def test_a_rule_is_switched_off_and_on_by_a_person_with_a_reason(counterpoint: Command, deployment: Path) -> None:
    assert counterpoint("rules", "disable", "R22", "--reason", "too many").out == "R22 is off\n"
    rules = {one["id"]: one for one in counterpoint("rules", "list", "--json").json}
    assert rules["R22"]["enabled"] is False
    said = rules["R22"]["switched"]
    assert (said["actor"], said["reason"]) == (getpass.getuser(), "too many")
    assert datetime.fromisoformat(said["at"]).tzinfo is not None
    assert rules["R4"]["enabled"] is True
    assert counterpoint("rules", "enable", "R22", "--reason", "better now", "--actor", "li.na").out == "R22 is on\n"
    rules = {one["id"]: one for one in counterpoint("rules", "list", "--json").json}
    said = rules["R22"]["switched"]
    assert (rules["R22"]["enabled"], said["actor"], said["reason"]) == (True, "li.na", "better now")
    assert "actor: li.na, reason: better now" in counterpoint("rules", "list").out


def test_a_rule_of_a_directory_that_is_not_named_here_is_switched_all_the_same(
    counterpoint: Command, deployment: Path
) -> None:
    record(deployment, edition("OWN1", at=1), edition("OWN2", at=1), edition("OWN2", at=2, gone=True))
    assert counterpoint("rules", "disable", "OWN1", "--reason", "too many").out == "OWN1 is off\n"
    said = counterpoint("rules", "disable", "OWN2", "--reason", "too many")
    assert (said.code, said.err) == (1, "error: there is no rule OWN2: `counterpoint rules list` shows them\n")
    listed = counterpoint("rules", "list")
    assert listed.err.startswith("the platform has OWN1, too: COUNTERPOINT_ALERTS_CATALOGUE names their directory")


def test_a_switch_without_a_reason_is_refused(counterpoint: Command) -> None:
    said = counterpoint("rules", "disable", "R4", "--reason", " ")
    assert (said.code, said.err) == (2, "error: --reason: why is expected: it is kept with the switch\n")


def test_a_rule_that_is_not_there_cannot_be_switched(counterpoint: Command, deployment: Path) -> None:
    said = counterpoint("rules", "disable", "R99", "--reason", "x")
    assert (said.code, said.err) == (1, "error: there is no rule R99: `counterpoint rules list` shows them\n")


def test_the_history_names_who_changed_a_rule_or_a_file_and_what_it_says_since(
    counterpoint: Command, deployment: Path
) -> None:
    desk = Edition(
        rule="", file="desk.yaml", change="changed", at=2, actor="Wang Lei", rule_set="v", settings={"remind_at": 60}
    )
    record(deployment, edition("OWN1", at=1), desk)
    table = counterpoint("rules", "history", env={"COLUMNS": "200"}).out.splitlines()
    rows = [[cell.strip() for cell in line.split("│")[2:-1]] for line in table if line.startswith("│")]
    assert rows == [["desk.yaml", "-", "changed", "Wang Lei", "-"], ["OWN1", "1", "added", "Mei", "-"]]
    [found] = counterpoint("rules", "history", "desk.yaml", "--json").json
    assert (found["rule"], found["file"], found["settings"]) == (None, "desk.yaml", {"remind_at": 60})


def record(data: Path, *editions: Edition) -> None:
    async def work(database: Database) -> None:
        async with SqlAlertStore(database).working() as tx:
            await tx.record(editions)

    in_database(data, work)


def edition(rule_id: str, at: int, gone: bool = False) -> Edition:
    return Edition(
        rule=rule_id, change="removed" if gone else "added", at=at, actor="Mei", rule_set="v",
        declared=None if gone else declared(rule_id),
    )  # fmt: skip


def speak(data: Path, *said: Notice) -> None:
    async def work(database: Database) -> None:
        async with SqlAlertStore(database).working() as tx:
            await tx.notify(said)

    in_database(data, work)


def close(data: Path, *alerts: Alert) -> None:
    async def work(database: Database) -> None:
        for one in alerts:
            await save(SqlAlertStore(database), one)

    in_database(data, work)


def test_how_right_rules_were_is_told_by_rule_branch_and_owner(counterpoint: Command, deployment: Path) -> None:
    assert counterpoint("rules", "precision").out == (
        "no alert was closed with an outcome yet: `counterpoint alerts outcome` and `false-alarm` do so\n"
    )
    right, wrong = Outcome(result="saved"), Outcome(result="not_relevant", reason="x")
    close(
        deployment,
        alert("a1", "c1", state="closed", branch="BJ", outcome=right),
        alert("a2", "c2", state="closed", branch="SH", owner="M-2", outcome=wrong),
    )
    assert counterpoint("rules", "precision", "--json").json == [
        {"rule": "R1", "closed": 2, "not_relevant": 1, "relevant": 0.5}
    ]
    by_owner = counterpoint("rules", "precision", "R1", "--by", "branch,owner", "--json").json
    assert [(one["branch"], one["owner"], one["relevant"]) for one in by_owner] == [
        ("BJ", "M-1", 1.0),
        ("SH", "M-2", 0),
    ]
    assert "100%" in counterpoint("rules", "precision", "--by", "owner").out
    assert "--by: rule, branch, owner are expected" in counterpoint("rules", "precision", "--by", "colour").err


def test_a_rule_that_does_not_speak_is_named_with_what_to_do(counterpoint: Command, deployment: Path) -> None:
    assert (
        counterpoint("rules", "notices").out
        == "every rule that is switched on is active: `--all` shows what has ended\n"
    )
    paused = Notice(rule="R4", name=Text("Salary", "工资"), matter="paused", began=True, at=9, seen=101, among=12)
    speak(deployment, paused)
    assert "is paused: it began to speak of 101 customers" in counterpoint("rules", "notices").out
    [told] = counterpoint("rules", "notices", "--json").json
    assert (told["rule"], told["to_do"][:10]) == ("R4", "See whethe")
    assert "Rule R4 (Salary) is paused" in counterpoint("watch", "--once", "--every", "0.2").out
    rules = {one["id"]: one for one in counterpoint("rules", "list", "--json").json}
    assert rules["R4"]["silent"] == {"matter": "paused", "at": "1970-01-01T00:00:00.009Z"}
    found = {one["what"]: one for one in counterpoint("doctor", "--json").json}
    assert (found["rules"]["state"], "Rule R4" in found["rules"]["told"]) == ("warning", True)
    speak(deployment, Notice(rule="R4", name=Text("Salary", "工资"), matter="paused", began=False, at=10, actor="Mei"))
    assert counterpoint("rules", "notices", "--json").json == []
    assert [one["began"] for one in counterpoint("rules", "notices", "--all", "--json").json] == [False, True]


@pytest.mark.parametrize("command", ["history", "precision"])
def test_a_rule_that_nobody_knows_is_told_instead_of_nothing(
    counterpoint: Command, deployment: Path, command: str
) -> None:
    said = counterpoint("rules", command, "R404")
    assert (said.code, said.err) == (1, "error: there is no rule R404: `counterpoint rules list` shows them\n")


def test_a_rule_without_outcomes_is_named(counterpoint: Command, deployment: Path) -> None:
    assert counterpoint("rules", "precision", "R4").out == "no alert of R4 was closed with an outcome yet\n"
