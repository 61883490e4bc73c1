"""When the events of a request are taken."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.instants import DAY_MS, HOUR_MS
from services.ingest.channels.taking import Taking, at_once, by_event_time
from tests.clocks import ManualClock

Portion = tuple[int, list[int]]
UNREADABLE = b'{"occurred_at": "soon"'
START = 7_000 * DAY_MS


def sent(at: int) -> bytes:
    return msgspec.json.encode({"occurred_at": datetime.fromtimestamp(at / 1000, UTC).isoformat()})


class Past:
    """A deployment that lives by event time, with nothing that is ever due."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.asked: list[int] = []
        self.take = by_event_time(self._advance)

    async def _advance(self, until: int) -> int:
        self.asked.append(until)
        await asyncio.sleep(0)
        self.clock.move_to(until)
        return self.clock.now_ms()


async def taken(take: Taking, events: list[bytes], zone: tzinfo = UTC) -> list[tuple[int, list[bytes]]]:
    return [(now, [bytes(one) for one in some]) async for now, some in take(events, zone)]


async def test_in_the_present_all_are_taken_at_once() -> None:
    events = [sent(START), UNREADABLE, sent(START + DAY_MS)]
    assert await taken(at_once(ManualClock(5)), events) == [(5, events)]


async def test_a_past_is_taken_hour_by_hour_each_at_its_latest_time() -> None:
    early, late, next_day = sent(START), sent(START + HOUR_MS - 1), sent(START + DAY_MS)
    assert await taken(Past().take, [early, late, next_day]) == [
        (START + HOUR_MS - 1, [early, late]),
        (START + DAY_MS, [next_day]),
    ]


async def test_what_is_late_or_cannot_be_read_is_taken_with_what_came_before_it() -> None:
    past, events = Past(), [sent(START + DAY_MS), sent(START), UNREADABLE]
    assert await taken(past.take, events) == [(START + DAY_MS, events)]
    assert await taken(past.take, [sent(START), UNREADABLE]) == [(START + DAY_MS, [sent(START), UNREADABLE])]
    assert await taken(past.take, [UNREADABLE]) == [(START + DAY_MS, [UNREADABLE])]


async def test_a_time_without_an_offset_is_meant_in_the_zone_of_the_source() -> None:
    event, zone = b'{"occurred_at": "1993-06-30T08:00:00"}', timezone(timedelta(hours=8))
    [(now, _)] = await taken(Past().take, [event], zone)
    assert now == int(datetime(1993, 6, 30, tzinfo=UTC).timestamp() * 1000)


async def test_an_empty_request_is_taken_in_one_portion() -> None:
    assert await taken(Past().take, []) == [(0, [])]


@given(st.lists(st.integers(START, START + 3 * DAY_MS) | st.none(), max_size=30))
def test_nothing_is_left_out_or_moved_and_time_only_passes(times: list[int | None]) -> None:
    past, events = Past(), [UNREADABLE if at is None else sent(at) for at in times]
    portions = asyncio.run(taken(past.take, events))
    assert [one for _, some in portions for one in some] == events
    assert [now for now, _ in portions] == sorted({now for now, _ in portions})
    assert portions[-1][0] == max((at for at in times if at is not None), default=0)


async def test_one_request_is_taken_after_the_other() -> None:
    past = Past()
    one = [sent(START), sent(START + DAY_MS)]
    other = [sent(START + HOUR_MS), sent(START + 2 * DAY_MS)]
    await asyncio.gather(taken(past.take, one), taken(past.take, other))
    assert past.asked == [START, START + DAY_MS, START + HOUR_MS, START + 2 * DAY_MS]
