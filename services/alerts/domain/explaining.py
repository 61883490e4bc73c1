"""Why, and why not: what each rule makes of a statement and what came of that, by the same judging that raises
alerts."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from schemas.changes import Fact, Moment, ProfileChange
from services.alerts.domain.alert import Alert
from services.alerts.domain.compiled import Rule, RuleSet
from services.alerts.domain.expressions import Expressions
from services.alerts.domain.guarding import blocked
from services.alerts.domain.judging import HOLDS, MISSING, Judging, Values, Verdict
from services.alerts.domain.standing import Standing

Status = Literal[
    "holds", "not", "missing", "not_covered", "no_moment", "not_about", "disabled", "broken", "throttled", "paused",
    "cooling_down", "held_back", "already_said", "passed_over", "stays_said",
]  # fmt: skip
"""`already_said`: its alert is over, and it has held ever since; `passed_over`: of a moment at which the rule was
silent; `stays_said`: it holds no longer, and what held once is still a reason of an open alert."""
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
    explaining = _Explaining(change, judging, held_back, remembered)
    return [explaining.explained(rule, verdict) for rule, verdict in verdicts]


def _verdict(judging: Judging, rule: Rule, change: ProfileChange) -> Verdict | None:
    """For a rule on moments: on the newest moment on which it holds, else on the newest; None where there is none."""
    if not rule.declared.on:
        return judging.verdict(rule)
    judged = [(one.occurred_at, judging.verdict(rule, one)) for one in change.moments if one.kind == rule.declared.on]
    return max(judged, key=lambda one: (one[1].outcome == HOLDS, one[0]))[1] if judged else None


class _Explaining(NamedTuple):
    """`held_back`: kind of alert → the guard that holds it back."""

    change: ProfileChange
    judging: Judging
    held_back: Mapping[str, str]
    remembered: Remembered

    def explained(self, rule: Rule, verdict: Verdict | None) -> Explained:
        moment, standing = verdict.moment if verdict else None, self.remembered.standing
        judged = verdict is not None and verdict.outcome != "broken"
        missing = verdict.missing if verdict else ()
        uncovered = [name for name in missing if name in self.change.not_covered]
        firing = standing.firings.get(verdict.key) if verdict else None
        status, by = self._status(rule, verdict, len(uncovered) == len(missing))
        return Explained(
            rule=rule, status=status, holds={"holds": True, "not": False}.get(verdict.outcome) if verdict else None,
            parts=[Part(*one) for one in self.judging.parts(rule, moment)] if judged else [],
            missing=[name for name in missing if name not in uncovered], not_covered=uncovered,
            values=self.judging.seen(rule, moment), moment=moment,
            severity=verdict.severity if verdict else 0, value=verdict.value if verdict else None,
            value_is=_value_is(verdict), cooling_until=standing.cooled.get(rule.id, 0), by=by,
            alert_id=firing.alert_id if firing else "",
        )  # fmt: skip

    def _status(self, rule: Rule, verdict: Verdict | None, uncovered: bool) -> tuple[Status, str]:
        if rule.id in self.remembered.broken:
            return "broken", self.remembered.broken[rule.id]
        if not rule.declared.enabled:
            return "disabled", ""
        if self.change.kind not in rule.declared.about:
            return "not_about", ""
        if verdict is None:
            return "no_moment", ""
        if verdict.outcome == "broken":
            return "broken", verdict.why
        if verdict.outcome == "not":
            return ("stays_said" if self._stays_said(verdict) else "not"), ""
        if verdict.outcome == MISSING:
            return ("not_covered" if uncovered else "missing"), ""
        return self._raised(rule, verdict)

    def _stays_said(self, verdict: Verdict) -> bool:
        firing = self.remembered.standing.firings.get(verdict.key)
        return firing is not None and bool(firing.alert_id) and firing.window_until > self.change.changed_at

    def _raised(self, rule: Rule, verdict: Verdict) -> tuple[Status, str]:
        """For a rule that holds: the alert that it has raised, or what would come of it."""
        standing, alerts, throttled, paused, _ = self.remembered
        firing = standing.firings.get(verdict.key)
        alert = next((one for one in alerts if firing and one.alert_id == firing.alert_id), None)
        if alert is not None:
            return ("held_back", alert.waiting) if alert.waiting else ("holds", "")
        if firing is not None and firing.alert_id:
            return "already_said", ""
        if rule.id in throttled:
            return "throttled", ""
        if rule.id in paused:
            return "paused", ""
        at = verdict.moment.occurred_at if verdict.moment else self.change.changed_at
        is_passed_over = firing is not None and verdict.moment is not None
        joins = any(one.situation == rule.declared.situation for one in alerts) and not is_passed_over
        if at < standing.cooled.get(rule.id, 0) and not joins:
            return "cooling_down", ""
        if is_passed_over:
            return "passed_over", ""
        by = self.held_back.get(rule.declared.kind, "")
        return ("held_back", by) if by else ("holds", "")


def _value_is(verdict: Verdict | None) -> ValueIs:
    if verdict is None or not verdict.is_weighed:
        return "not_asked"
    return "unknown" if verdict.value is None else "known"
