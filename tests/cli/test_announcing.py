"""The credentials file says that a platform serves: a script that waits for it must not read the last start's."""

from pathlib import Path

import pytest

from services.cli.run.platform import running_platform
from services.embedded.log import DirectoryInUse
from services.settings import read_settings


async def test_a_start_takes_away_what_an_earlier_one_said_but_never_what_a_running_one_says(tmp_path: Path) -> None:
    settings = read_settings({"COUNTERPOINT_DATA": str(tmp_path / "var"), "COUNTERPOINT_PORT": "0"})
    said = tmp_path / "credentials.json"
    said.write_text("of an earlier start")
    async with running_platform(settings, {}, said):
        assert not said.exists()
        said.write_text("of this one")
        with pytest.raises(DirectoryInUse):
            async with running_platform(settings, {}, said):
                pytest.fail("two platforms serve one directory")
        assert said.read_text() == "of this one"
