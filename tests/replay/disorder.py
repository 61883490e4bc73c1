"""Makes of an orderly stream what networks and retries make of it: late, out of order, and some of it twice."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import heappop, heappush
from random import Random
from typing import Any

Event = dict[str, Any]


def disordered(events: Iterable[Event], *, seed: int, within_ms: int, repeats: float) -> Iterator[Event]:
    """Each event comes up to `within_ms` after its time, and the share `repeats` of them a second time.

    `events` are in event-time order; only those on their way are held.
    """
    random = Random(seed)
    on_their_way: list[tuple[float, int, Event]] = []
    count = 0
    for event in events:
        sent_ms = datetime.fromisoformat(event["occurred_at"]).timestamp() * 1000
        while on_their_way and on_their_way[0][0] <= sent_ms:
            yield heappop(on_their_way)[2]
        for _ in range(2 if random.random() < repeats else 1):
            count += 1
            heappush(on_their_way, (sent_ms + random.uniform(0, within_ms), count, event))
    while on_their_way:
        yield heappop(on_their_way)[2]
