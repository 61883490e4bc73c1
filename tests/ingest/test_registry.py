"""Sources and keys are checked when they are made, for afterwards nobody looks."""

from typing import Any

import pytest

from services.failures import Rejected
from services.ingest.adapters.memory import TokenBuckets
from services.ingest.domain.sources import Source
from services.ingest.registry import create_key, set_source
from services.ingest.settings import read_choices, read_limits
from services.settings import SettingsError
from tests.ingest.bank import CATALOGUE, NOW
from tests.ingest.memory import MemoryKeyStore, MemorySourceStore


@pytest.mark.parametrize(
    "parameters",
    [
        {"id": "Core Bank"},
        {"id": "a", "time_zone": "Mars/Olympus"},
        {"id": "a", "time_zone": "../etc/passwd"},
        {"id": "a", "currency": "XQX"},
        {"id": "a", "currency": "yuan"},
        {"id": "a", "of_record": ("transaction.imagined",)},
        {"id": "a", "rhythm_ms": 0},
        {"id": "a", "channel": "atmm"},
        {"id": "a", "channel": "*"},
    ],
    ids=str,
)
async def test_a_source_with_a_mistake_is_not_registered(parameters: dict[str, Any]) -> None:
    sources = MemorySourceStore()
    with pytest.raises(Rejected):
        await set_source(sources, Source(**parameters), CATALOGUE)
    assert await sources.sources() == []


@pytest.mark.parametrize(
    ("source", "channels", "rate"), [("b", ["atm"], 1), ("a", [], 1), ("a", ["atm", "atmm"], 1), ("a", ["atm"], 0)]
)
async def test_a_key_with_a_mistake_is_not_made(source: str, channels: list[str], rate: int) -> None:
    keys, sources = MemoryKeyStore(), MemorySourceStore()
    await set_source(sources, Source(id="a"), CATALOGUE)
    with pytest.raises(Rejected):
        await create_key(keys, sources, source, channels, NOW, rate)
    assert await keys.grants() == []


@pytest.mark.parametrize(
    ("channels", "fits"), [(["mobile"], False), (["atm"], True), (["mobile", "atm"], True), (["*"], True)]
)
async def test_a_key_allows_the_channel_that_its_source_speaks_for(channels: list[str], fits: bool) -> None:
    keys, sources = MemoryKeyStore(), MemorySourceStore()
    await set_source(sources, Source(id="a", channel="atm"), CATALOGUE)
    if fits:
        await create_key(keys, sources, "a", channels, NOW)
        return
    with pytest.raises(Rejected, match="a speaks for atm") as refused:
        await create_key(keys, sources, "a", channels, NOW)
    assert refused.value.field == "channels"


async def test_a_channel_that_nobody_declared_is_answered_with_those_that_are() -> None:
    with pytest.raises(Rejected, match="counter, atm, online") as refused:
        await set_source(MemorySourceStore(), Source(id="a", channel="atmm"), CATALOGUE)
    assert refused.value.field == "channel"


async def test_a_bucket_fills_with_time_and_never_over_its_brim() -> None:
    now = [0.0]
    buckets = TokenBuckets(lambda: now[0])
    assert await buckets.take("k", 20, 10, 20) == 0
    assert await buckets.take("k", 5, 10, 20) == 0.5
    now[0] = 0.5
    assert await buckets.take("k", 5, 10, 20) == 0
    now[0] = 100.0
    assert await buckets.take("k", 21, 10, 20) == 0, "a full bucket lends for a batch larger than itself"
    assert await buckets.take("k", 1, 10, 20) == 0.2
    assert await buckets.take("other", 20, 10, 20) == 0


def test_settings_are_read_by_name_and_refused_by_name() -> None:
    assert read_limits({"COUNTERPOINT_INGEST_MAX_BODY_BYTES": "1000"}).max_body_bytes == 1_000
    assert read_choices({"COUNTERPOINT_INGEST_ACCEPT_UNKNOWN_TYPES": "true"}).accept_unknown_types
    assert read_choices({}).max_skew_hours == 24
    with pytest.raises(SettingsError, match="COUNTERPOINT_INGEST_MAX_BATCH_EVENTS"):
        read_limits({"COUNTERPOINT_INGEST_MAX_BATCH_EVENTS": "many"})
