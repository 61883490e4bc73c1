"""How the work of several people stands, and what came of it."""

from datetime import UTC, datetime

import pytest

from schemas.instants import instant
from services.alerts.domain.team import Closed, Load, members, month, team_of


def test_a_team_is_everybody_who_reports_to_somebody_directly_or_not() -> None:
    superiors = {"M-1": "M-9", "M-2": "M-9", "M-3": "M-2", "M-4": "M-8", "M-9": "M-8"}
    assert team_of("M-9", superiors) == ("M-1", "M-2", "M-3", "M-9")
    assert team_of("M-1", superiors) == ("M-1",)
    assert team_of("M-1", {"M-1": "M-2", "M-2": "M-1"}) == ("M-1", "M-2")


def test_only_what_somebody_could_have_answered_is_overdue() -> None:
    loads = [Load("M-1", state, 3, 2) for state in ("new", "routed", "claimed", "contacted", "planned", "snoozed")]
    one, together = members([], loads, [])
    assert (one.open(), one.open(["routed"]), one.overdue) == (18, 3, 6)
    assert (together.open(), together.overdue) == (18, 6)


def test_all_who_are_named_are_told_of_and_all_together_last() -> None:
    closed = [
        Closed("M-2", "sold", 2, {"CNY": 500, "USD": 7}), Closed("M-2", "not_relevant", 1, {}),
        Closed("M-3", "sold", 1, {"CNY": 11}), Closed("M-3", "saved", 4, {}),
    ]  # fmt: skip
    told = members(["M-1"], [Load("M-3", "routed", 1, 0)], closed)
    assert [one.owner for one in told] == ["M-1", "M-2", "M-3", ""]
    assert [one.relevant for one in told] == [None, pytest.approx(2 / 3), 1.0, 0.875]
    assert [one.amounts for one in told] == [{}, {"CNY": 500, "USD": 7}, {"CNY": 11}, {"CNY": 511, "USD": 7}]
    assert [one.ended("sold", "saved") for one in told] == [0, 2, 5, 7]


@pytest.mark.parametrize(
    ("day", "zone", "expected"),
    [
        ("2026-12-31", "Asia/Shanghai", ("2026-11-30T16:00:00Z", "2026-12-31T16:00:00Z")),
        ("2028-02-01", "UTC", ("2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z")),
        ("2026-03-15", "Europe/Prague", ("2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z")),
    ],
)
def test_a_month_begins_and_ends_by_the_clocks_of_a_place(day: str, zone: str, expected: tuple[str, str]) -> None:
    since, until = month(datetime.fromisoformat(day).replace(tzinfo=UTC), zone)
    assert (instant(since), instant(until)) == expected
