"""The replay against the real ingest: everything it sends is accepted, durable in the log, and counted."""

from pathlib import Path

import httpx

from services.replay.berka import read_berka
from services.replay.send import http_publisher, send
from services.web.asgi import routes
from tests.ingest.bank import open_bank
from tests.replay.berka_bank import expected_balances, write_berka_bank


async def test_a_replayed_bank_stands_in_the_log_with_its_last_balances(tmp_path: Path) -> None:
    directory = write_berka_bank(tmp_path)
    bank = await open_bank(channels=("*",))
    transport = httpx.ASGITransport(app=routes(bank.ingest.routes))
    async with http_publisher("http://bank.test", bank.key, transport=transport) as publish:
        progress = await send(read_berka(directory), publish, batch_size=4)
    events = bank.log.events()
    assert progress.rejected == 0
    assert progress.accepted == progress.sent == len(events) > 20
    told: dict[str, int] = {}
    for event in sorted(events, key=lambda event: (event.occurred_at, event.sequence or 0)):
        if event.balance_after is not None:
            told[event.identifiers["account_no"]] = event.balance_after.minor
    assert told == expected_balances(directory)
    assert bank.log.dead_letters() == []
