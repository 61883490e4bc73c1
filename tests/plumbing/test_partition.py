"""Where a partition is begun, and what a stored position that does not fit says."""

import pytest

from services.log import Position, Stop
from services.partition import Bounds, starting_point

HELD = Bounds("topic-1", 10, 20)


@pytest.mark.parametrize("following", [10, 15, 20])
def test_a_partition_goes_on_from_its_stored_position_within_what_the_log_holds(following: int) -> None:
    assert starting_point("events", 3, Position("topic-1", following), HELD) == following


def test_a_partition_without_a_position_begins_with_the_first_record_that_is_kept() -> None:
    assert starting_point("events", 3, None, HELD) == 10


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        (Position("topic-1", 9), "events/3: the stored position 9 is no longer kept: the log holds 10 to 20"),
        (Position("topic-1", 21), "events/3: the stored position 21 was never written: the log holds 10 to 20"),
        (Position("topic-0", 15), "belongs to topic topic-0, but the log now holds topic-1"),
    ],
)
def test_a_position_outside_the_log_stops_the_partition_and_says_what_to_do(stored: Position, why: str) -> None:
    with pytest.raises(Stop, match=why) as stopped:
        starting_point("events", 3, stored, HELD)
    assert "counterpoint positions rewind" in str(stopped.value)
