"""The demo bank: its past is sent once with a progress bar, then its channels go on living by the clock."""

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import msgspec

from schemas.instants import DAY_MS
from services.cli.run.credentials import write_private
from services.cli.run.demo_sources import heartbeats
from services.clock import Clock
from services.replay.send import Publish, send
from services.simulator.bank import Bank, day_at, start_of
from services.simulator.traffic import Traffic, live

DAYS_AT_ONCE = 5
LIVE_PER_SECOND = 3.0
BEAT_MS = 20_000
PLANNED_AT_ONCE = 200


class Saved(msgspec.Struct):
    """What a restart needs: which bank, and how far its traffic was accepted."""

    bank: Bank
    start: date
    bustle_from_ms: int
    traffic: bytes = b""


class Demo:
    """`path` keeps how far it came; `on_day` is told (days sent, days in all) while the past is sent."""

    def __init__(self, path: Path, clock: Clock, *, size: int, seed: int, months: int) -> None:
        self._path, self._clock = path, clock
        today = day_at(clock.now_ms())
        begun = Saved(Bank(seed, size, today), today - timedelta(days=30 * months), clock.now_ms())
        self._saved = msgspec.msgpack.decode(path.read_bytes(), type=Saved) if path.exists() else begun
        bank, start, bustle_from_ms = self._saved.bank, self._saved.start, self._saved.bustle_from_ms
        self._traffic = Traffic(bank, start, per_second=LIVE_PER_SECOND, bustle_from_ms=bustle_from_ms, plays=True)
        if self._saved.traffic:
            self._traffic.resume(self._saved.traffic)
        # 32 bytes a customer: a small bank's after each batch, 32 MB not twice a second; what was sent since is
        # sent again by a restart and counts as repeats
        self._kept_ms, self._kept_every_ms = self._traffic.reached_ms, min(bank.size // 50, BEAT_MS)

    @property
    def days(self) -> int:
        """How many days of the past are still to be sent."""
        return max(0, (self._clock.now_ms() - self._traffic.reached_ms) // DAY_MS)

    @property
    def size(self) -> int:
        return self._saved.bank.size

    async def send_past(self, publish: Publish, on_day: Callable[[int], None]) -> None:
        """Raises `NotAccepted` when the platform refuses its events, as `live` does."""
        await publish(heartbeats(self._traffic.reached_ms))
        # a restart of a large bank takes a minute of planning, during which the platform must not stand still
        for _ in self._traffic.prepare(PLANNED_AT_ONCE):
            await asyncio.sleep(0)
        while self.days > 0:
            reached = day_at(self._traffic.reached_ms)
            until = min(start_of(reached + timedelta(days=DAYS_AT_ONCE)), self._clock.now_ms())
            await send(self._traffic.advance(until), publish)
            self._save()
            await publish(heartbeats(self._traffic.reached_ms))
            on_day(self.days)
            await asyncio.sleep(0)

    async def live(self, publish: Publish) -> None:
        """Until cancelled."""
        beaten_ms = 0
        async for events in live(self._traffic, self._clock):
            await send(events, publish)
            if self._traffic.reached_ms - self._kept_ms >= self._kept_every_ms:
                self._save()
            if self._traffic.reached_ms - beaten_ms >= BEAT_MS:
                beaten_ms = self._traffic.reached_ms
                await publish(heartbeats(beaten_ms))

    def _save(self) -> None:
        self._saved.traffic, self._kept_ms = self._traffic.state(), self._traffic.reached_ms
        write_private(self._path, msgspec.msgpack.encode(self._saved))
