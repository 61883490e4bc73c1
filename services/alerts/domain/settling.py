"""Turns the verdicts on a statement into changes of alerts: opened, joined, raised, withdrawn. Alerts and standing are
changed in place: they belong to the caller, who holds the customer's lock."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from schemas.changes import ProfileChange
from schemas.instants import DAY_MS
from schemas.moments import window_days
from services.alerts.domain.alert import SYSTEM, Alert, Evidence, step
from services.alerts.domain.evidence import evidence_of
from services.alerts.domain.guarding import guards, hold_back
from services.alerts.domain.judging import HOLDS, MISSING, Verdict
from services.alerts.domain.retracting import take_back
from services.alerts.domain.standing import Firing, Standing
from services.alerts.domain.terms import Terms
from services.alerts.domain.unjudged import Unjudged, unjudged
from services.alerts.domain.weighing import is_worth_more, weigh
from services.alerts.domain.wording import what_changed

FLICKER_MS = 2 * DAY_MS
"""A rule that holds again after so short a gap counts as having held throughout: events may have been late."""


class Settled(NamedTuple):
    """`changed`: alerts with a new step or new evidence. `absences`: rules of absence that have begun to hold.
    `broken`: rules that met a value of a wrong type, and why."""

    changed: list[Alert]
    fired: int
    suppressed: int
    unknown: Unjudged
    absences: list[str]
    broken: Mapping[str, str]


def settle(
    change: ProfileChange, standing: Standing, alerts: Sequence[Alert], verdicts: Sequence[Verdict], terms: Terms
) -> Settled:
    """`alerts`: the open ones of the customer. `standing` is brought up to this statement."""
    settling = Settling(change, standing, alerts, terms)
    standing.version, standing.as_of, standing.kind = change.version, change.changed_at, change.kind
    standing.owner, standing.tier = str(change.facts.get("owner", "")), str(change.facts.get("tier", ""))
    standing.acting = str(change.facts.get("acting_owner", ""))
    standing.guards = {one.rule.id: one.outcome for one in verdicts if guards(one)}
    standing.unknown = {one.rule.id: one.missing for one in verdicts if one.outcome == MISSING}
    holding = {one.key: one for one in verdicts if one.outcome == HOLDS}
    broken = {one.rule.id: one.why for one in verdicts if one.outcome == "broken"}
    settling.end(holding, standing.unknown.keys() | broken.keys() | terms.stopped)
    for key, verdict in holding.items():
        if verdict.rule.declared.situation is not None:
            settling.hold(key, verdict)
    settling.hold_back(verdicts)
    return Settled(list(settling.changed.values()), settling.fired, settling.suppressed,
                   unjudged(verdicts, change.not_covered), settling.absences, broken)  # fmt: skip


class Settling:
    def __init__(self, change: ProfileChange, standing: Standing, alerts: Sequence[Alert], terms: Terms) -> None:
        self._change, self._standing, self._terms = change, standing, terms
        self._open = {one.situation: one for one in alerts if one.is_open}
        self.changed: dict[str, Alert] = {}
        self.absences, self.fired, self.suppressed = list[str](), 0, 0

    def end(self, holding: Mapping[str, Verdict], unknown: Iterable[str]) -> None:
        """Takes back what holds no longer, unless it cannot be judged now or its window is over."""
        unjudged = set(unknown)
        for key, firing in list(self._standing.firings.items()):
            if key in holding and not (firing.lapsed and firing.window_until <= self._change.changed_at):
                firing.lapsed = False
                self._move(key, firing, holding[key].rule.declared.situation)
                continue
            if firing.is_beyond(self._change):
                continue
            if firing.rule in unjudged or self._stays_said(key, firing):
                firing.lapsed = firing.rule not in unjudged
                continue
            del self._standing.firings[key]
            if firing.window_until and firing.window_until <= self._change.changed_at:
                continue
            alert = self._alert_of(key, firing)
            if alert is not None:
                self._take_back(alert, key, firing, self._why(alert, key, firing.rule))

    def _move(self, key: str, firing: Firing, situation: str | None) -> None:
        """A rule that was changed to speak of another situation takes back what it said, and says it there."""
        alert = self._alert_of(key, firing)
        if alert is not None and alert.situation != situation:
            del self._standing.firings[key]
            self._take_back(alert, key, firing, f"{firing.rule} speaks of another situation now")

    def _alert_of(self, key: str, firing: Firing) -> Alert | None:
        """The open one. After a merge it may be the other's, where the one that the firing names has ended."""
        named = (one for one in self._open.values() if one.alert_id == firing.alert_id)
        others = (one for one in self._open.values() if one.current_on(key) is not None)
        return next(chain(named, others), None)

    def _stays_said(self, key: str, firing: Firing) -> bool:
        """A firing on facts stays for its window: what happened has happened. A moment that is gone was reversed."""
        return key.endswith("|") and self._change.changed_at < firing.window_until

    def _take_back(self, alert: Alert, key: str, firing: Firing, why: str) -> None:
        self._standing.restore_cooldown(firing)
        self.changed[alert.alert_id] = alert
        take_back(alert, key, why, self._terms, self._change.changed_at)
        if not alert.is_open:
            del self._open[alert.situation]

    def _why(self, alert: Alert, key: str, rule: str) -> str:
        said = alert.current_on(key)
        by, seen = (self._terms.changed_since(rule, said.seen_at), said.values) if said else ("", {})
        changed = what_changed(seen, self._change.facts, self._terms.amounts)
        return self._terms.silent.get(rule) or f"{rule} no longer holds{by}{changed}"

    def _say(self, alert: Alert, action: str, note: str) -> None:
        step(alert, self._change.changed_at, SYSTEM, action, alert.state, note)

    def hold(self, key: str, verdict: Verdict) -> None:
        known = self._standing.firings.get(key)
        if known is None or (not known.alert_id and self._may_speak_by_now(verdict)):
            self._fire(key, verdict)
            return
        alert = self._alert_of(key, known)
        if alert is not None and (said := alert.current_on(key)) is not None:
            self._grow(alert, said, verdict)

    def _may_speak_by_now(self, verdict: Verdict) -> bool:
        """Whether what began to hold while its rule was silent is to be said. A moment of then stays unsaid: it is over
        by now, and what holds is not."""
        return verdict.moment is None and not self._is_silent(verdict, self._change.changed_at)

    def _is_silent(self, verdict: Verdict, at: int) -> bool:
        declared = verdict.rule.declared
        rests = declared.situation not in self._open and at < self._standing.cooled.get(declared.id, 0)
        return rests or declared.id in self._terms.throttled

    def _fire(self, key: str, verdict: Verdict) -> None:
        declared, moment = verdict.rule.declared, verdict.moment
        if declared.id in self._terms.paused:
            self.suppressed += 1
            return
        at = moment.occurred_at if moment else self._change.changed_at
        days = window_days(moment.kind) if moment else declared.stays_said_days
        firing = self._standing.firings[key] = Firing(declared.id, at + days * DAY_MS if days else 0)
        alert = self._open.get(declared.situation or "")
        if self._is_silent(verdict, at):
            self.suppressed += 1
            return
        said = next((one for one in reversed(alert.evidence) if one.key == key), None) if alert else None
        if alert is None:
            alert = self._opened(verdict)
        elif said is not None and not said.ended_at:
            firing.alert_id = alert.alert_id
            return  # known from before a merge or a split
        self._rest(firing, alert, at, declared.cooldown_days)
        if said is not None and at < said.occurred_at + declared.cooldown_days * DAY_MS:
            self._once_more(alert, said, verdict, at)
            return
        self._join(alert, evidence_of(key, verdict, self._change, at, self._terms), "evidence_added")
        self.fired += 1
        if declared.depends_on:
            self.absences.append(declared.id)

    def _rest(self, firing: Firing, alert: Alert, at: int, days: int) -> None:
        firing.alert_id, firing.former_cooldown = alert.alert_id, self._standing.cooled.get(firing.rule, 0)
        self._standing.rest(firing.rule, at + days * DAY_MS)

    def _opened(self, verdict: Verdict) -> Alert:
        change, declared = self._change, verdict.rule.declared
        situation = declared.situation or ""
        alert = Alert(
            alert_id=self._standing.id_to_open(change.customer_id, situation), customer_id=change.customer_id,
            situation=situation, kind=declared.kind, opened_at=change.changed_at, title=declared.name,
            tier=self._standing.tier, branch=str(change.facts.get("branch", "")),
        )  # fmt: skip
        step(alert, change.changed_at, SYSTEM, "open", "new", declared.id)
        self._open[situation] = alert
        return alert

    def _once_more(self, alert: Alert, said: Evidence, verdict: Verdict, at: int) -> None:
        """The rule holds again within its cooldown. After a short gap it has held all the time."""
        if self._change.changed_at > said.ended_at + FLICKER_MS:
            self._go_on(alert, said, verdict, at, "evidence_again")
            return
        said.ended_at = 0
        self.changed[alert.alert_id] = alert
        weigh(alert, self._terms)
        self._say(alert, "evidence_again", said.rule)
        self._grow(alert, said, verdict)

    def _grow(self, alert: Alert, said: Evidence, verdict: Verdict) -> None:
        if verdict.severity > said.severity or is_worth_more(verdict.value, said.value):
            said.ended_at = self._change.changed_at
            graver = verdict._replace(severity=max(verdict.severity, said.severity))
            self._go_on(alert, said, graver, said.occurred_at, "evidence_added")

    def _go_on(self, alert: Alert, said: Evidence, verdict: Verdict, at: int, action: str) -> None:
        """The rule holds more gravely, or once more: new evidence stands beside the first, which stays readable."""
        evidence = evidence_of(said.key, verdict, self._change, at, self._terms)
        evidence.goes_on, evidence.origin = True, said.origin
        self._join(alert, evidence, action)

    def _join(self, alert: Alert, evidence: Evidence, action: str) -> None:
        self.changed[alert.alert_id] = alert
        is_first, before = not alert.evidence, alert.severity
        alert.evidence = [*alert.evidence, evidence]
        weigh(alert, self._terms)
        if not is_first:
            self._say(alert, action, evidence.rule)
        if not is_first and alert.severity > before:
            self._say(alert, "raise", f"{evidence.rule}: severity {alert.severity}")

    def hold_back(self, verdicts: Sequence[Verdict]) -> None:
        changed = hold_back(self._open.values(), verdicts, self._terms.desk.open_budget, self._change.changed_at)
        self.changed |= {one.alert_id: one for one in changed}
