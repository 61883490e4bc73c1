"""Words and weight of an alert follow the evidence that stands now, not what once stood, within what a guard allows."""

from collections.abc import Iterable

from services.alerts.domain.alert import UNANSWERED, Alert, Evidence
from services.alerts.domain.rules import Text
from services.alerts.domain.terms import Terms, answer_by, grade
from services.alerts.domain.wording import joined_reason

USUAL_ANSWER_H = 16
"""Working hours: a rule that gives so long to answer is as urgent as its severity alone says."""
WORTH_MORE = 2.0
"""What is at stake changes with every booking: it is told anew once it has doubled."""


def weigh(alert: Alert, terms: Terms) -> None:
    """Changes the alert. The most severe evidence gives title and words; retention outranks upsell in one situation.
    Without standing evidence the words stay, since whoever works it must know what it was about. A time to answer that
    somebody was given is shortened, never put off."""
    evidence, gravest = _weighed(alert), _gravest(alert)
    alert.title, alert.kind, alert.role = gravest.name, gravest.kind, gravest.role
    word(alert)
    alert.reason = joined_reason(evidence, terms.clock)
    alert.severity, alert.value = max(one.severity for one in evidence), _value(evidence)
    alert.grade = grade(alert.severity, alert.tier)
    precision = max(terms.precision_of(one.rule, alert.branch) for one in evidence)
    worth = max(terms.worth(one.value, alert.tier) for one in evidence)
    alert.expires_at = expiry(alert)
    alert.respond_within_hours = min(one.respond_within_hours for one in evidence)
    urgency = alert.severity * USUAL_ANSWER_H / alert.respond_within_hours
    alert.rank = round(max(worth, 1.0) * urgency * precision, 2)
    if alert.state in UNANSWERED:
        due = answer_by(alert.routed_at, alert.respond_within_hours, alert.tier, terms)
        alert.due_at = min(alert.due_at, due)


def expiry(alert: Alert) -> int:
    """When it expires unless somebody takes it up (ms). Whoever was given it has as long as from its opening."""
    evidence = _weighed(alert)
    last = max(one.expires_at for one in evidence)
    if not alert.is_given:
        return last
    return max(last, alert.routed_at + max(one.expires_at - one.seen_at for one in evidence))


def is_worth_more(now: float | None, told: float | None) -> bool:
    """Whether so much more is at stake than was told that the alert should say so, and rank by it."""
    return now is not None and (told is None or now >= max(WORTH_MORE * told, 1.0))


def word(alert: Alert) -> None:
    """Changes the alert. Where a guard words it or holds it back, a sale says what the guard says in place of its own
    words; any other alert, and a courtesy, must not say what the guard forbids, either. A guard
    that only forbids leaves a sale its words, too."""
    own, guard = _gravest(alert), alert.guard_says
    only_forbids = not (guard.suggested.en or guard.may_say.en)
    if alert.kind == "upsell" and alert.situation != "courtesy" and not only_forbids:
        alert.suggested = guard.suggested if guard.suggested.en else own.suggested
        alert.may_say = guard.may_say if guard.may_say.en else own.may_say
        alert.must_not_say = guard.must_not_say if guard.must_not_say.en else own.must_not_say
    else:
        alert.suggested, alert.may_say = own.suggested, own.may_say
        alert.must_not_say = _both(guard.must_not_say, own.must_not_say)


def _both(first: Text, then: Text) -> Text:
    return Text(en=f"{first.en} {then.en}".strip(), zh=f"{first.zh}{then.zh}")


def _value(evidence: Iterable[Evidence]) -> float | None:
    """The greatest that is known, for each speaks of the same money; nothing is a value only if none is unknown."""
    values = [one.value for one in evidence]
    most = max((value for value in values if value is not None), default=0.0)
    return None if most <= 0.0 and None in values else most


def _weighed(alert: Alert) -> list[Evidence]:
    """All that there ever was, where none of it stands."""
    return alert.current_evidence() or alert.evidence


def _gravest(alert: Alert) -> Evidence:
    return min(_weighed(alert), key=_gravest_first)


def _gravest_first(one: Evidence) -> tuple[bool, int, int, str]:
    return one.kind == "upsell", -one.severity, one.seen_at, one.key
