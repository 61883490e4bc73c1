"""The PKDD'99 bank through the whole platform: every account ends at the last balance of its chain, in any order."""

import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.instants import DAY_MS
from services.cli.run.credentials import FIRST_SOURCE
from services.replay.berka import read_berka
from services.replay.berka_event import Event
from services.replay.send import http_publisher, send
from tests.journeys.platforms import Serving, empty_servers, serving
from tests.profile.expected import differences, expected, held
from tests.profile.told import admitted, new_fold
from tests.replay.berka_bank import expected_balances, write_berka_bank
from tests.replay.disorder import disordered

ROOT = Path(__file__).parents[2]
REAL = (ROOT / os.environ.get("COUNTERPOINT_BERKA", "../shared/data/berka")).resolve()
UNTIL = date(1994, 3, 31)  # the files hold transactions up to this day, and registrations of later years
TRANSACTIONS = 49_102
# the real bank takes its time, so each of its two ways goes over another kind of log
STORIES = [
    ("made-up", "embedded", False), ("made-up", "embedded", True), ("made-up", "servers", False),
    ("made-up", "servers", True),
    *([("real", "embedded", False), ("real", "servers", True)] if (REAL / "trans.asc").exists() else []),
]  # fmt: skip


@pytest.mark.parametrize(("bank", "log", "in_disorder"), STORIES)
async def test_every_account_ends_at_the_last_balance_of_its_chain(
    request: pytest.FixtureRequest, tmp_path: Path, bank: str, log: str, in_disorder: bool
) -> None:
    directory = REAL if bank == "real" else write_berka_bank(tmp_path)
    events = list(read_berka(directory, UNTIL))
    if bank == "real":
        assert sum(one["id"].startswith("berka-trans") for one in events) == TRANSACTIONS
    sent: Iterator[Event] = (
        disordered(events, seed=7, within_ms=30 * DAY_MS, repeats=0.1) if in_disorder else iter(events)
    )
    async with AsyncExitStack() as closing:
        urls = {}
        if log == "servers":
            urls = await closing.enter_async_context(empty_servers(request.getfixturevalue("breakable_servers")))
        platform = await closing.enter_async_context(serving(tmp_path / "var", **urls))
        async with http_publisher(platform.known.base_url, platform.known.ingest_key) as publish:
            progress = await send(sent, publish)
        assert (progress.accepted, progress.rejected) == (progress.sent, 0)
        await platform.all_visible(progress.accepted)
        assert platform.counted("events_applied") == len(events)
        assert platform.counted("events_repeated") == progress.sent - len(events)
        assert (await platform.store.counts())["events"] == len(events)
        accepted = [admitted(one, source=FIRST_SOURCE) for one in events]
        assert differences(expected(accepted, new_fold()), await held(platform.store)) == []
        assert await _balances(platform, expected_balances(directory)) == expected_balances(directory)


async def _balances(platform: Serving, accounts: dict[str, int]) -> dict[str, int]:
    """As a reader sees them, in hellers."""
    found = {}
    for account in accounts:
        answer = await platform.reader.get("/v1/customers", params={"account_no": account})
        views = answer.raise_for_status().json()["customers"]
        shown = [one for view in views for one in view["accounts"] if one["account_no"] == account]
        [value] = {one["balance"]["value"] for one in shown}
        found[account] = int(Decimal(value) * 100)
    return found
