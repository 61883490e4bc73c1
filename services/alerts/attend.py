"""USE CASE: what time alone does to alerts: reminders, escalation, expiry, waking, and room for those that wait."""

from services.alerts.current import Current
from services.alerts.domain.alert import Alert
from services.alerts.domain.reminding import remind
from services.alerts.domain.routing import CAPACITY, limited, route
from services.alerts.outbox import DESK, write
from services.alerts.ports import AlertStore

AT_ONCE = 500
FULL_MS = 60_000
"""For so long an owner whose day is full is not looked at again: little makes room within a day."""


class Attend:
    def __init__(self, store: AlertStore, current: Current) -> None:
        self._store, self._current = store, current
        self._full: dict[str, tuple[object, int]] = {}

    async def apply(self, now: int) -> list[Alert]:
        """Raises `Contended`, `Unavailable`; what was done before stands."""
        return [*await self._due(now), *await self._promoted(now)]

    async def _due(self, now: int) -> list[Alert]:
        customers = await self._store.due(now, AT_ONCE)
        if not customers:
            return []
        async with self._store.working() as tx:
            standings, by_customer = await tx.lock(customers), await tx.alerts_of(customers)
            found = [one for alerts in by_customer.values() for one in alerts]
            changed = {one.alert_id: one for one in found if remind(one, self._current.terms, now)}
            for over in sorted({one.customer_id for one in changed.values() if not one.is_open}):
                # those that waited for one which is over now
                released = self._current.hold_back_anew(by_customer[over], standings[over], now)
                changed |= {one.alert_id: one for one in released}
            beside = [one for one in found if one.alert_id not in changed]
            await write(tx, DESK, list(changed.values()), self._current.terms, now, beside)
        return list(changed.values())

    async def _promoted(self, now: int) -> list[Alert]:
        """Gives waiting alerts to their owners one at a time, in the order of rank: free places are counted again in
        the transaction that takes one."""
        terms, today = self._current.terms, (self._current.terms.desk, self._current.terms.day_of(now))
        self._full = {owner: seen for owner, seen in self._full.items() if seen[0] == today and now < seen[1]}
        waiting = await self._store.waiting(AT_ONCE, self._full.keys())
        if not waiting:
            return []
        async with self._store.working() as tx:
            customers = sorted({one.customer_id for one in waiting})
            await tx.lock(customers)
            found = [one for alerts in (await tx.alerts_of(customers)).values() for one in alerts]
            routed = await tx.routed_on(limited(found), terms.working_day_of(now))
            changed = route(found, routed, terms, now)
            await write(tx, DESK, changed, terms, now)
        self._full |= {one.owner: (today, now + FULL_MS) for one in found if one.waiting == CAPACITY}
        return changed
