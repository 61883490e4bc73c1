"""Why, and why not: what each rule makes of a statement and what came of that, by the same judging that raises
alerts."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from schemas.changes import Fact, Moment, ProfileChange
from services.alerts.domain.alert import Alert
from services.alerts.domain.compiled import Rule, RuleSet
from services.alerts.domain.expressions import Expressions
from services.alerts.domain.guarding import blocked
from services.alerts.domain.judging import HOLDS, Judging, Values, Verdict
from services.alerts.domain.standing import Standing

Status = Literal[
    "holds", "not", "missing", "not_covered", "no_moment", "not_about", "disabled", "broken", "throttled", "paused",
    "cooling_down", "held_back",
]  # fmt: skip
ValueIs = Literal["known", "unknown", "not_asked"]
"""What is at stake is asked only of a rule that holds, and of a guard that must be taken to hold."""


class Part(NamedTuple):
    """`holds`: None where facts that it asks are `missing`."""

    condition: str
    holds: bool | None
    missing: tuple[str, ...]


class Remembered(NamedTuple):
    """The customer's standing and open alerts, and the rules that are out of order with the reason."""

    standing: Standing
    alerts: Sequence[Alert]
    throttled: frozenset[str]
    paused: frozenset[str]
    broken: Mapping[str, str]


class Explained(NamedTuple):
    """`holds`: whether the condition does; None where it cannot be known or there is no such moment. `by`: the guard
    that holds the alert back, or why the rule is broken. `value`: None where `value_is` is not known.
    `cooling_until`: event time in ms. `alert_id`: the alert that it has raised."""

    rule: Rule
    status: Status
    holds: bool | None
    parts: list[Part]
    missing: list[str]
    not_covered: list[str]
    values: dict[str, Fact]
    moment: Moment | None
    severity: int
    value: float | None
    value_is: ValueIs
    cooling_until: int
    by: str
    alert_id: str


def explain(change: ProfileChange, rules: RuleSet, expressions: Expressions, remembered: Remembered) -> list[Explained]:
    """Explains every rule, also those that are switched off."""
    judging = Judging(change, Values.of(change, rules.at_rest), rules.rules, expressions)
    verdicts = [(rule, _verdict(judging, rule, change)) for rule in rules.rules]
    running = [one for rule, one in verdicts if one and rule.declared.enabled and rule.id not in remembered.broken]
    held_back = blocked([one for one in running if change.kind in one.rule.declared.about])
    return [_explained(judging, change, rule, verdict, held_back, remembered) for rule, verdict in verdicts]


def _verdict(judging: Judging, rule: Rule, change: ProfileChange) -> Verdict | None:
    """For a rule on moments: on the newest moment on which it holds, else on the newest; None where there is none."""
    if not rule.declared.on:
        return judging.verdict(rule)
    judged = [(one.occurred_at, judging.verdict(rule, one)) for one in change.moments if one.kind == rule.declared.on]
    return max(judged, key=lambda one: (one[1].outcome == HOLDS, one[0]))[1] if judged else None


def _explained(
    judging: Judging, change: ProfileChange, rule: Rule, verdict: Verdict | None, held_back: Mapping[str, str],
    remembered: Remembered,
) -> Explained:  # fmt: skip
    moment = verdict.moment if verdict else None
    judged = verdict is not None and verdict.outcome != "broken"
    parts = [Part(*one) for one in judging.parts(rule, moment)] if judged else []
    missing = verdict.missing if verdict else ()
    uncovered = [name for name in missing if name in change.not_covered]
    firing = remembered.standing.firings.get(verdict.key) if verdict else None
    status, by = _status(change, rule, verdict, len(uncovered) == len(missing), held_back, remembered)
    return Explained(
        rule=rule, status=status, holds={"holds": True, "not": False}.get(verdict.outcome) if verdict else None,
        parts=parts, missing=[name for name in missing if name not in uncovered], not_covered=uncovered,
        values=judging.seen(rule, moment), moment=moment,
        severity=verdict.severity if verdict else 0, value=verdict.value if verdict else None,
        value_is=_value_is(verdict),
        cooling_until=remembered.standing.cooled.get(rule.id, 0), by=by, alert_id=firing.alert_id if firing else "",
    )  # fmt: skip


def _value_is(verdict: Verdict | None) -> ValueIs:
    if verdict is None or not verdict.is_weighed:
        return "not_asked"
    return "unknown" if verdict.value is None else "known"


def _status(
    change: ProfileChange, rule: Rule, verdict: Verdict | None, uncovered: bool, held_back: Mapping[str, str],
    remembered: Remembered,
) -> tuple[Status, str]:  # fmt: skip
    if rule.id in remembered.broken:
        return "broken", remembered.broken[rule.id]
    if not rule.declared.enabled:
        return "disabled", ""
    if change.kind not in rule.declared.about:
        return "not_about", ""
    if verdict is None:
        return "no_moment", ""
    if verdict.outcome == "broken":
        return "broken", verdict.why
    if verdict.outcome == "not":
        return "not", ""
    if verdict.outcome == "missing":
        return ("not_covered" if uncovered else "missing"), ""
    return _raised(change, rule, verdict, held_back, remembered)


def _raised(
    change: ProfileChange, rule: Rule, verdict: Verdict, held_back: Mapping[str, str], remembered: Remembered
) -> tuple[Status, str]:
    """For a rule that holds: the alert that it has raised, or what would come of it."""
    firing = remembered.standing.firings.get(verdict.key)
    alert = next((one for one in remembered.alerts if firing and one.alert_id == firing.alert_id), None)
    if alert is not None:
        return ("held_back", alert.waiting) if alert.waiting else ("holds", "")
    if firing is not None and firing.alert_id:
        return "holds", ""
    if rule.id in remembered.throttled:
        return "throttled", ""
    if rule.id in remembered.paused:
        return "paused", ""
    at = verdict.moment.occurred_at if verdict.moment else change.changed_at
    joins = any(one.situation == rule.declared.situation for one in remembered.alerts)
    if firing is not None or (at < remembered.standing.cooled.get(rule.id, 0) and not joins):
        return "cooling_down", ""
    by = held_back.get(rule.declared.kind, "")
    return ("held_back", by) if by else ("holds", "")
