"""What a rule has said is taken back: it holds no longer, or the rule says nothing any more. Pure; what was given is
changed in place and belongs to the caller, who holds the customer's lock."""

from collections.abc import Iterable

from services.alerts.domain.alert import SYSTEM, UNTOUCHED, Alert, step
from services.alerts.domain.standing import Standing
from services.alerts.domain.terms import Terms
from services.alerts.domain.weighing import weigh


def take_back(alert: Alert, key: str, why: str, terms: Terms, now: int) -> None:
    """An alert for which nothing stands is withdrawn; one that somebody works on already says so and stays."""
    for evidence in alert.evidence:
        if evidence.key == key and not evidence.ended_at:
            evidence.ended_at = now
    if alert.current_evidence():
        before = alert.severity
        weigh(alert, terms)
        lower = f"; severity {alert.severity} is left" if alert.severity < before else ""
        step(alert, now, SYSTEM, "evidence_ended", alert.state, why + lower)
    else:
        left_without_cause(alert, why, now)


def left_without_cause(alert: Alert, why: str, now: int) -> None:
    """Nothing stands any more of what it was raised for."""
    if alert.state in UNTOUCHED:
        step(alert, now, SYSTEM, "withdraw", "withdrawn", why)
    else:
        step(alert, now, SYSTEM, "cause_ended", alert.state, f"{why}; the case is yours to close")


def retract(rule: str, why: str, standing: Standing, alerts: Iterable[Alert], terms: Terms, now: int) -> list[Alert]:
    """All that the rule has said of one customer. Returns what changed."""
    firings, changed = standing.firings, list[Alert]()
    for key in [key for key, firing in firings.items() if firing.rule == rule]:
        standing.restore_cooldown(firings.pop(key))
    for alert in alerts:
        for key in [one.key for one in alert.current_evidence() if one.rule == rule]:
            take_back(alert, key, why, terms, now)
            changed.append(alert)
    return list({alert.alert_id: alert for alert in changed}.values())
