"""A clock that follows event time."""

from hypothesis import given
from hypothesis import strategies as st

from services.clock import EventClock, SystemClock

TIMES = st.integers(-1, SystemClock().now_ms())


@given(st.lists(TIMES, min_size=1))
def test_it_stands_at_the_latest_time_it_was_moved_to(times: list[int]) -> None:
    clock = EventClock()
    shown = []
    for at in times:
        clock.move_to(at)
        shown.append(clock.now_ms())
    assert shown == [max(0, *times[: place + 1]) for place in range(len(times))]


def test_it_never_passes_the_present() -> None:
    clock, present = EventClock(), SystemClock()
    clock.move_to(2**62)
    assert clock.now_ms() <= present.now_ms()
