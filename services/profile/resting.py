"""Who was refreshed just now and is left alone for a moment: what comes meanwhile is one refresh, so that a customer
costs no more of them than there are rests in a day, however hot.

A rest spares a machine and says nothing of when something happened: it goes by the clock of the process, also where a
past is replayed.
"""

import time
from collections.abc import Callable, Iterable

from services.profile.domain.identity.links import COLLECTIVES, kind_of
from services.profile.domain.shards import shard_of

CUSTOMER_S = 0.5
COLLECTIVE_S = 1.0
"""Of a household or group, which every event of every member marks."""
SET_ASIDE_S = 60.0


class Resting:
    """By shard, whose worker alone refreshes its roots. Rests and `clock` in seconds."""

    def __init__(
        self, customer_s: float = CUSTOMER_S, collective_s: float = COLLECTIVE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._customer_s, self._collective_s, self._clock = customer_s, collective_s, clock
        self._until: dict[int, dict[str, float]] = {}

    def note(self, roots: Iterable[str]) -> None:
        now = self._clock()
        for root in roots:
            rest_s = self._collective_s if kind_of(root) in COLLECTIVES else self._customer_s
            self._until.setdefault(shard_of(root), {})[root] = now + rest_s

    def set_aside(self, roots: Iterable[str]) -> None:
        """Those who met a bug: they are left alone for long, and then tried again."""
        now = self._clock()
        for root in roots:
            self._until.setdefault(shard_of(root), {})[root] = now + SET_ASIDE_S

    def roots(self, shards: Iterable[int]) -> list[str]:
        """Those of these shards that rest now."""
        now, found = self._clock(), list[str]()
        for shard in self._until.keys() & shards:
            self._until[shard] = {root: until for root, until in self._until[shard].items() if until > now}
            found += self._until[shard]
        return found
