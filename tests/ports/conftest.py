"""What the contracts of plumbing on a database share: each of them is held by both."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.sql.database import Database
from services.sql.migrations import upgrade
from tests.ports.emptied import emptied


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path}/database.db"
    given: str = request.getfixturevalue("postgres_url")
    return given


@pytest_asyncio.fixture
async def current(url: str) -> AsyncIterator[Database]:
    """Empty, of this release's shape."""
    async with emptied(url) as database:
        await upgrade(database)
        yield database
