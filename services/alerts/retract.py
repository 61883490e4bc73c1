"""USE CASE: takes back at once what a rule that was switched off or removed has raised, held back or worded, without
waiting for the customer's next change."""

from services.alerts.current import Current
from services.alerts.domain.alert import Alert
from services.alerts.domain.retracting import retract
from services.alerts.domain.standing import Standing
from services.alerts.outbox import DESK, write
from services.alerts.pages import pages
from services.alerts.ports import OPEN, AlertFilter, AlertStore

AT_ONCE = 200
WATCHED_MS = 60_000
"""For so long another worker may still raise by rules that it has not read anew."""


class Retract:
    def __init__(self, store: AlertStore, current: Current) -> None:
        self._store, self._current = store, current
        self._silent_since: dict[tuple[str, str], int] = {}

    async def apply(self, now: int) -> list[Alert]:
        """Raises `Contended`, `Unavailable`; what was done before stands."""
        silent = dict(self._current.terms.silent)
        self._silent_since = {told: self._silent_since.get(told, now) for told in silent.items()}
        changed: list[Alert] = []
        for (rule, why), since in self._silent_since.items():
            if now - since <= WATCHED_MS:
                changed += await self._all_of(rule, why, now)
        return changed

    async def _all_of(self, rule: str, why: str, now: int) -> list[Alert]:
        changed: list[Alert] = []
        for where in (AlertFilter(rule=(rule,), state=(OPEN,)), AlertFilter(guard=rule, state=(OPEN,))):
            async for found in pages(self._store, where, AT_ONCE):
                customers = {one.customer_id for one in found if concerns(rule, one)}
                if customers:
                    changed += await self._some_of(rule, why, customers, now)
        return changed

    async def _some_of(self, rule: str, why: str, customers: set[str], now: int) -> list[Alert]:
        async with self._store.working() as tx:
            standings = await tx.lock(sorted(customers))
            found = [
                alert for customer, alerts in (await tx.alerts_of(sorted(customers))).items()
                for alert in self._of_one(rule, why, standings[customer], alerts, now)
            ]  # fmt: skip
            changed = list({one.alert_id: one for one in found}.values())
            await tx.save_standings(standings)
            await write(tx, DESK, changed, self._current.terms, now)
        return changed

    def _of_one(self, rule: str, why: str, standing: Standing, alerts: list[Alert], now: int) -> list[Alert]:
        return [
            *retract(rule, why, standing, alerts, self._current.terms, now),
            *self._current.hold_back_anew(alerts, standing, now, why),
        ]


def concerns(rule: str, alert: Alert) -> bool:
    return rule in (alert.waiting, alert.worded_by) or any(one.rule == rule for one in alert.current_evidence())
