"""Whatever a deployment may choose stands in the pages for who runs it, and whatever a rule may say in those for who
writes one."""

import re

import msgspec
import pytest

from services.alerts import settings as alerts
from services.alerts.domain.rules import RuleDeclared
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


@pytest.mark.parametrize("page", ["alerts.md", "alerts.zh-CN.md"])
def test_every_field_of_a_rule_can_be_looked_up_with_what_holds_unless_it_is_told(page: str) -> None:
    rows = [line.split("|") for line in (ROOT / "docs" / page).read_text().splitlines() if line.startswith("| `")]
    ordinary = {name: row[3] for row in rows for name in re.findall(r"`([a-z_]+)`", row[1])}
    for field in msgspec.structs.fields(RuleDeclared):
        assert field.encode_name in ordinary
        if isinstance(field.default, int | float) and not isinstance(field.default, bool):
            assert re.search(rf"\b{field.default}\b", ordinary[field.encode_name])
