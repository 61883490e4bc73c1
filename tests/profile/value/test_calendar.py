"""Days that count for a bank."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.adapters.policies import files_of
from services.profile.adapters.reference_files import load_calendar
from services.profile.domain.reference.calendar import Calendar, day_number, is_weekend
from tests.profile.value.portrait import number, reference

DAYS = st.integers(day_number(date(2024, 11, 1)), day_number(date(2028, 2, 1)))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-02-16", False),  # spring festival, a Monday
        ("2026-02-28", True),  # a Saturday made up for it
        ("2026-10-10", True),
        ("2026-10-07", False),
        ("2026-11-21", False),  # an ordinary Saturday
        ("2026-11-23", True),
        ("2025-09-28", True),
    ],
)
def test_holidays_and_make_up_days_of_china_are_known(day: str, works: bool) -> None:
    assert reference().is_working_day(number(day)) is works


def test_day_numbers_and_weekdays_agree_with_the_calendar_of_the_world() -> None:
    start = date(2025, 12, 25)
    for ahead in range(20):
        day = start + timedelta(days=ahead)
        assert is_weekend(day_number(day)) is (day.weekday() > 4)


@given(DAYS, st.integers(0, 60))
def test_counting_working_days_agrees_with_walking_them(day: int, length: int) -> None:
    calendar = reference().calendar
    walked = sum(calendar.is_working_day(one) for one in range(day + 1, day + length + 1))
    assert calendar.working_days_between(day, day + length) == walked


@given(DAYS, st.integers(1, 15))
def test_going_working_days_forth_passes_exactly_that_many(day: int, count: int) -> None:
    calendar = reference().calendar
    reached = calendar.working_days_after(day, count)
    assert calendar.is_working_day(reached)
    assert calendar.working_days_between(day, reached) == count


def test_the_generic_calendar_knows_weekends_only() -> None:
    calendar: Calendar = load_calendar(files_of().reference.texts(), "generic")
    assert calendar.is_working_day(number("2026-10-01"))
    assert not calendar.is_working_day(number("2026-10-10"))
