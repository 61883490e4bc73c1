"""Refresh gives way to update while events are applied late, and only then."""

import pytest

from services.profile.domain.customers.freshness import SourceSeen
from services.profile.giving_way import BACKLOG_MS, LATE_MS, LONGEST_PAUSE_S, MARKS_AT_ONCE, STILL_MS, GivingWay
from tests.profile.told import NOW


def applied(*accepted_at: int) -> list[SourceSeen]:
    return [SourceSeen("core", "corebank", place, 0, at) for place, at in enumerate(accepted_at)]


@pytest.fixture
def pressed() -> GivingWay:
    """Events come, and the newest one applied was accepted long ago."""
    way = GivingWay()
    way.look(applied(NOW - LATE_MS - 1), NOW)
    return way


def test_while_events_are_applied_late_refresh_takes_little_and_pauses_longer_than_it_worked(
    pressed: GivingWay,
) -> None:
    assert pressed.marks_at_once < MARKS_AT_ONCE
    assert pressed.pause_s(0.05) > 0.05


def test_no_pause_is_so_long_that_leases_would_lapse(pressed: GivingWay) -> None:
    assert pressed.pause_s(60.0) == LONGEST_PAUSE_S


def test_events_that_are_applied_in_time_hold_nothing_up() -> None:
    way = GivingWay()
    way.look(applied(NOW - 60_000, NOW - LATE_MS), NOW)
    assert (way.marks_at_once, way.pause_s(1.0)) == (MARKS_AT_ONCE, 0.0)


def test_once_no_more_events_come_what_waits_is_worked_off_at_full_speed(pressed: GivingWay) -> None:
    newest = NOW - LATE_MS - 1
    pressed.look(applied(newest), NOW + STILL_MS - 1)
    assert pressed.pause_s(1.0) > 0
    pressed.look(applied(newest), NOW + STILL_MS)
    assert (pressed.marks_at_once, pressed.pause_s(1.0)) == (MARKS_AT_ONCE, 0.0)


def test_a_backlog_is_worked_off_as_ever() -> None:
    way = GivingWay()
    way.look(applied(NOW - BACKLOG_MS), NOW)
    assert (way.marks_at_once, way.pause_s(1.0)) == (MARKS_AT_ONCE, 0.0)


def test_where_nothing_was_ever_applied_nothing_is_late() -> None:
    way = GivingWay()
    way.look([], NOW)
    assert way.pause_s(1.0) == 0.0
