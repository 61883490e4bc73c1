"""The rules and terms that evaluations work with now. Each is replaced as a whole, between two batches."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from services.alerts.domain.alert import Alert
from services.alerts.domain.bursts import Bursts
from services.alerts.domain.compiled import RuleSet
from services.alerts.domain.editions import Edition, redefined, silenced
from services.alerts.domain.guarding import hold_back_anew
from services.alerts.domain.learning import Learned, Tally, precision, throttled
from services.alerts.domain.rules import Desk
from services.alerts.domain.standing import Standing
from services.alerts.domain.terms import Terms

log = structlog.get_logger(__name__)


class Current:
    """`works`: whether a day (since 1970, in the desk's zone) is a working day."""

    def __init__(self, rules: RuleSet, desk: Desk, works: Callable[[int], bool]) -> None:
        self.rules = rules
        self.terms = Terms(desk, works, {}, frozenset(), labels=rules.labels, amounts=rules.amounts)
        self.stopped: dict[str, str] = {}
        self.bursts = Bursts()
        self._editions: Sequence[Edition] = ()

    def take(self, rules: RuleSet, desk: Desk) -> None:
        """Replaces the rules; a rule that was stopped may run again."""
        self.rules, self.stopped = rules, {}
        silent = silenced(self._editions, rules)
        self.terms = self.terms._replace(
            desk=desk, stopped=frozenset(), silent=silent, labels=rules.labels, amounts=rules.amounts
        )
        log.info("rules loaded", version=rules.version, rules=len(rules.rules))

    def written_down(self, newest: Sequence[Edition]) -> None:
        """Takes the newest edition of each rule, from which follows which rules are silent and why. A rule of the
        present set is never silent."""
        self._editions = newest
        self.terms = self.terms._replace(silent=silenced(newest, self.rules), changed=redefined(newest))

    def changed_at(self, rule_id: str) -> int:
        """When the rule became what it is now (ms); 0 where that is not known."""
        return next((one.at for one in self._editions if one.rule == rule_id), 0)

    def learn(self, learned: Sequence[Learned]) -> Mapping[str, Tally]:
        """Takes up precision and throttling; returns the throttled rules."""
        versions = {rule.id: rule.declared.version for rule in self.rules.rules}
        found = throttled(learned, versions, self.terms.desk)
        self.terms = self.terms._replace(precision=precision(learned), throttled=frozenset(found))
        return found

    def pause(self, rules: frozenset[str]) -> None:
        """Pauses these rules and no others."""
        for rule in sorted(rules - self.terms.paused):
            log.warning("rule paused: it spoke of an unusual number of customers at once", rule=rule)
        self.terms = self.terms._replace(paused=rules)

    def hold_back_anew(self, alerts: Iterable[Alert], standing: Standing, now: int, released: str = "") -> list[Alert]:
        """See `guarding.hold_back_anew`."""
        return hold_back_anew(alerts, standing, self.rules, self.terms.desk.open_budget, now, released)

    def stop_rule(self, rule_id: str, why: str) -> None:
        """Stops a rule that met a value of a wrong type, until its file changes."""
        if rule_id in self.stopped:
            return
        self.stopped[rule_id] = why
        self.terms = self.terms._replace(stopped=frozenset(self.stopped))
        left = [rule for rule in self.rules.rules if rule.id not in self.stopped]
        stopped = [rule for rule in self.rules.rules if rule.id in self.stopped]
        kept = self.rules.with_rules(self.rules.version, left)
        self.rules = kept._replace(rules=(*kept.rules, *stopped))
        log.error("rule stopped: it does not fit the values it meets", rule=rule_id, why=why)
