"""Times are counted in milliseconds, and written as they were counted."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.instants import instant, millis


@pytest.mark.parametrize(
    ("at_ms", "written"),
    [
        (0, "1970-01-01T00:00:00Z"), (1_795_311_000_000, "2026-11-22T01:30:00Z"),
        (1_795_311_000_007, "2026-11-22T01:30:00.007Z"), (1_795_311_000_500, "2026-11-22T01:30:00.500Z"),
        (1_795_310_999_999, "2026-11-22T01:29:59.999Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (-1_000, "1969-12-31T23:59:59Z"),
    ],
)  # fmt: skip
def test_a_time_is_written_in_utc_with_milliseconds_where_there_are_some(at_ms: int, written: str) -> None:
    assert instant(at_ms) == written


@given(st.integers(-(10**12), 10**13))
def test_what_is_written_is_read_back(at_ms: int) -> None:
    assert millis(datetime.fromisoformat(instant(at_ms))) == at_ms


def test_a_time_is_counted_from_its_own_offset_and_without_one_in_the_zone_that_is_meant() -> None:
    noon = datetime(2026, 11, 22, 12)
    assert millis(noon) == millis(noon.replace(tzinfo=UTC)) == 1_795_348_800_000
    east = timezone(timedelta(hours=8))
    assert millis(noon.replace(tzinfo=east)) == millis(noon.replace(tzinfo=east), ZoneInfo("Europe/Prague"))
    assert millis(noon, ZoneInfo("Asia/Shanghai")) == millis(noon.replace(tzinfo=east)) == 1_795_320_000_000


def test_less_than_a_millisecond_is_left_out() -> None:
    assert millis(datetime(1970, 1, 1, 0, 0, 0, 1_999)) == 1
    assert millis(datetime(1969, 12, 31, 23, 59, 59, 999_999)) == -1
