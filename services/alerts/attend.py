"""USE CASE: what time alone does to alerts: reminders, escalation, expiry, waking, and room for those that wait."""

from typing import NamedTuple

from services.alerts.current import Current
from services.alerts.domain.alert import Alert
from services.alerts.domain.guarding import hold_back_anew
from services.alerts.domain.reminding import next_look, remind
from services.alerts.domain.routing import CAPACITY, limited, route
from services.alerts.domain.standing import Standing
from services.alerts.outbox import message_of
from services.alerts.ports import AlertStore, AlertsTransaction

DESK = "desk"
AT_ONCE = 500
FULL_MS = 60_000
"""For so long an owner whose day is full is not looked at again: little makes room within a day."""


class Attended(NamedTuple):
    changed: list[Alert]


class Attend:
    def __init__(self, store: AlertStore, current: Current) -> None:
        self._store, self._current = store, current
        self._full: dict[str, tuple[object, int]] = {}

    async def apply(self, now: int) -> Attended:
        """Raises `Contended`, `Unavailable`; what was done before stands."""
        changed = await self._due(now)
        changed += await self._promoted(now)
        return Attended(changed)

    async def _due(self, now: int) -> list[Alert]:
        customers = await self._store.due(now, AT_ONCE)
        if not customers:
            return []
        async with self._store.working() as tx:
            standings, by_customer = await tx.lock(customers), await tx.alerts_of(customers)
            found = [one for alerts in by_customer.values() for one in alerts]
            changed = {one.alert_id: one for one in found if remind(one, self._current.terms, now)}
            for over in sorted({one.customer_id for one in changed.values() if not one.is_open}):
                released = self._released(by_customer[over], standings[over], now)
                changed |= {one.alert_id: one for one in released}
            await self._save(tx, found, list(changed.values()), now)
        return list(changed.values())

    def _released(self, alerts: list[Alert], standing: Standing, now: int) -> list[Alert]:
        """Alerts that waited for one which is over now."""
        rules, budget = self._current.rules, self._current.terms.desk.open_budget
        return hold_back_anew(alerts, standing, rules, budget, now)

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
            await self._save(tx, changed, changed, now)
        self._full |= {one.owner: (today, now + FULL_MS) for one in found if one.waiting == CAPACITY}
        return changed

    async def _save(self, tx: AlertsTransaction, found: list[Alert], changed: list[Alert], now: int) -> None:
        """Saves every alert that was looked at, changed or not: the time of its next look has moved on."""
        await tx.save_alerts(found, {one.alert_id: next_look(one, self._current.terms) for one in found})
        await tx.send(DESK, [message_of(one) for one in changed], now)
