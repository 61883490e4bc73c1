"""How a step waits."""

import asyncio

import pytest

from services.pace import woken

LONG_S = 60.0


async def test_who_waits_is_woken_by_the_event_or_when_the_time_is_over() -> None:
    event = asyncio.Event()
    await woken(event, 0.0)
    waiting = asyncio.create_task(woken(event, LONG_S))
    await asyncio.sleep(0)
    event.set()
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


async def _pass(turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
