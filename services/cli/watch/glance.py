"""What the board shows of the inbox: which alerts changed last, the greatest that wait, and how many there are."""

import time
from collections.abc import Callable, Mapping, Sequence

from services.alerts.domain.notices import in_force, sentence
from services.alerts.ports import OPEN, AlertFilter, AlertStore
from services.cli.watch.following import Following, SeenAlert, seen_alert

SHOWN = 5
COUNTED_EVERY_S, PAUSE_FOR_COUNTING = 15.0, 50
"""Whatever happens meanwhile, counting rests this many times as long as it took: it reads an entry of every alert."""


class Glance:
    """`clock`: in seconds, only goes forward."""

    def __init__(self, store: AlertStore, following: Following, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._following, self._clock = store, following, clock
        self._counts: Mapping[str, int] = {}
        self._counted, self._took, self._steps = float("-inf"), 0.0, 0

    async def alerts(self) -> Sequence[SeenAlert]:
        """Those heard of since the board began, newest first; then the greatest open ones."""
        heard = list(self._following.alerts)[::-1]
        known = {one.alert_id for one in heard}
        greatest = await self._store.find(AlertFilter(state=(OPEN,)), None, SHOWN)
        return [*heard, *(seen_alert(one) for one in greatest if one.alert_id not in known)][:SHOWN]

    async def silent_rules(self) -> Sequence[str]:
        """What whoever answers for a rule must know, in words."""
        return [sentence(one, "en") for one in in_force(await self._store.notices()).values()]

    async def by_state(self) -> Mapping[str, int]:
        """Counted anew where an alert has moved, else now and then."""
        now = self._clock()
        steps, since = self._following.alert_steps, now - self._counted
        if since >= PAUSE_FOR_COUNTING * self._took and (steps != self._steps or since >= COUNTED_EVERY_S):
            self._counts, self._counted, self._steps = await self._store.count(), now, steps
            self._took = self._clock() - now
        return self._counts
