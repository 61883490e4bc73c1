"""Words and weight of an alert follow the evidence that stands now, not what once stood."""

from services.alerts.domain.alert import UNANSWERED, Alert, Evidence
from services.alerts.domain.terms import Terms, answer_by, grade
from services.alerts.domain.wording import joined_reason


def weigh(alert: Alert, terms: Terms) -> None:
    """Changes the alert. The most severe evidence gives title and words; retention outranks upsell in one situation.
    Without standing evidence the words stay, since whoever works it must know what it was about. A time to answer that
    somebody was given is shortened, never put off."""
    standing = alert.standing() or alert.evidence
    gravest = min(standing, key=_gravest_first)
    alert.title, alert.kind, alert.role = gravest.name, gravest.kind, gravest.role
    alert.suggested, alert.may_say, alert.must_not_say = gravest.suggested, gravest.may_say, gravest.must_not_say
    alert.reason = joined_reason(standing)
    alert.severity, alert.value = max(one.severity for one in standing), max(one.value for one in standing)
    alert.grade = grade(alert.severity, alert.tier)
    precision = max(terms.precision_of(one.rule, alert.branch) for one in standing)
    alert.rank = max(alert.value, 1.0) * alert.severity * precision
    alert.expires_at = max(one.expires_at for one in standing)
    alert.respond_within_hours = min(one.respond_within_hours for one in standing)
    if alert.state in UNANSWERED:
        due = answer_by(alert.routed_at, alert.respond_within_hours, alert.tier, terms)
        alert.due_at = min(alert.due_at, due)


def _gravest_first(one: Evidence) -> tuple[bool, int, int, str]:
    return one.kind == "upsell", -one.severity, one.seen_at, one.key
