"""One whole platform for every story of the session, started as an operator starts it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.cli.run.credentials import Credentials
from tests.journeys.bank import Bank, opened
from tests.journeys.platforms import PlatformProcess


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Credentials, Path]]:
    directory = tmp_path_factory.mktemp("bank")
    process = PlatformProcess(directory)
    try:
        yield await process.start(), directory / "var"
    finally:
        assert await process.stop() == 0


@pytest_asyncio.fixture(loop_scope="session")
async def bank(platform: tuple[Credentials, Path]) -> AsyncIterator[Bank]:
    async with opened(*platform) as bank:
        yield bank
