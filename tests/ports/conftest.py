"""What the contracts of plumbing on a database share: each of them is held by both."""

from pathlib import Path

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path}/database.db"
    given: str = request.getfixturevalue("postgres_url")
    return given
