"""How a step waits."""

import asyncio
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from services.attempts import ATTEMPTS
from services.failures import Contended, Unavailable
from services.outage import Outage
from services.pace import every, woken
from tests.patience import HANG_S

LONG_S = 3_600.0


async def test_who_waits_is_woken_by_the_event_or_when_the_time_is_over() -> None:
    event = asyncio.Event()
    await woken(event, 0.0)
    waiting = asyncio.create_task(woken(event, LONG_S))
    await asyncio.sleep(0)
    event.set()
    async with asyncio.timeout(HANG_S):
        await waiting


@pytest.mark.parametrize("turns", range(4))
async def test_who_is_cancelled_while_being_woken_ends(turns: int) -> None:
    event = asyncio.Event()

    async def work() -> None:
        while True:
            await woken(event, LONG_S)
            event.clear()

    working = asyncio.create_task(work())
    await _pass(5)
    event.set()
    await _pass(turns)
    working.cancel()
    await _pass(5)
    assert working.cancelled()


PAUSE_S = 30.0


async def pauses(
    monkeypatch: pytest.MonkeyPatch, meets: list[Exception | None], outage: Outage | None = None
) -> list[float]:
    """The pauses of a step that meets these, one at each try, up to the try after the last of them; retries of what
    others are in the way of are seen as no pause."""
    paused: list[float] = []
    coming: Iterator[Exception | None] = iter(meets)

    async def sleep(seconds: float) -> None:
        if seconds >= 5.0:
            paused.append(seconds)

    async def work() -> None:
        met = next(coming, ZeroDivisionError())
        if met is not None:
            raise met

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(ZeroDivisionError):
        await every(PAUSE_S, work, outage)
    return paused


async def test_work_is_repeated_with_a_pause_after_each_time_until_there_is_a_mistake_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert await pauses(monkeypatch, [None, None]) == [PAUSE_S, PAUSE_S]


async def test_a_server_that_is_away_is_given_the_time_that_it_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await pauses(monkeypatch, [Unavailable("away", 7.0), None]) == [7.0, PAUSE_S, PAUSE_S]


async def test_who_waits_for_a_server_tells_so_once_where_it_is_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    meets: list[Exception | None] = [None, *[Unavailable("away", 7.0)] * 3, None, None]
    with capture_logs() as silent:
        await pauses(monkeypatch, meets)
    with capture_logs() as told:
        await pauses(monkeypatch, meets, Outage("profile"))
    assert [one["event"] for one in silent] == []
    assert [one["event"] for one in told] == ["profile waits", "profile goes on"]


async def test_what_others_are_in_the_way_of_every_time_waits_for_the_next_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost = [Contended("a deadlock")]
    assert await pauses(monkeypatch, [*lost * (ATTEMPTS - 1), None]) == [PAUSE_S]
    assert await pauses(monkeypatch, [*lost * ATTEMPTS, None]) == [PAUSE_S, PAUSE_S]


async def _pass(turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
