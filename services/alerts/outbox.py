"""How alerts are written, and what leaves of them: every alert, whole, at each step of its life."""

from collections.abc import Sequence

from schemas import alerts as wire
from schemas.codec import encode_alert
from schemas.topics import ALERTS
from services.alerts.domain.alert import Alert, Evidence, Outcome
from services.alerts.domain.reminding import next_look
from services.alerts.domain.rules import Text
from services.alerts.domain.terms import Terms
from services.alerts.ports import AlertsTransaction
from services.outbox import OutboxMessage

DESK = "desk"
"""The lane of what people and time do; statements have lanes of their own."""


async def write(
    tx: AlertsTransaction, lane: str, changed: Sequence[Alert], terms: Terms, now: int, beside: Sequence[Alert] = ()
) -> None:
    """Each that has changed gets a revision later than the one before, by the clock too: so it is later than anything
    that readers have seen, even where the database came back without its last hour. `beside`: looked at and not
    changed; but the time of their next look has moved on."""
    for alert in changed:
        alert.revision = max(now, alert.revision + 1)
    await tx.save_alerts([*changed, *beside], {one.alert_id: next_look(one, terms) for one in (*changed, *beside)})
    await tx.send(lane, [message_of(one) for one in changed], now)


def message_of(alert: Alert) -> OutboxMessage:
    return OutboxMessage(ALERTS.name, alert.customer_id.encode(), encode_alert(alert_record(alert)))


def alert_record(alert: Alert) -> wire.Alert:
    return wire.Alert(
        alert_id=alert.alert_id, revision=alert.revision, customer_id=alert.customer_id, kind=alert.kind,
        situation=alert.situation, severity=alert.severity, title=_text(alert.title), reason=_text(alert.reason),
        state=alert.state, opened_at=alert.opened_at, owner=alert.owner, due_at=alert.due_at,
        grade=alert.grade, claimed_by=alert.claimed_by, waiting=alert.waiting, suggested=_text(alert.suggested),
        outcome=_outcome(alert.outcome) if alert.outcome else None,
        rules=[wire.RuleReference(id=rule, version=n) for rule, n in alert.rules],
        evidence=[_evidence(one) for one in alert.evidence],
        history=[
            wire.Step(at=one.at, actor=one.actor, action=one.action, state=one.state, note=one.note, to=one.to)
            for one in alert.history
        ],
    )  # fmt: skip


def _text(text: Text) -> wire.Text:
    return wire.Text(en=text.en, zh=text.zh)


def _outcome(one: Outcome) -> wire.Outcome:
    return wire.Outcome(
        result=one.result, reason=one.reason, product=one.product, amount_minor=one.amount_minor, currency=one.currency
    )


def _evidence(one: Evidence) -> wire.Evidence:
    return wire.Evidence(
        rule_id=one.rule, occurred_at=one.occurred_at, event_id=one.event_id, text=_text(one.text), values=one.values,
        ended_at=one.ended_at,
    )  # fmt: skip
