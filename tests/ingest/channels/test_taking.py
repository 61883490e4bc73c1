"""When the events of a request are taken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.instants import DAY_MS, HOUR_MS
from services.ingest.channels.taking import Taking, at_once, by_event_time
from tests.clocks import ManualClock
from tests.ingest.bank import NOW, Bank, open_bank, transaction

START = 7_000 * DAY_MS
LATER = "2026-11-20T09:00:00+08:00"


class Past:
    """A deployment that lives by event time, with nothing that is ever due."""

    def __init__(self) -> None:
        self.clock, self.asked = ManualClock(), list[int]()
        self.take = by_event_time(self.at)

    @asynccontextmanager
    async def at(self, until: int) -> AsyncIterator[int]:
        self.asked.append(until)
        await asyncio.sleep(0)
        self.clock.move_to(until)
        yield self.clock.now_ms()


async def taken(take: Taking, times: list[int]) -> list[tuple[int, list[int]]]:
    """Where the clock stood, with the times of the events taken then; 0 for one that would be refused."""
    events = [msgspec.json.encode(place) for place in range(len(times))]
    portions = [(now, [times[int(bytes(one))] for one in some]) async for now, some in take(events, lambda now: times)]
    assert [one for _, some in portions for one in some] == times, "nothing is left out or moved"
    return portions


async def test_in_the_present_all_are_taken_at_once() -> None:
    assert await taken(at_once(ManualClock(5)), [START, 0, START + DAY_MS]) == [(5, [START, 0, START + DAY_MS])]


async def test_a_past_is_taken_hour_by_hour_each_at_its_latest_time() -> None:
    early, late, next_day = START, START + HOUR_MS - 1, START + DAY_MS
    assert await taken(Past().take, [early, late, next_day]) == [(late, [early, late]), (next_day, [next_day])]


async def test_what_is_late_or_refused_is_taken_with_what_came_before_it() -> None:
    past, times = Past(), [START + DAY_MS, START, 0]
    assert await taken(past.take, times) == [(START + DAY_MS, times)]
    assert await taken(past.take, [START, 0]) == [(START + DAY_MS, [START, 0])]
    assert await taken(past.take, [0]) == [(START + DAY_MS, [0])]


async def test_an_empty_request_is_taken_in_one_portion() -> None:
    assert await taken(Past().take, []) == [(0, [])]


@given(st.lists(st.integers(START, START + 3 * DAY_MS) | st.just(0), max_size=30))
def test_time_only_passes_up_to_the_latest_event(times: list[int]) -> None:
    portions = asyncio.run(taken(Past().take, times))
    assert [now for now, _ in portions] == sorted({now for now, _ in portions})
    assert portions[-1][0] == max(times, default=0)


async def test_one_request_is_taken_after_the_other() -> None:
    past = Past()
    one, other = [START, START + DAY_MS], [START + HOUR_MS, START + 2 * DAY_MS]
    await asyncio.gather(taken(past.take, one), taken(past.take, other))
    assert past.asked == [*one, *other]


async def bank_of(past: Past) -> Bank:
    return await open_bank(taking=past.take)


@pytest.mark.parametrize(
    "refused",
    [{"type": "no.such"}, {"occurred_at": "2126-01-01T00:00:00Z"}, {"amount": "1e400"}, {"occurred_at": "soon"}],
)
async def test_an_event_that_is_refused_moves_no_clock(refused: dict[str, object]) -> None:
    past = Past()
    bank = await bank_of(past)
    answer = await bank.post({"events": [transaction(id="a", occurred_at=LATER), transaction(id="b", **refused)]})
    assert (answer.json()["accepted"], len(answer.json()["rejected"])) == (1, 1)
    [event] = bank.log.events()
    assert past.clock.now_ms() == event.occurred_at == event.accepted_at


async def test_a_time_without_an_offset_is_meant_in_the_zone_of_the_source() -> None:
    past = Past()
    bank = await bank_of(past)
    await bank.post(transaction(occurred_at="2026-11-20T09:00:00"))
    [event] = bank.log.events()
    assert past.clock.now_ms() == event.occurred_at


async def test_the_places_of_what_is_refused_count_through_the_whole_request() -> None:
    bank = await bank_of(Past())
    some = [transaction(id=str(day), occurred_at=f"2026-11-{day}T09:00:00+08:00") for day in (10, 11, 12)]
    answer = await bank.post({"events": [*some, {"id": "wrong"}]})
    assert answer.json()["accepted"] == 3
    assert [one["index"] for one in answer.json()["rejected"]] == [3]


async def test_of_a_past_no_source_is_vouched_for() -> None:
    bank = await bank_of(Past())
    await bank.post(transaction())
    bank.clock.move_to(NOW)
    assert await bank.ingest.beat_once() == 0
    beats = [event for event in bank.log.events() if event.type == "source.heartbeat"]
    assert beats
    assert not [event for event in beats if b"complete_up_to" in event.attributes]
