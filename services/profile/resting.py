"""Customers that were refreshed just now rest for a moment: what arrives meanwhile is taken in one refresh, which
limits the cost of a hot customer.

Rests go by the monotonic clock of the process, not by the deployment's: they spare a machine, also while a past is
replayed.
"""

import time
from collections.abc import Callable, Iterable

from services.profile.domain.identity.links import COLLECTIVES, kind_of
from services.profile.domain.shards import shard_of

CUSTOMER_S = 0.5
COLLECTIVE_S = 1.0
"""Households and groups rest longer: every event of every member marks them."""
SET_ASIDE_S = 60.0
TOO_LONG_S = 600.0
"""Each try takes a worker as long as a transaction may last."""


class Resting:
    """The roots that rest now, by shard. Rests and `clock` are in seconds."""

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

    def set_aside(self, roots: Iterable[str], seconds: float = SET_ASIDE_S) -> None:
        """Roots whose refresh has failed rest for long before they are tried again."""
        now = self._clock()
        for root in roots:
            self._until.setdefault(shard_of(root), {})[root] = now + seconds

    def roots(self, shards: Iterable[int]) -> list[str]:
        """The roots of these shards that rest now."""
        now, found = self._clock(), list[str]()
        for shard in self._until.keys() & shards:
            self._until[shard] = {root: until for root, until in self._until[shard].items() if until > now}
            found += self._until[shard]
        return found
