"""The queues of delivery in memory, under the contract of the other two (`tests/ports`)."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import msgspec

from services.alerts.domain.delivering import Delivery
from services.clock import LONGEST_LEASE_MS, SystemClock
from services.log import Move, Position
from services.memory.stream import MemoryStream
from services.memory.tables import Table, Turns


class SeenRow(NamedTuple):
    alert_id: str
    steps: int
    seen_at: int


class LeaseRow(NamedTuple):
    destination: str
    owner: str
    leased_until: int


class MemoryDeliveryStore:
    """See `DeliveryStore`; what runs inside a turn is also the `DeliveryTransaction`."""

    def __init__(self) -> None:
        self._turns = Turns()
        journal = self._turns.journal
        self._stream = MemoryStream(journal)
        self._deliveries = Table[Delivery](journal, "delivery_id", "destination", "alert_id")
        self._seen = Table[SeenRow](journal, "alert_id")
        self._leases = Table[LeaseRow](journal, "destination")

    async def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, Position]:
        return self._stream.positions(topic, partitions)

    @asynccontextmanager
    async def accepting(self) -> AsyncIterator["MemoryDeliveryStore"]:
        async with self._turns.turn():
            yield self

    async def advance(self, moves: Sequence[Move]) -> None:
        self._stream.advance(moves)

    async def seen(self, alert_ids: Sequence[str]) -> dict[str, int]:
        found = (self._seen.get(alert_id) for alert_id in alert_ids)
        return {row.alert_id: row.steps for row in found if row is not None}

    async def save_seen(self, steps: Mapping[str, int], now: int) -> None:
        for alert_id, count in steps.items():
            self._seen.put(SeenRow(alert_id, count, now))

    async def add(self, deliveries: Sequence[Delivery]) -> None:
        for one in deliveries:
            known = self._deliveries.get(one.delivery_id)
            if known is None or known.state == "dropped":
                self._deliveries.put(one)

    async def drop_untold(self, alert_ids: Sequence[str], destinations: Sequence[str], now: int) -> None:
        for one in self._deliveries.by("alert_id", alert_ids):
            if one.state == "waiting" and one.destination in destinations:
                self._deliveries.put(msgspec.structs.replace(one, state="dropped", ended_at=now))

    async def lease(self, destination: str, owner: str, ttl_ms: int) -> bool:
        async with self._turns.turn():
            held, now = self._leases.get(destination), SystemClock().now_ms()
            if held is not None and held.owner != owner and now <= held.leased_until <= now + LONGEST_LEASE_MS:
                return False
            self._leases.put(LeaseRow(destination, owner, now + ttl_ms))
            return True

    async def release(self, destination: str, owner: str) -> None:
        async with self._turns.turn():
            held = self._leases.get(destination)
            if held is not None and held.owner == owner:
                self._leases.drop([held])

    async def due(self, destination: str, now: int, limit: int) -> list[Delivery]:
        found = [one for one in self._deliveries.by("destination", [destination]) if _is_due(one, now)]
        return sorted(found, key=lambda one: (one.next_at, one.person, one.created_at, one.step, one.delivery_id))[
            :limit
        ]

    async def sent_since(self, destination: str, since: int) -> dict[str, list[int]]:
        sent: dict[str, list[int]] = {}
        for one in self._deliveries.by("destination", [destination]):
            if one.state == "delivered" and one.ended_at > since:
                sent.setdefault(one.person, []).append(one.ended_at)
        return sent

    async def settle(self, deliveries: Sequence[Delivery]) -> None:
        async with self._turns.turn():
            for one in deliveries:
                known = self._deliveries.get(one.delivery_id)
                if one.state != "waiting" or known is None or known.state != "dropped":
                    self._deliveries.put(one)

    async def find(self, state: str | None, destination: str | None, limit: int) -> list[Delivery]:
        rows = self._deliveries.rows()
        found = [one for one in rows if state in (None, one.state) and destination in (None, one.destination)]
        return sorted(found, key=lambda one: (-one.created_at, one.delivery_id))[:limit]

    async def retry(self, delivery_ids: Sequence[str], now: int) -> int:
        async with self._turns.turn():
            named = [self._deliveries.get(one) for one in dict.fromkeys(delivery_ids)]
            dead = [one for one in named if one is not None and one.state == "dead"]
            for one in dead:
                self._deliveries.put(
                    msgspec.structs.replace(one, state="waiting", attempts=0, tried_at=0, ended_at=0, next_at=now)
                )
            return len(dead)

    async def count(self) -> dict[tuple[str, str], int]:
        return dict(
            Counter((one.destination, one.state) for one in self._deliveries.rows() if one.state in ("waiting", "dead"))
        )

    async def drop(self, before: int) -> int:
        async with self._turns.turn():
            self._seen.drop(row for row in self._seen.rows() if row.seen_at < before)
            ended = [one for one in self._deliveries.rows() if one.state != "waiting" and one.ended_at < before]
            self._deliveries.drop(ended)
            return len(ended)


def _is_due(one: Delivery, now: int) -> bool:
    return one.state == "waiting" and one.next_at <= now
