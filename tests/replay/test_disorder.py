"""Disorder on purpose: nothing gets lost in it, lateness is bounded, and a seed repeats it."""

from collections import Counter
from datetime import datetime

from tests.replay.disorder import Event, disordered

HOUR_MS = 3_600_000
EVENTS: list[Event] = [
    {"id": str(number), "occurred_at": f"2026-01-{1 + number // 24:02d}T{number % 24:02d}:00:00Z"}
    for number in range(700)
]


def test_every_event_comes_and_some_come_twice() -> None:
    seen = Counter(event["id"] for event in disordered(EVENTS, seed=1, within_ms=100 * HOUR_MS, repeats=0.1))
    assert set(seen) == {event["id"] for event in EVENTS}
    assert set(seen.values()) == {1, 2}
    assert 40 < len([id_ for id_, times in seen.items() if times == 2]) < 100


def test_an_event_is_overtaken_only_within_the_bound() -> None:
    latest, overtaken = 0.0, 0
    for event in disordered(EVENTS, seed=1, within_ms=10 * HOUR_MS, repeats=0.0):
        at = datetime.fromisoformat(event["occurred_at"]).timestamp() * 1000
        overtaken += at < latest
        assert latest - at <= 10 * HOUR_MS
        latest = max(latest, at)
    assert overtaken > 300


def test_the_same_seed_makes_the_same_disorder() -> None:
    first, again, other = (list(disordered(EVENTS, seed=s, within_ms=HOUR_MS * 9, repeats=0.1)) for s in (1, 1, 2))
    assert first == again
    assert first != other
