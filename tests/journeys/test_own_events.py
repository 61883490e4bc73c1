"""A bank's own event, which the product does not know: declared, counted, measured, and told to its manager."""

from pathlib import Path

import httpx
import pytest

from tests.journeys.bank import Json, ago, event, opened
from tests.journeys.inbox import Inbox
from tests.journeys.platforms import serving

TYPES = """
locker.opened:
  meaning: A safe-deposit locker was opened
  channels: [counter]
  subject: [customer_no]
  rank: 50
  required: [locker_size]
  example:
    identifiers: {customer_no: "10000017"}
    attributes: {locker_size: small}
"""
ATTRIBUTES = "locker_size: {meaning: How large the locker is, values: [small, large]}"
SERIES = """
version: 1
series:
  - {name: lockers, where: {types: [locker.opened]}}
"""
MEASURES = """
measures:
  - {name: lockers_30d, series: lockers, window: 30d, aggregate: count, meaning: Lockers opened}
"""
RULES = """
rules:
  - id: OWN1
    kind: retention
    situation: leaving
    name: {en: Empties the locker, zh: 清空保管箱}
    when: [lockers_30d >= 3.0]
    severity: "2.0"
    value_at_stake: assets
    cooldown_days: 30
    reason: {en: "Opened a locker {lockers_30d} times", zh: "打开保管箱 {lockers_30d} 次"}
    suggested: {en: Call., zh: 致电。}
"""


def declared(own: Path) -> dict[str, str]:
    """What the bank writes, and the variables that name it."""
    types, counted, rules = own / "types", own / "counted", own / "rules"
    for directory in (types, counted, rules):
        directory.mkdir(parents=True)
    (types / "lockers.yaml").write_text(TYPES)
    (types / "attributes.yaml").write_text(ATTRIBUTES)
    (counted / "series.yaml").write_text(SERIES)
    (counted / "measures.yaml").write_text(MEASURES)
    (rules / "own.yaml").write_text(RULES)
    return {
        "COUNTERPOINT_EVENT_TYPES": str(types),
        "COUNTERPOINT_PROFILE_CATALOGUE": str(counted),
        "COUNTERPOINT_ALERTS_CATALOGUE": str(rules),
    }


@pytest.fixture
def visits() -> list[Json]:
    return [event("locker.opened", ago(days), "counter", customer_no="c-1", locker_size="small") for days in (9, 5, 1)]


async def test_an_event_of_the_banks_own_reaches_the_manager_as_any_other(tmp_path: Path, visits: list[Json]) -> None:
    data = tmp_path / "var"
    chosen = declared(tmp_path / "own")
    async with serving(data, **chosen) as platform, opened(platform.known, data) as bank:
        odd: httpx.Response = await bank.publish({**visits[0], "attributes": {"locker_size": "huge"}})
        assert (odd.status_code, odd.json()["rejected"][0]["field"]) == (422, "attributes.locker_size")
        await bank.tell(*visits)
        view = await bank.refreshed("c-1")
        assert view["measures"]["lockers_30d"] == 3
        told = await bank.about(view, "timeline", type="locker.opened")
        assert len(told["events"]) == 3
        alert = await Inbox(bank, platform, tmp_path / "own" / "rules").open_one("c-1", "OWN1")
        assert alert["reason"]
        types = (await bank.http.get("/v1/event-types")).json()
        assert "locker.opened" in str(types)
