"""An alert as the topic `alerts` tells it: whole, at every step of its life."""

from schemas import alerts as told_as
from schemas.codec import encode_alert
from schemas.topics import ALERTS
from services.alerts.domain.alert import Alert, Evidence, Outcome
from services.alerts.domain.rules import Text
from services.outbox import OutboxMessage


def message_of(alert: Alert) -> OutboxMessage:
    return OutboxMessage(ALERTS.name, alert.customer_id.encode(), encode_alert(told(alert)))


def told(alert: Alert) -> told_as.Alert:
    return told_as.Alert(
        alert_id=alert.alert_id, revision=alert.revision, customer_id=alert.customer_id, kind=alert.kind,
        situation=alert.situation, severity=alert.severity, title=_told(alert.title), reason=_told(alert.reason),
        state=alert.state, opened_at=alert.opened_at, owner=alert.owner, due_at=alert.due_at,
        grade=alert.grade, claimed_by=alert.claimed_by, waiting=alert.waiting, suggested=_told(alert.suggested),
        outcome=_outcome(alert.outcome) if alert.outcome else None,
        rules=[told_as.RuleReference(id=rule, version=n) for rule, n in alert.rules],
        evidence=[_evidence(one) for one in alert.evidence],
        history=[
            told_as.Step(at=one.at, actor=one.actor, action=one.action, state=one.state, note=one.note, to=one.to)
            for one in alert.history
        ],
    )  # fmt: skip


def _told(text: Text) -> told_as.Text:
    return told_as.Text(en=text.en, zh=text.zh)


def _outcome(one: Outcome) -> told_as.Outcome:
    return told_as.Outcome(
        result=one.result, reason=one.reason, product=one.product, amount_minor=one.amount_minor, currency=one.currency
    )


def _evidence(one: Evidence) -> told_as.Evidence:
    return told_as.Evidence(
        rule_id=one.rule, occurred_at=one.occurred_at, event_id=one.event_id, text=_told(one.text), values=one.values,
        ended_at=one.ended_at,
    )  # fmt: skip
