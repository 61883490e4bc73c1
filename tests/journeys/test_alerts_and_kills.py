"""`kill -9` of the whole platform under load: the same alerts stand as on one that was left in peace, each once."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from random import Random

import httpx
import pytest

from services.cli.run.credentials import Credentials
from tests.journeys.bank import Json
from tests.journeys.inbox import customer_of, outflow
from tests.journeys.platforms import PlatformProcess, until
from tests.patience import HANG_S
from tests.profile.told import SECRET

CUSTOMERS, MANAGERS, KILLS, SEED = 40, 4, 3, 3
PAGE = 200
Alerts = list[tuple[str, str, str, str, tuple[str, ...]]]


async def test_the_same_alerts_stand_whether_the_platform_was_killed_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERPOINT_SECRET", SECRET.decode())  # the same customers have the same ids
    random = Random(SEED)
    requests = [
        [*customer_of(f"manager-{number % MANAGERS}", f"kill-{number}"), *outflow(f"kill-{number}")]
        for number in range(CUSTOMERS)
    ]
    kills = {CUSTOMERS * (kill + 1) // (KILLS + 1): random.uniform(0.0, 0.3) for kill in range(KILLS)}
    for name in ("peace", "kills"):
        (tmp_path / name).mkdir()
    in_peace = await _alerts_of(tmp_path / "peace", requests, {})
    after_kills = await _alerts_of(tmp_path / "kills", requests, kills)
    assert len(in_peace) == CUSTOMERS
    assert after_kills == in_peace


async def _alerts_of(directory: Path, requests: Sequence[list[Json]], kills: dict[int, float]) -> Alerts:
    """`kills`: before which request, and how many seconds after the one before it."""
    platform = PlatformProcess(directory)
    known = await platform.start()
    for place, events in enumerate(requests):
        if place in kills:
            await asyncio.sleep(kills[place])
            platform.kill()
            known = await platform.start()
        await _send(known, events)
    try:
        return await _at_rest(known)
    finally:
        assert await platform.stop() == 0


async def _send(known: Credentials, events: list[Json]) -> None:
    async with _client(known, known.ingest_key) as client:
        answer = await client.post("/v1/events", json={"events": events})
        assert (answer.status_code, answer.json()["rejected"]) == (202, [])


async def _at_rest(known: Credentials) -> Alerts:
    """Once everybody has an alert with both rules, and nothing more is added."""
    found: Alerts = []

    async with _client(known, known.manager_token) as client:

        async def stands() -> bool:
            before, found[:] = list(found), await _all_of(client)
            return before == found and sum("R1" in rules and "R2" in rules for *_, rules in found) >= CUSTOMERS

        await until(stands, 1.0)
    return found


async def _all_of(client: httpx.AsyncClient) -> Alerts:
    answer = (await client.get("/v1/alerts", params={"state": "all", "limit": PAGE})).raise_for_status().json()
    assert answer["next"] is None
    return sorted(
        (
            one["customer_id"],
            one["situation"],
            one["state"],
            one["owner"],
            tuple(sorted(rule["id"] for rule in one["rules"])),
        )
        for one in answer["alerts"]
    )


def _client(known: Credentials, token: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=known.base_url, headers=headers, timeout=HANG_S)
