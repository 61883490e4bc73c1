"""Whatever a deployment may choose stands in the pages for who runs it."""

import re

import msgspec
import pytest

from services.alerts import settings as alerts
from services.ingest import settings as ingest
from services.profile import settings as profile
from services.settings import PREFIX, Settings
from tests.readme.pages import ROOT

CHOSEN: list[tuple[str, type[msgspec.Struct]]] = [
    (PREFIX, Settings), (ingest.PREFIX, ingest.Limits), (ingest.PREFIX, ingest.Choices),
    (profile.PREFIX, profile.Choices), (alerts.PREFIX, alerts.Choices),
]  # fmt: skip
VARIABLES = sorted({f"{prefix}{name.upper()}" for prefix, chosen in CHOSEN for name in chosen.__struct_fields__})


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_setting_can_be_looked_up(variable: str) -> None:
    """With or without what all of them begin with; `…` stands for the beginning of the one before."""
    page = (ROOT / "docs" / "operating.md").read_text()
    short = variable.removeprefix(PREFIX)
    ends = [name[1:] for name in re.findall(r"`(…_[A-Z_]+)", page)]
    assert f"`{short}`" in page or f"`{variable}`" in page or any(variable.endswith(end) for end in ends)
