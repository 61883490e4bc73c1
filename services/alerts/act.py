"""USE CASE: a person's step on an alert, in one transaction under the customer's lock, so that one of two at once
wins."""

from collections.abc import Awaitable, Callable

from services.access import User
from services.alerts.current import Current
from services.alerts.domain import lifecycle
from services.alerts.domain.alert import Alert
from services.alerts.domain.lifecycle import Actor, Asked
from services.alerts.domain.reminding import await_outcome
from services.alerts.domain.routing import Staff, answer_from, give, refuse_nobody
from services.alerts.domain.standing import Standing
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

    async def on(self, alert_id: str, asked: Asked, user: User) -> Alert:
        """Returns the alert after the step. Raises `Rejected` (unknown_alert, unknown_owner, and what `lifecycle.act`
        raises), `Contended`, `Unavailable`; nothing is written then."""
        staff = await self._staff() if asked.action == "reassign" else Staff()
        return await again_when_contended(lambda: self._once(alert_id, asked, actor_of(user), staff))

    async def _once(self, alert_id: str, asked: Asked, actor: Actor, staff: Staff) -> Alert:
        now, terms = self._clock.now_ms(), self._current.terms
        async with self._store.working() as tx:
            alert, standing = await _locked(tx, alert_id)
            lifecycle.act(alert, asked, actor, {standing.owner, standing.acting} - {""}, now)
            if asked.action == "reassign":
                refuse_nobody(asked.to, alert.branch, staff)
                give(alert, terms, now)
            elif asked.action == "contact":
                await_outcome(alert, terms, now)
            elif not alert.routed_at:
                answer_from(alert, terms, now)  # taken up before its turn
            changed = [alert] if alert.is_open else [alert, *await self._released(tx, alert, standing, now)]
            await write(tx, DESK, changed, terms, now)
        return alert

    async def _released(self, tx: AlertsTransaction, ended: Alert, standing: Standing, now: int) -> list[Alert]:
        """What waited for it."""
        found = (await tx.alerts_of([ended.customer_id]))[ended.customer_id]
        others = [one for one in found if one.alert_id != ended.alert_id]
        return self._current.hold_back_anew(others, standing, now)


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
