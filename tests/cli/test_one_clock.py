"""A past that is lived by event time has one process and a database of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from services.cli.beside import opened
from services.cli.run.alerting import run as run_alerts
from services.ingest.__main__ import run as run_ingest
from services.profile.__main__ import run as run_profile
from services.profile.domain.customers.freshness import SourceSeen
from services.settings import SettingsError, read_settings
from tests.cli.conftest import Command
from tests.cli.test_examining import finding
from tests.cli.test_one_secret import settled
from tests.conftest import logging_as_before


def lives_by_event_time(deployment: Path) -> None:
    settled(deployment, "event")


@pytest.mark.parametrize("run", [run_ingest, run_profile, run_alerts])
def test_no_service_alone_lives_by_event_time(
    deployment: Path, run: Callable[[Mapping[str, str]], Awaitable[None]]
) -> None:
    async def main() -> None:
        await run({"COUNTERPOINT_DATA": str(deployment), "COUNTERPOINT_PORT": "0", "COUNTERPOINT_CLOCK": "event"})

    with logging_as_before(), pytest.raises(SettingsError, match="COUNTERPOINT_CLOCK: event time has one process"):
        asyncio.run(main())


def test_a_platform_of_the_present_refuses_the_database_of_a_past(counterpoint: Command, deployment: Path) -> None:
    lives_by_event_time(deployment)
    said = counterpoint("run", "--no-simulator", "--port", "0")
    assert said.code == 1
    assert "it was begun with `counterpoint run --clock event`: go on with that" in said.err


def test_beside_a_past_a_command_goes_by_its_newest_event(counterpoint: Command, deployment: Path) -> None:
    lives_by_event_time(deployment)

    async def now_ms() -> int:
        async with opened(read_settings({"COUNTERPOINT_DATA": str(deployment)})) as beside:
            async with beside.store.updating() as tx:
                await tx.note_sources([SourceSeen("books", "counter", 0, 0, 741_830_400_000)])
            return await beside.now_ms()

    assert asyncio.run(now_ms()) == 741_830_400_000
    assert "stands at 1993-07-05" in finding(counterpoint, "clock")[2]


def test_the_doctor_tells_where_the_clock_of_a_past_stands(counterpoint: Command, deployment: Path) -> None:
    lives_by_event_time(deployment)
    _, state, told = finding(counterpoint, "clock")
    assert (state, told) == ("ok", "follows the time of the events, of which none has come yet")
