"""What time alone does to an alert: expiry, waking, reminders, escalation."""

from typing import NamedTuple

from services.alerts.domain.alert import SYSTEM, UNANSWERED, UNTOUCHED, Alert, step
from services.alerts.domain.routing import answer_from
from services.alerts.domain.terms import Terms, answer_by


def await_outcome(alert: Alert, terms: Terms, now: int) -> None:
    """After a contact, its outcome is to be noted next."""
    alert.due_at = _outcome_by(now, terms)


def _outcome_by(at: int, terms: Terms) -> int:
    return answer_by(at, terms.desk.outcome_within_hours, "", terms)


def remind(alert: Alert, terms: Terms, now: int) -> bool:
    """An alert that nobody took up expires; one that was put off comes back with new time to answer; a planned contact
    and an outcome that was not noted are called to mind; else the time to answer is watched. True when something
    changed."""
    if alert.expires_at and now >= alert.expires_at and alert.state in UNTOUCHED:
        step(alert, now, SYSTEM, "expire", "expired", "nobody took it up in its time")
        return True
    if alert.state == "snoozed" and alert.snoozed_until and now >= alert.snoozed_until:
        alert.snoozed_until = 0
        answer_from(alert, terms, now)
        step(alert, now, SYSTEM, "wake", "claimed", "the time it was put off to has come")
        return True
    if alert.state in _AWAITED:
        return _called_to_mind(alert, _AWAITED[alert.state](alert, terms), terms, now)
    return alert.state in UNANSWERED and alert.due_at > 0 and _watched(alert, terms, now)


class _Awaited(NamedTuple):
    """What somebody is to do `by` a time (ms). The superior is told at `missed_at`."""

    by: int
    missed_at: int
    due: str
    missed: str


def _contact(alert: Alert, terms: Terms) -> _Awaited:
    """A planned contact, to be noted within the time that the alert had for its first answer."""
    missed_at = answer_by(alert.planned_at, alert.respond_within_hours, alert.tier, terms)
    return _Awaited(alert.planned_at, missed_at, "the planned contact is due", "the planned contact has passed")


def _outcome(alert: Alert, terms: Terms) -> _Awaited:
    """An outcome that was not noted: while the alert is open it holds selling back, and its rules learn nothing."""
    due, missed = "what came of the contact is to be noted", "nobody has noted what came of the contact"
    return _Awaited(alert.due_at, _outcome_by(alert.due_at, terms), due, missed)


_AWAITED = {"planned": _contact, "contacted": _outcome}


def _called_to_mind(alert: Alert, awaited: _Awaited, terms: Terms, now: int) -> bool:
    """Reminds when it is due, and tells the superior when nobody has done it."""
    if alert.escalated_at < awaited.by and now >= awaited.missed_at:
        return _escalate(alert, terms, now, awaited.missed)
    if max(alert.reminded_at, alert.escalated_at) < awaited.by <= now:
        alert.reminded_at = now
        step(alert, now, SYSTEM, "remind", alert.state, awaited.due)
        return True
    return False


def _escalate(alert: Alert, terms: Terms, now: int, why: str) -> bool:
    superior = terms.desk.superiors.get(alert.owner, "")
    alert.escalated_at = now
    step(alert, now, SYSTEM, "escalate", alert.state, f"to {superior}" if superior else why, superior)
    return True


def _watched(alert: Alert, terms: Terms, now: int) -> bool:
    """The time to answer: a reminder when most of it is gone, escalation when all of it is."""
    if now >= alert.due_at and not alert.escalated_at:
        return _escalate(alert, terms, now, "the service level has passed")
    if now >= _due_soon(alert, terms) and not alert.reminded_at and not alert.escalated_at:
        alert.reminded_at = now
        step(alert, now, SYSTEM, "remind", alert.state, "the service level is near")
        return True
    return False


def _due_soon(alert: Alert, terms: Terms) -> int:
    """When to remind, in working hours as the time to answer itself."""
    return answer_by(alert.routed_at, alert.respond_within_hours, alert.tier, terms, terms.desk.remind_at)


def next_look(alert: Alert, terms: Terms) -> int:
    """When time alone may change the alert next (ms); 0 for never."""
    times = [alert.expires_at if alert.state in UNTOUCHED else 0, alert.snoozed_until]
    if alert.state in _AWAITED:
        awaited = _AWAITED[alert.state](alert, terms)
        if alert.escalated_at < awaited.by:
            times += [awaited.by if alert.reminded_at < awaited.by else 0, awaited.missed_at]
    if alert.state in UNANSWERED and alert.due_at and not alert.escalated_at:
        times += [alert.due_at, 0 if alert.reminded_at else _due_soon(alert, terms)]
    return min((at for at in times if at), default=0)
