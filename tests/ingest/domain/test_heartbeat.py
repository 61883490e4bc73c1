"""Every reader of a partition learns that a source is alive, and how far it is complete."""

import asyncio

import msgspec
import pytest

from schemas.codec import decode_event
from services.ingest.domain.heartbeat import heartbeats
from services.ingest.domain.sources import Source
from services.ingest.settings import Choices
from tests.ingest.bank import NOW, Bank, open_bank, transaction


def test_each_partition_gets_one_of_its_own() -> None:
    messages = heartbeats([Source(id="atm", channel="atm", lateness_ms=5_000)], {"atm": NOW - 60_000}, NOW, 3)
    assert [message.partition for message in messages] == [0, 1, 2]
    events = [decode_event(message.value) for message in messages]
    assert len({event.id for event in events}) == 3
    assert {(event.subject, event.source, event.channel) for event in events} == {("source:atm", "atm", "atm")}
    assert msgspec.json.decode(events[0].attributes) == {
        "complete_up_to": NOW - 5_000, "enabled": True, "lateness_ms": 5_000, "rhythm_ms": 3_600_000,
    }  # fmt: skip


def test_a_source_that_is_silent_or_sends_no_heartbeats_is_told_of_and_not_vouched_for() -> None:
    sources = [Source(id="a", heartbeats=False), Source(id="b", rhythm_ms=1_000), Source(id="c")]
    messages = heartbeats(sources, dict.fromkeys("ab", NOW - 2_000), NOW, 1)
    told = {event.source: msgspec.json.decode(event.attributes) for event in (decode_event(m.value) for m in messages)}
    assert told == {
        "a": {"rhythm_ms": 3_600_000, "lateness_ms": 60_000, "enabled": True},
        "b": {"rhythm_ms": 1_000, "lateness_ms": 60_000, "enabled": True},
    }  # fmt: skip


def test_a_source_that_is_switched_off_is_told_of_heard_or_not() -> None:
    messages = heartbeats([Source(id="a", enabled=False), Source(id="b", enabled=False)], {"a": NOW}, NOW, 1)
    told = {event.source: msgspec.json.decode(event.attributes) for event in (decode_event(m.value) for m in messages)}
    off = {"rhythm_ms": 3_600_000, "lateness_ms": 60_000, "enabled": False}
    assert told == {"a": off, "b": off}


async def _beats(bank: Bank) -> int:
    return await bank.ingest.beat_once()


async def test_ingest_vouches_only_for_sources_that_it_heard_within_their_rhythm() -> None:
    bank = await open_bank()
    assert await _beats(bank) == 0
    await bank.post(transaction())
    assert await _beats(bank) == 1
    assert sum(event.type == "source.heartbeat" for event in bank.log.events()) == 8
    bank.clock.move_to(NOW + 3_600_001)
    assert await _beats(bank) == 0


async def test_heartbeats_go_on_after_the_log_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    bank, pauses = await open_bank(choices=Choices(heartbeat_s=7.0)), list[float]()
    await bank.post(transaction())

    async def sleep(seconds: float) -> None:
        """The log is away at the first time, and at the fourth the process ends."""
        pauses.append(seconds)
        bank.log.failing = {"channel-events"} if len(pauses) == 1 else set()
        if len(pauses) == 4:
            raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await bank.ingest.beat()
    assert pauses == [7.0] * 4
    assert sum(event.type == "source.heartbeat" for event in bank.log.events()) == 2 * bank.log.partitions


async def test_a_heartbeat_that_a_source_sends_reaches_every_partition() -> None:
    bank = await open_bank()
    beat = {
        "id": "h-1",
        "type": "source.heartbeat",
        "occurred_at": "2026-11-22T12:00:00+08:00",
        "attributes": {"complete_up_to": "2026-11-22T11:00:00+08:00"},
    }
    answer = await bank.post(beat)
    assert answer.json()["accepted"] == 1
    events = bank.log.events()
    assert {event.id for event in events} == {f"h-1@{at}" for at in range(8)}
    assert {event.attributes for event in events} == {b'{"complete_up_to":1795316400000}'}
