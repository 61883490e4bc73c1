"""What becomes of the alerts of a customer who was erased. They hold no personal value, except where somebody wrote one
into a note."""

from collections.abc import Iterable

import msgspec

from services.alerts.domain.alert import SYSTEM, Alert, step

WHY = "the customer was erased"


def erase(alerts: Iterable[Alert], erased_at: int, now: int) -> list[Alert]:
    """Withdraws the open alerts from before, and takes what people have noted out of all of them. What their rules have
    said stays said: only something new raises an alert again. Returns what changed."""
    changed = []
    for alert in alerts:
        ends = alert.is_open and alert.opened_at <= erased_at
        if ends:
            step(alert, now, SYSTEM, "withdraw", "withdrawn", WHY)
        if _forget_notes(alert) or ends:
            changed.append(alert)
    return changed


def _forget_notes(alert: Alert) -> bool:
    before = alert.history, alert.outcome
    alert.history = [
        one if one.actor == SYSTEM or not one.note else msgspec.structs.replace(one, note="") for one in alert.history
    ]
    if alert.outcome is not None:
        alert.outcome = msgspec.structs.replace(alert.outcome, note="", reason="")
    return before != (alert.history, alert.outcome)
