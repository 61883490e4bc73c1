"""How far the sources have come, by what they send and by what ingest tells of them."""

from typing import Any

from schemas.events import ChannelEvent
from services.metrics import Metrics
from services.profile.adapters.memory import MemoryProfileStore
from services.profile.domain.customers.customer import Completeness
from services.profile.domain.customers.freshness import Patience, SourceSeen, completeness
from services.profile.sources import Freshness, sources_seen
from tests.profile.domain.happenings import NOON, event

HOUR, MINUTE = 3_600_000, 60_000


def beat(at: int, **told: Any) -> ChannelEvent:
    return event("source.heartbeat", at, "source:core", attributes=told)


def so_far(*seen: SourceSeen, now: int = NOON) -> Completeness:
    return completeness(seen, now, Patience(1, lateness_ms=MINUTE, rhythm_ms=HOUR))


def test_what_ingest_tells_of_a_source_is_no_sign_that_it_lives() -> None:
    [seen] = sources_seen([beat(NOON, rhythm_ms=5 * MINUTE, lateness_ms=MINUTE, complete_up_to=NOON - MINUTE)], 0)
    assert (seen.heartbeat_at, seen.accepted_at, seen.rhythm_ms) == (NOON - MINUTE, 0, 5 * MINUTE)
    [seen] = sources_seen([beat(NOON, complete_up_to=NOON - MINUTE)], 0)
    assert (seen.heartbeat_at, seen.accepted_at > 0) == (NOON - MINUTE, True)


def test_a_source_is_silent_beyond_the_rhythm_that_it_is_registered_with() -> None:
    seen = SourceSeen("core", "corebank", 0, 0, NOON - 10 * MINUTE, 5 * MINUTE, MINUTE)
    assert so_far(seen).silent == ("core",)
    assert so_far(seen, now=NOON - 6 * MINUTE).silent == ()
    assert so_far(seen._replace(rhythm_ms=0)).silent == ()


def test_a_source_is_heard_in_whichever_partition_it_was_last_and_judged_by_its_longest_rhythm() -> None:
    quiet = SourceSeen("core", "corebank", 0, 0, NOON - 10 * MINUTE, 5 * MINUTE, MINUTE)
    assert so_far(quiet, quiet._replace(partition=1, accepted_at=NOON)).silent == ()
    assert so_far(quiet, quiet._replace(partition=1, rhythm_ms=10 * MINUTE)).silent == ()
    beats = [quiet._replace(partition=place, accepted_at=0, heartbeat_at=NOON - ago * MINUTE) for place, ago in
             ((0, 10), (1, 5))]  # fmt: skip
    assert so_far(*beats).silent == ()
    assert so_far(*beats, now=NOON + 1).silent == ("core",)
    assert so_far(SourceSeen("core", "corebank", 0, 0, NOON - 5 * MINUTE, 5 * MINUTE, MINUTE)).until == {
        "core": NOON - MINUTE
    }


async def test_the_metric_of_silence_tells_since_when_nothing_was_heard_however_complete_a_source_is() -> None:
    late, beating = SourceSeen("late", "atm", 0, 0, NOON, HOUR, 10 * MINUTE), SourceSeen("new", "atm", 0, NOON, 0)
    store, metrics = MemoryProfileStore(str), Metrics()
    async with store.updating() as tx:
        await tx.note_sources([late, beating])
    freshness = Freshness(Patience(8, lateness_ms=MINUTE, rhythm_ms=HOUR))
    await freshness.renew(store, NOON + 3_000, metrics)
    assert freshness.now.until == {"late": NOON + 3_000 - 10 * MINUTE, "new": 0}  # seven partitions have not told of it
    for source in ("late", "new"):
        assert metrics.registry.get_sample_value("counterpoint_source_silent_seconds", {"source": source}) == 3


def test_a_source_speaks_for_its_channel_and_for_any_where_it_was_told_of_several() -> None:
    atm, core = SourceSeen("atm", "atm", 0, NOON, NOON), SourceSeen("core", "corebank", 0, NOON, NOON)
    found = so_far(core, atm, core._replace(channel="counter"))
    assert list(found.channels.items()) == [("atm", "atm"), ("core", "*")]


def test_without_heartbeats_a_source_is_complete_up_to_its_lateness_and_when_silent_up_to_what_was_heard() -> None:
    seen = SourceSeen("core", "corebank", 0, 0, NOON - 4 * MINUTE, 5 * MINUTE, 2 * MINUTE)
    assert so_far(seen).until == {"core": NOON - 2 * MINUTE}
    assert so_far(seen, now=NOON + 5 * MINUTE).until == {"core": NOON - 4 * MINUTE}


def test_a_source_that_may_be_late_for_longer_than_silent_is_no_more_complete_for_its_silence() -> None:
    seen = SourceSeen("core", "corebank", 0, 0, NOON - 5 * MINUTE, 5 * MINUTE, HOUR)
    for now in (NOON, NOON + 1):
        assert so_far(seen, now=now).until == {"core": now - HOUR}


def test_a_source_is_complete_as_far_as_its_heartbeats_have_come_in_every_partition() -> None:
    seen = [SourceSeen("core", "corebank", place, NOON - place * MINUTE, NOON) for place in (0, 1)]
    assert completeness(seen, NOON, Patience(2, MINUTE, HOUR)).until == {"core": NOON - MINUTE}
    assert completeness(seen, NOON, Patience(3, MINUTE, HOUR)).until == {"core": 0}


def test_a_source_that_was_switched_off_is_left_out_until_it_is_on_again() -> None:
    on = sources_seen([beat(NOON, rhythm_ms=HOUR, complete_up_to=NOON)], 0)
    off = sources_seen([beat(NOON, rhythm_ms=HOUR, enabled=False)], 0)
    assert so_far(*on).until == {"core": NOON}
    left_out = so_far(*off, now=NOON + 2 * HOUR)
    assert (left_out.until, left_out.channels, left_out.silent) == ({}, {}, ())
    assert left_out.retired == ("core",)


def test_a_source_counts_until_every_partition_has_heard_that_it_is_off() -> None:
    [off] = sources_seen([beat(NOON, rhythm_ms=HOUR, enabled=False)], 0)
    assert so_far(off, off._replace(partition=1, enabled=True)).retired == ()
