"""`alerts` beside a running platform: a complaint becomes an alert, and is worked to its end from the terminal."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.cli.alerts.day import COLUMNS as OF_DAY
from services.cli.alerts.day import ORDER
from services.cli.alerts.tables import EVIDENCE, HISTORY, LISTED
from services.cli.alerts.team import COLUMNS as OF_TEAM
from services.cli.alerts.words import headed
from services.cli.output import written
from tests.cli.conftest import Platform


def run(platform: Platform, *command: str, role: str = "manager") -> Any:
    said = platform.credentials
    return platform.run("alerts", *command, "--url", said["base_url"], "--token", said[f"{role}_token"])


def complaint(number: int) -> list[dict[str, Any]]:
    customer = {"customer_no": f"k-{number}"}
    at = "2026-11-20T10:00:00+08:00"
    return [
        {"id": f"k{number}-r", "type": "customer.registered", "occurred_at": at, "identifiers": customer,
         "attributes": {"kind": "person", "name": "王芳"}},
        {"id": f"k{number}-c", "type": "case.opened", "occurred_at": at,
         "identifiers": {"case_id": f"CS-{number}", **customer},
         "attributes": {"case_kind": "complaint", "reason": "fee"}},
    ]  # fmt: skip


@pytest.fixture(scope="module")
def alert_id(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> str:
    return raised(platform, tmp_path_factory.mktemp("events"), 1)


def raised(platform: Platform, directory: Path, number: int) -> str:
    """The alert on the complaint of a new customer."""
    file = directory / "events.ndjson"
    file.write_text("\n".join(json.dumps(one) for one in complaint(number)))
    assert platform.run("replay", "ndjson", str(file)).code == 0
    platform.until("customers", "find", f"customer_no=k-{number}", holds=bool)
    said = platform.credentials
    asked = ("alerts", "list", "--customer", f"customer_no=k-{number}", "--rule", "R11", "--url", said["base_url"],
             "--token", said["agent_token"])  # fmt: skip
    [alert] = platform.until(*asked, holds=bool)
    return str(alert["alert_id"])


def test_an_id_that_is_blank_is_asked_for(platform: Platform) -> None:
    refused = run(platform, "show", "")
    assert (refused.code, refused.err) == (2, "error: say which alert: `counterpoint alerts list` shows their ids\n")


def test_an_alert_is_listed_shown_and_worked_to_its_end(platform: Platform, tmp_path: Path) -> None:
    alert = raised(platform, tmp_path, 2)
    listed = run(platform, "list", "--limit", "200")
    assert [line for line in listed.out.splitlines() if alert in line and "王芳" in line]
    assert run(platform, "claim", alert).out.startswith(f"{alert} is claimed; possible now: snooze, plan, contact")
    assert run(platform, "plan", alert, "--at", "2100-01-01T09:00+08:00").err.startswith("error: 422: a time to come")
    visit, later = ((datetime.now(UTC) + timedelta(days=n)).replace(microsecond=0) for n in (30, 40))
    for step, option, until in (("plan", "--at", visit), ("snooze", "--until", later)):
        assert run(platform, step, alert, option, until.isoformat()).code == 0
        stands = (
            f"State: {'planned' if step == 'plan' else 'snoozed'} for {written(until.strftime('%Y-%m-%dT%H:%M:%SZ'))}"
        )
        shown = run(platform, "show", alert).out
        assert stands in shown
        assert "Due: -" in shown
    assert run(platform, "contact", alert, "--note", "asked the branch", "--json").json["state"] == "contacted"
    refused = run(platform, "outcome", alert, "not_relevant")
    assert (refused.code, refused.err[:10]) == (1, "error: 422")
    closed = run(platform, "outcome", alert, "sold", "--product", "fund-7", "--amount", "50000.00 CNY")
    assert closed.out == f"{alert} is closed\n"
    shown = run(platform, "show", alert).out
    for told in ("Customer: 王芳  cus_", "Complaint open", "Suggested: ", "Must not be said: ", "asked the branch",
                 "50000.00 CNY", "R11 v1"):  # fmt: skip
        assert told in shown
    again = run(platform, "outcome", alert, "saved")
    assert again.err == "error: 409: an alert that is closed takes no outcome; possible now: nothing more\n"


def test_the_events_behind_an_alert_are_listed_with_what_each_counts(platform: Platform, tmp_path: Path) -> None:
    number, url = 4, platform.credentials["base_url"]
    calls = [
        {"id": f"k{number}-call{day}", "type": "call.offered", "channel": "call_center",
         "occurred_at": (datetime.now(UTC) - timedelta(days=day)).isoformat(),
         "identifiers": {"customer_no": f"k-{number}"},
         "attributes": {"contact_id": f"K{number}/{day}", "reason": "fee"}}
        for day in (1, 2, 3)
    ]  # fmt: skip
    raised(platform, tmp_path, number)
    file = tmp_path / "calls.ndjson"
    file.write_text("\n".join(json.dumps(one) for one in calls))
    assert platform.run("replay", "ndjson", str(file)).code == 0
    [alert] = platform.until("alerts", "list", "--customer", f"customer_no=k-{number}", "--rule", "R12", "--url", url,
                             "--token", platform.credentials["agent_token"], holds=bool)  # fmt: skip
    shown = run(platform, "events", alert["alert_id"], role="agent").out.partition("contacts_same_reason_7d = 3, from")[
        2
    ]
    assert re.findall(r"(call\d) .* │ 1 +│", shown) == ["call1", "call2", "call3"]
    facts = run(platform, "events", alert["alert_id"], "--json").json["evidence"][-1]["facts"]
    assert {one["adds_up"] for one in facts if one["since"]} == {True}


def test_what_is_left_out_is_told_with_how_to_see_it(platform: Platform, alert_id: str, tmp_path: Path) -> None:
    raised(platform, tmp_path, 5)
    everything = run(platform, "list", "--state", "all", "--all", "--json").json
    assert len(everything) > 1
    assert alert_id in {one["alert_id"] for one in everything}
    assert run(platform, "list", "--state", "all", "--limit", "1000", "--json").json == everything
    some = run(platform, "list", "--state", "all", "--limit", "1").out
    assert some.endswith("there are more: narrow it, raise --limit, or say --all\n")
    assert "there are more" not in run(platform, "list", "--state", "all", "--all").out


def test_who_has_not_agreed_to_marketing_is_offered_nothing_and_the_page_says_so(
    platform: Platform, alert_id: str
) -> None:
    shown = run(platform, "show", alert_id).out
    assert "Service only: nothing may be offered" in shown
    assert "Must not be said: No offers and no invitations to buy." in shown


def test_texts_come_in_chinese_when_asked(platform: Platform, alert_id: str) -> None:
    assert "投诉未结" in run(platform, "show", alert_id, "--language", "zh").out


def test_who_sits_at_a_chinese_terminal_reads_chinese_unless_the_line_says_otherwise(
    platform: Platform, alert_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    shown = run(platform, "show", alert_id).out
    assert "投诉未结" in shown
    assert "建议: " in shown
    assert "负责人" in run(platform, "list").out
    where = ("--url", platform.credentials["base_url"], "--token", platform.credentials["agent_token"])
    assert "略去: 负责人" in platform.run("alerts", "list", *where, env={"COLUMNS": "80"}).out
    assert "没有这样的告警" in run(platform, "list", "--owner", "M-404").out
    assert "Suggested: " in run(platform, "show", alert_id, "--language", "en").out


@pytest.mark.parametrize("columns", [LISTED, EVIDENCE, HISTORY, OF_DAY, OF_TEAM, {one: one for one in ORDER}])
def test_every_heading_has_a_chinese_word(columns: dict[str, str]) -> None:
    chinese = headed(columns, "zh")
    assert chinese.keys() == columns.keys()
    assert not any(heading.isascii() for heading in chinese.values())


def test_an_agent_reads_and_takes_no_step(platform: Platform, alert_id: str) -> None:
    assert run(platform, "show", alert_id, "--json", role="agent").json["alert_id"] == alert_id
    assert run(platform, "claim", alert_id, role="agent").err == "error: 403: the role manager is needed\n"


def test_a_false_alarm_is_closed_in_one_go(platform: Platform, tmp_path: Path) -> None:
    alert = raised(platform, tmp_path, 3)
    closed = run(platform, "false-alarm", alert, "--json").json
    assert (closed["alert_id"], closed["state"], closed["outcome"]["result"]) == (alert, "closed", "not_relevant")
    assert run(platform, "list", "--state", "closed", "--limit", "200", "--json").json


def test_what_was_mistyped_is_one_sentence(platform: Platform, alert_id: str) -> None:
    for step, option, time in (("snooze", "--until", "soon"), ("plan", "--at", "2027-01-01T09:00")):
        said = run(platform, step, alert_id, option, time).err
        assert said == f"error: {option}: a time with its zone is expected, such as 2026-11-30T09:00+08:00\n"
    assert "customer_no=10000017" in run(platform, "list", "--customer", "10000017").err
    assert "with its currency" in run(platform, "outcome", alert_id, "sold", "--amount", "12").err
    for command in ("show", "events"):
        assert run(platform, command, "al_none").err == "error: 404: no alert has this id\n"
    assert run(platform, "list", "--state", "lost").err.startswith("error: --state: open, all, new, routed, claimed,")


def test_the_board_shows_alerts_and_how_many_there_are(platform: Platform, alert_id: str) -> None:
    shown = platform.run("watch", "--once", "--every", "0.3").out
    assert alert_id[:3] in shown
    assert "Complaint open" in shown
    assert re.search(r"alerts by state: .*\d+ routed", shown)
