"""What an alert keeps of a rule that holds: the rule as it was, all that it saw, and its texts with that filled in: it
can be read a year later, whatever became of rule and customer."""

from schemas.changes import ProfileChange
from schemas.instants import DAY_MS
from services.alerts.domain.alert import Evidence
from services.alerts.domain.judging import Verdict
from services.alerts.domain.rules import Text
from services.alerts.domain.terms import Terms
from services.alerts.domain.wording import facts_named, filled


def evidence_of(key: str, verdict: Verdict, change: ProfileChange, at: int, terms: Terms) -> Evidence:
    declared, seen = verdict.rule.declared, verdict.seen

    def told(text: Text) -> Text:
        return filled(text, seen, terms.labels, terms.amounts)

    return Evidence(
        key=key, rule=declared.id, rule_version=declared.version, name=declared.name, kind=declared.kind,
        occurred_at=at, seen_at=change.changed_at, statement=change.version,
        event_id=verdict.moment.event_id if verdict.moment else "", severity=verdict.severity, value=verdict.value,
        values=dict(seen), text=told(declared.reason), suggested=told(declared.suggested),
        may_say=told(declared.may_say), must_not_say=told(declared.must_not_say),
        role=declared.owner_role, respond_within_hours=declared.respond_within_hours,
        expires_at=change.changed_at + declared.expires_after_days * DAY_MS,
        told=facts_named(declared.reason, seen),
    )  # fmt: skip
