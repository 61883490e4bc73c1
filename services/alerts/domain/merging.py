"""Alerts of customers who become one, and of one who becomes two again."""

from collections.abc import Sequence

from services.alerts.domain.alert import SYSTEM, Alert, Evidence, alert_id, step
from services.alerts.domain.standing import Standing
from services.alerts.domain.wording import joined_reason


def merge(
    gone: Standing, alerts: Sequence[Alert], into: Standing, others: Sequence[Alert], to: str, now: int
) -> list[Alert]:
    """Open alerts of the one that is gone join those of the other (`to`) by situation, or move. Returns what changed;
    every piece of evidence remembers of whom it was said."""
    open_there = {one.situation: one for one in others if one.is_open}
    changed: list[Alert] = []
    for alert in alerts:
        if not alert.is_open:
            continue
        for evidence in alert.evidence:
            evidence.origin = evidence.origin or alert.customer_id
        there = open_there.get(alert.situation)
        if there is None:
            former, alert.customer_id = alert.customer_id, to
            step(alert, now, SYSTEM, "move", alert.state, f"{former} became {to}")
            changed.append(alert)
            continue
        known = {one.key for one in there.evidence}
        there.evidence = [*there.evidence, *(one for one in alert.evidence if one.key not in known)]
        there.severity, there.value = max(there.severity, alert.severity), max(there.value, alert.value)
        there.rank = max(there.rank, alert.rank)
        there.reason = joined_reason(there.standing())
        step(there, now, SYSTEM, "merge", there.state, f"with {alert.alert_id} of {alert.customer_id}")
        step(alert, now, SYSTEM, "supersede", "superseded", f"by {there.alert_id} of {to}")
        changed += [there, alert]
    _hand_over(gone, alerts, into, open_there)
    gone.merged_into = to
    return changed


def _hand_over(gone: Standing, alerts: Sequence[Alert], into: Standing, open_there: dict[str, Alert]) -> None:
    """What was acted on for the one has been acted on for the other."""
    moved = {one.alert_id: there.alert_id for one in alerts if (there := open_there.get(one.situation)) is not None}
    for key, firing in gone.firings.items():
        firing.alert_id = moved.get(firing.alert_id, firing.alert_id)
        into.firings.setdefault(key, firing)
    for rule, until in gone.cooled.items():
        into.cooled[rule] = max(until, into.cooled.get(rule, 0))
    gone.firings = {}


def part(back: Standing, customer_id: str, there: Standing, alerts: Sequence[Alert], now: int) -> list[Alert]:
    """The customer stands alone again: what was said of it leaves the open alerts of the one it had gone into."""
    changed: list[Alert] = []
    for alert in alerts:
        theirs = [one for one in alert.evidence if one.origin == customer_id]
        if not alert.is_open or not theirs:
            continue
        kept = [one for one in alert.evidence if one.origin != customer_id]
        if not kept:
            step(alert, now, SYSTEM, "part", alert.state, f"{customer_id} stands alone again")
            alert.customer_id = customer_id
            changed.append(alert)
        else:
            changed += _parted(alert, customer_id, theirs, kept, now)
        for key in (one.key for one in theirs):
            firing = there.firings.pop(key, None)
            if firing is not None:
                firing.alert_id = changed[-1].alert_id
                back.firings[key] = firing
    back.merged_into = ""
    return changed


def _parted(alert: Alert, customer_id: str, theirs: list[Evidence], kept: list[Evidence], now: int) -> list[Alert]:
    alert.evidence = kept
    alert.reason = joined_reason(alert.standing())
    step(alert, now, SYSTEM, "part", alert.state, f"{customer_id} stands alone again")
    return [alert, Alert(
        alert_id=alert_id(customer_id, alert.situation, theirs[0].key, now), customer_id=customer_id,
        situation=alert.situation, kind=alert.kind, state=alert.state, severity=max(one.severity for one in theirs),
        value=max(one.value for one in theirs), rank=alert.rank, grade=alert.grade, owner=alert.owner,
        branch=alert.branch, tier=alert.tier, claimed_by=alert.claimed_by, title=alert.title,
        reason=joined_reason(theirs), may_say=alert.may_say, must_not_say=alert.must_not_say,
        suggested=alert.suggested, opened_at=alert.opened_at, routed_at=alert.routed_at, routed_day=alert.routed_day,
        due_at=alert.due_at, expires_at=alert.expires_at, evidence=theirs, history=list(alert.history),
        respond_within_hours=alert.respond_within_hours,
    )]  # fmt: skip
