"""An alert as the inbox shows it, in one language."""

import hashlib
from collections.abc import Sequence

from schemas.events import Money
from schemas.instants import instant
from schemas.money import format_money
from services.alerts.domain.alert import Alert, Evidence, Outcome
from services.alerts.domain.lifecycle import possible
from services.alerts.domain.rules import Language
from services.alerts.domain.wording import said
from services.alerts.web.backend import Backend
from services.alerts.web.documents import AlertEvidence, AlertOutcome, AlertShown, AlertStep, Amount, RuleSpoken


async def all_shown(backend: Backend, alerts: Sequence[Alert], language: Language) -> list[AlertShown]:
    """With what their customers are called, for whom the alerts keep an id only."""
    names = await backend.names({one.customer_id for one in alerts})
    return [shown(one, language, backend.currency, names.get(one.customer_id)) for one in alerts]


def shown(alert: Alert, language: Language, currency: str | None, name: str | None) -> AlertShown:
    return AlertShown(
        alert_id=alert.alert_id, revision=alert.revision, customer_id=alert.customer_id, customer_name=name,
        kind=alert.kind, situation=alert.situation, severity=alert.severity, grade=alert.grade,
        title=said(alert.title, language), reason=said(alert.reason, language),
        rules=[RuleSpoken(id=rule, version=n) for rule, n in alert.rules],
        evidence=[_evidence(one, language) for one in alert.evidence], owner=alert.owner or None,
        branch=alert.branch or None, tier=alert.tier or None, claimed_by=alert.claimed_by or None, state=alert.state,
        waiting=alert.waiting or None, wording=alert.wording or None, possible=possible(alert), value=alert.value,
        currency=currency, rank=alert.rank, opened_at=instant(alert.opened_at),
        routed_at=when(alert.routed_at), due_at=when(alert.due_at),
        expires_at=when(alert.expires_at), snoozed_until=when(alert.snoozed_until), planned_at=when(alert.planned_at),
        reminded_at=when(alert.reminded_at), escalated_at=when(alert.escalated_at), ended_at=when(alert.ended_at),
        suggested=said(alert.suggested, language), may_say=said(alert.may_say, language),
        must_not_say=said(alert.must_not_say, language), outcome=_outcome(alert.outcome),
        history=[AlertStep(at=instant(one.at), actor=one.actor, action=one.action, state=one.state, note=one.note,
                           to=one.to or None) for one in alert.history],
    )  # fmt: skip


def tag_of(alert: AlertShown, language: Language) -> str:
    """A name is told of the profile, and changes without the alert."""
    named = hashlib.blake2b((alert.customer_name or "").encode(), digest_size=8).hexdigest()
    return f'"{alert.revision}-{language}-{named}"'


def when(at: int) -> str | None:
    return instant(at) if at else None


def _evidence(one: Evidence, language: Language) -> AlertEvidence:
    return AlertEvidence(
        rule=RuleSpoken(id=one.rule, version=one.rule_version), name=said(one.name, language),
        text=said(one.text, language), occurred_at=instant(one.occurred_at), seen_at=instant(one.seen_at),
        ended_at=when(one.ended_at), goes_on=one.goes_on, event_id=one.event_id or None, customer_version=one.statement,
        severity=one.severity, value=one.value, values=one.values, origin=one.origin or None,
    )  # fmt: skip


def _outcome(outcome: Outcome | None) -> AlertOutcome | None:
    if outcome is None:
        return None
    amount = Amount(**format_money(Money(outcome.amount_minor, outcome.currency))) if outcome.currency else None
    return AlertOutcome(
        result=outcome.result, reason=outcome.reason, product=outcome.product, amount=amount, note=outcome.note
    )
