"""What a manager does today, in the order in which to do it."""

from datetime import datetime
from typing import Any

import pytest

from services.cli.alerts.day import Day, days_work
from tests.cli.conftest import Platform

DAY = Day(datetime.fromisoformat("2026-11-24T10:00+08:00"), datetime.fromisoformat("2026-11-24T00:00+08:00"))


def alert(name: str, state: str = "routed", **told: str | None) -> dict[str, Any]:
    times = {"due_at": "2026-11-30T04:00:00Z", "planned_at": None, "snoozed_until": None}
    return {"alert_id": name, "state": state, "opened_at": "2026-11-01T00:00:00Z", **times, **told}


@pytest.mark.parametrize(
    ("found", "today"),
    [
        (alert("a", due_at="2026-11-24T01:59:00Z"), "overdue"),
        (alert("a", "contacted", due_at="2026-11-23T01:00:00Z"), "overdue"),
        (alert("a", due_at="2026-11-24T15:59:00Z"), "due"),
        (alert("a", due_at="2026-11-24T16:00:00Z"), None),
        (alert("a", "planned", planned_at="2026-11-24T07:00:00Z", due_at="2026-11-20T01:00:00Z"), "visit"),
        (alert("a", "planned", planned_at="2026-11-20T07:00:00Z"), "visit"),
        (alert("a", "planned", planned_at="2026-11-25T07:00:00Z", opened_at="2026-11-24T00:30:00Z"), None),
        (alert("a", "snoozed", snoozed_until="2026-11-24T12:00:00Z"), "comes back"),
        (alert("a", "snoozed", snoozed_until="2026-12-24T12:00:00Z"), None),
        (alert("a", "new", due_at=None, opened_at="2026-11-22T16:00:00Z"), "new"),
        (alert("a", "new", due_at="2026-11-20T01:00:00Z"), None),
        (alert("a", due_at="2026-11-24T01:00:00Z", opened_at="2026-11-24T00:30:00Z"), "overdue"),
        (alert("a"), None),
    ],
)
def test_an_alert_asks_for_one_thing_today_or_for_nothing(found: dict[str, Any], today: str | None) -> None:
    assert [one["today"] for one in days_work([found], DAY)] == ([today] if today else [])


def test_what_is_overdue_comes_first_and_what_is_new_last_in_the_order_of_the_inbox() -> None:
    new, newer = (alert(name, opened_at=f"2026-11-24T00:{minute}:00Z") for name, minute in (("b", "30"), ("a", "10")))
    late = [alert(name, due_at=f"2026-11-2{day}T01:00:00Z") for name, day in (("d", 3), ("c", 2))]
    visit = alert("v", "planned", planned_at="2026-11-24T07:00:00Z")
    assert [one["alert_id"] for one in days_work([new, newer, visit, *late], DAY)] == ["c", "d", "v", "b", "a"]


def test_a_day_is_somebodys(platform: Platform) -> None:
    said = platform.credentials
    where = ("--url", said["base_url"])
    refused = platform.run("alerts", "day", *where)
    assert refused.code == 2
    assert refused.err.startswith("error: say whose day: --owner")
    told = platform.run("alerts", "day", "--owner", "M-404", *where, "--token", said["manager_token"])
    assert told.out == "nothing is due today, and nothing is new since yesterday\n"
