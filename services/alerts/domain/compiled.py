"""Rules ready to run: parsed once, with all that follows from their texts alone."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from schemas.changes import AT_REST, Fact, FactType
from services.alerts.domain.expressions import BadExpression, Expression, Expressions, Sieve
from services.alerts.domain.rules import RuleDeclared, Text
from services.alerts.domain.wording import NAMED, NO_AMOUNTS, NO_LABELS, Amounts, Labels

FIELD = "moment."


class Known(NamedTuple):
    """What a rule may ask: facts by name, and the fields of each kind of moment. `amounts`: which of them are money."""

    facts: Mapping[str, FactType]
    moments: Mapping[str, Mapping[str, FactType]]
    amounts: Amounts = NO_AMOUNTS

    def at_rest(self) -> dict[str, Fact]:
        """What each fact is that a statement does not name."""
        return {name: AT_REST[kind] for name, kind in self.facts.items()}


class Rule(NamedTuple):
    """`parts`: of the condition; one is enough where `any_of`. `sieve`: the whole condition as a fast test. `judged`:
    the facts that condition, severity and value ask for; `asked`: those, and the ones that texts and evidence show."""

    declared: RuleDeclared
    parts: tuple[Expression, ...]
    any_of: bool
    sieve: Sieve
    severity: Expression
    value_at_stake: Expression
    judged: frozenset[str]
    asked: frozenset[str]
    fields: frozenset[str]

    @property
    def id(self) -> str:
        return self.declared.id


class RuleSet(NamedTuple):
    """`version`: a hash of the content. `on_facts`: by the kind of customer that the rules are about. `at_rest`: the
    value of each fact that a statement does not name. `labels` and `amounts`: how codes and money are told in texts."""

    version: str
    rules: tuple[Rule, ...]
    on_facts: Mapping[str, tuple[Rule, ...]]
    on_moments: Mapping[str, tuple[Rule, ...]]
    at_rest: Mapping[str, Fact]
    labels: Labels = NO_LABELS
    amounts: Amounts = NO_AMOUNTS

    def rule(self, rule_id: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def with_rules(self, version: str, rules: Sequence[Rule]) -> "RuleSet":
        """Other rules, told in the same words."""
        return rule_set(version, rules, self.at_rest, self.labels, self.amounts)


def rule_set(
    version: str, rules: Sequence[Rule], at_rest: Mapping[str, Fact], labels: Labels = NO_LABELS,
    amounts: Amounts = NO_AMOUNTS,
) -> RuleSet:  # fmt: skip
    by_kind: dict[str, tuple[Rule, ...]] = {}
    by_moment: dict[str, tuple[Rule, ...]] = {}
    for rule in rules:
        if not rule.declared.enabled:
            continue
        if rule.declared.on:
            by_moment[rule.declared.on] = (*by_moment.get(rule.declared.on, ()), rule)
            continue
        for kind in rule.declared.about:
            by_kind[kind] = (*by_kind.get(kind, ()), rule)
    return RuleSet(version, tuple(rules), by_kind, by_moment, at_rest, labels, amounts)


def compile_rule(declared: RuleDeclared, expressions: Expressions) -> Rule:
    """Raises `BadExpression` naming the field."""
    any_of = bool(declared.when_any)
    field = "when_any" if any_of else "when"
    parts = tuple(
        _compiled(f"{field}[{place}]", source, expressions)
        for place, source in enumerate(declared.when_any if any_of else declared.when)
    )
    severity = _compiled("severity", declared.severity, expressions)
    value = _compiled("value_at_stake", declared.value_at_stake, expressions)
    judged = frozenset[str]().union(*(one.facts for one in (*parts, severity, value)))
    shown = {one[1] for one in named_in(declared) if not one[1].startswith(FIELD)}
    fields = frozenset[str]().union(*(one.fields for one in (*parts, severity, value)))
    asked = judged | shown | set(declared.evidence)
    sieve = expressions.sieve([part.source for part in parts], any_of) if parts else _anything
    return Rule(declared, parts, any_of, sieve, severity, value, judged, asked, fields)


def _anything(facts: Mapping[str, Fact], fields: Mapping[str, Fact]) -> bool:
    """Of a rule without a condition, which `checking` refuses."""
    return True


def _compiled(field: str, source: str, expressions: Expressions) -> Expression:
    try:
        return expressions.compile(source)
    except BadExpression as error:
        raise BadExpression(f"{field} {error}") from error


def texts(declared: RuleDeclared) -> Iterator[tuple[str, Text]]:
    """Field and text of all that people read."""
    for field in ("reason", "may_say", "must_not_say", "suggested"):
        yield field, getattr(declared, field)


def named_in(declared: RuleDeclared) -> Iterator[re.Match[str]]:
    """See `NAMED`: what the texts show."""
    for _, text in texts(declared):
        yield from NAMED.finditer(text.en)
        yield from NAMED.finditer(text.zh)
