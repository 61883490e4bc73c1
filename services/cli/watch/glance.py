"""What the board shows of the inbox: which alerts changed last, the greatest that wait, and how many there are."""

from collections.abc import Mapping, Sequence

from services.alerts.domain.notices import sentence, standing
from services.alerts.ports import OPEN, AlertFilter, AlertStore
from services.cli.watch.following import Following, SeenAlert, seen_alert

SHOWN = 5
COUNTED_EVERY_S = 15.0


class Glance:
    def __init__(self, store: AlertStore, following: Following) -> None:
        self._store, self._following = store, following
        self._counts: Mapping[str, int] = {}
        self._counted, self._steps = float("-inf"), 0

    async def alerts(self) -> Sequence[SeenAlert]:
        """Those heard of since the board began, newest first; then the greatest open ones."""
        heard = list(self._following.alerts)[::-1]
        known = {one.alert_id for one in heard}
        greatest = await self._store.find(AlertFilter(state=(OPEN,)), None, SHOWN)
        return [*heard, *(seen_alert(one) for one in greatest if one.alert_id not in known)][:SHOWN]

    async def silent_rules(self) -> Sequence[str]:
        """What whoever answers for a rule must know, in words."""
        return [sentence(one, "en") for one in standing(await self._store.notices()).values()]

    async def by_state(self, now: float) -> Mapping[str, int]:
        """`now` in seconds of a clock that only goes forward: counting all takes a database a while."""
        steps = self._following.alert_steps
        if steps != self._steps or now - self._counted >= COUNTED_EVERY_S:
            self._counts, self._counted, self._steps = await self._store.count(), now, steps
        return self._counts
