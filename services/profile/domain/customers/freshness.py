"""How far each source is complete: the least over the partitions, so that nothing older can still be on its way."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.profile.domain.customers.customer import ANY_CHANNEL, Completeness


class SourceSeen(NamedTuple):
    """A source in one partition (ms): up to when its last heartbeat vouched, and the newest event accepted from it; 0
    for none. `channel` is `*` if it speaks for several. `rhythm_ms` (0: unknown), `lateness_ms` and `enabled`: as
    registered."""

    source: str
    channel: str
    partition: int
    heartbeat_at: int
    accepted_at: int
    rhythm_ms: int = 0
    lateness_ms: int = 0
    enabled: bool = True


class Patience(NamedTuple):
    """With sources: how many partitions tell of each; and how late one may be and how long silent (ms), where no
    heartbeat has said it."""

    partitions: int
    lateness_ms: int
    rhythm_ms: int


def completeness(seen: Iterable[SourceSeen], now: int, patience: Patience) -> Completeness:
    """A source without heartbeats is complete up to its lateness, and once it is silent beyond its rhythm no further
    than when it was last heard. One that every partition knows as switched off holds nothing back and covers nothing.
    """
    until, channels, silent, retired = {}, {}, [], []
    for source, rows in _by_source(seen):
        if not any(row.enabled for row in rows):
            retired.append(source)
            continue
        beats = [row.heartbeat_at for row in rows if row.heartbeat_at]
        heard = _heard(rows)
        rhythm, lateness = max((row.rhythm_ms, row.lateness_ms) for row in rows)
        if not rhythm:
            rhythm, lateness = patience.rhythm_ms, patience.lateness_ms
        spoken_for = {row.channel for row in rows}
        channels[source] = spoken_for.pop() if len(spoken_for) == 1 else ANY_CHANNEL
        if beats:
            until[source] = min(beats) if len(beats) == patience.partitions else 0
        else:
            until[source] = now - lateness if now - heard <= rhythm else min(heard, now - lateness)
        if now - heard > rhythm:
            silent.append(source)
    return Completeness(until, channels, tuple(silent), tuple(retired))


def heard_at(seen: Iterable[SourceSeen]) -> dict[str, int]:
    """Source → when it was last heard of (ms), however complete it is."""
    return {source: _heard(rows) for source, rows in _by_source(seen)}


def latenesses(seen: Iterable[SourceSeen], patience: Patience) -> frozenset[int]:
    """By how much what depends on a source may be complete after it is due (ms); 0 for what depends on none."""
    return frozenset({0, patience.lateness_ms, *(row.lateness_ms for row in seen)})


def reached(seen: Iterable[SourceSeen]) -> int:
    """When the newest event was accepted (ms), 0 before the first: there stands a clock that follows event time."""
    return max((row.accepted_at for row in seen), default=0)


def _by_source(seen: Iterable[SourceSeen]) -> list[tuple[str, list[SourceSeen]]]:
    rows: dict[str, list[SourceSeen]] = {}
    for row in seen:
        rows.setdefault(row.source, []).append(row)
    return sorted(rows.items())


def _heard(rows: Sequence[SourceSeen]) -> int:
    return max(row.accepted_at for row in rows) or max(row.heartbeat_at for row in rows)
