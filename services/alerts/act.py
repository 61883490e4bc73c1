"""USE CASE: a person's step on an alert, in one transaction under the customer's lock, so that one of two at once
wins."""

from collections.abc import Awaitable, Callable

from schemas.instants import DAY_MS
from services.access import User
from services.alerts.current import Current
from services.alerts.domain import lifecycle
from services.alerts.domain.alert import Alert
from services.alerts.domain.lifecycle import Actor, StepRequest
from services.alerts.domain.reminding import await_outcome
from services.alerts.domain.routing import Staff, give, refuse_nobody
from services.alerts.domain.standing import Standing
from services.alerts.domain.weighing import expiry
from services.alerts.outbox import DESK, write
from services.alerts.ports import AlertStore, AlertsTransaction
from services.attempts import again_when_contended
from services.clock import Clock
from services.failures import Contended, Rejected


class Act:
    def __init__(
        self, store: AlertStore, current: Current, clock: Clock, staff: Callable[[], Awaitable[Staff]]
    ) -> None:
        self._store, self._current, self._clock, self._staff = store, current, clock, staff

    async def on(self, alert_id: str, asked: StepRequest, user: User) -> Alert:
        """Returns the alert after the step. Raises `Rejected` (unknown_alert, unknown_owner, and what `lifecycle.act`
        raises), `Contended`, `Unavailable`; nothing is written then."""
        staff = await self._staff() if asked.action == "reassign" else Staff()
        return await again_when_contended(lambda: self._once(alert_id, asked, actor_of(user), staff))

    async def _once(self, alert_id: str, asked: StepRequest, actor: Actor, staff: Staff) -> Alert:
        now, terms = self._clock.now_ms(), self._current.terms
        async with self._store.working() as tx:
            alert, standing = await _locked(tx, alert_id)
            had_come = alert.state != "new"
            lifecycle.act(alert, asked, actor, {standing.owner, standing.acting} - {""}, now)
            if asked.action == "reassign":
                refuse_nobody(asked.to, alert.branch, staff)
                give(alert, terms, now)
                alert.expires_at = expiry(alert)
            elif asked.action == "contact":
                await_outcome(alert, terms, now)
            elif asked.action == "claim" and not had_come:
                give(alert, terms, now)  # taken up before its turn
            if alert.outcome is not None:
                self._rest(alert, standing)
                await tx.save_standings({alert.customer_id: standing})
            changed = {alert.alert_id: alert} | await self._held_or_released(tx, alert, standing, now)
            await write(tx, DESK, list(changed.values()), terms, now)
        return alert

    def _rest(self, closed: Alert, standing: Standing) -> None:
        """What somebody has closed starts the cooldown of all that spoke in it, though its cause be over."""
        for one in closed.evidence:
            rule = self._current.rules.rule(one.rule)
            days = rule.declared.cooldown_days if rule else 0
            standing.rest(one.rule, one.occurred_at + days * DAY_MS)

    async def _held_or_released(
        self, tx: AlertsTransaction, alert: Alert, standing: Standing, now: int
    ) -> dict[str, Alert]:
        """What waited for an alert that is over; and one that was given away, where something holds it back."""
        if alert.is_open and alert.state != "routed":
            return {}
        found = (await tx.alerts_of([alert.customer_id]))[alert.customer_id]
        others = [one for one in found if one.alert_id != alert.alert_id]
        return {one.alert_id: one for one in self._current.hold_back_anew([*others, alert], standing, now)}


def actor_of(user: User) -> Actor:
    """An administrator, and a manager without a portfolio of his or her own, may act on all of them."""
    return Actor(user.name, None if user.may("admin") else user.manager_id)


async def _locked(tx: AlertsTransaction, alert_id: str) -> tuple[Alert, Standing]:
    """The alert and its customer's standing, read under the customer's lock."""
    seen = await tx.alert(alert_id)
    if seen is None:
        raise Rejected("unknown_alert", "no alert has this id", "alert_id")
    standing = (await tx.lock([seen.customer_id]))[seen.customer_id]
    alert = await tx.alert(alert_id)
    if alert is None or alert.customer_id != seen.customer_id:
        raise Contended("its customer was merged or split meanwhile")
    return alert, standing
