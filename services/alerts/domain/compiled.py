"""Rules ready to run: parsed once, with all that follows from their texts alone."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from services.alerts.domain.expressions import NOTHING, BadExpression, Expression, Expressions, FactType
from services.alerts.domain.rules import RuleDeclared

FACT, FIELD = re.compile(r"\{([a-z_]\w*)\}"), re.compile(r"\{moment\.([a-z_]\w*)\}")


class Known(NamedTuple):
    """What a rule may ask: facts by name, and the fields of each kind of moment."""

    facts: Mapping[str, FactType]
    moments: Mapping[str, Mapping[str, FactType]]


class Rule(NamedTuple):
    """`parts` of its condition; one is enough where `any_of`. `facts`: those that its condition asks.
    `asked`: with severity and value, and what its texts and evidence show. `at_rest`: None, or whether it holds where
    all facts of its condition are what nothing told leaves them (no moment asked)."""

    declared: RuleDeclared
    parts: tuple[Expression, ...]
    any_of: bool
    severity: Expression
    value_at_stake: Expression
    facts: frozenset[str]
    asked: frozenset[str]
    fields: frozenset[str]
    at_rest: bool | None

    @property
    def id(self) -> str:
        return self.declared.id


class RuleSet(NamedTuple):
    """`version` tells one set from another: content decides. `asked`: every fact that any rule names."""

    version: str
    rules: tuple[Rule, ...]
    on_facts: tuple[Rule, ...]
    on_moments: Mapping[str, tuple[Rule, ...]]
    asked: frozenset[str]

    def rule(self, rule_id: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.id == rule_id), None)


def rule_set(version: str, rules: Sequence[Rule]) -> RuleSet:
    running = [rule for rule in rules if rule.declared.enabled]
    by_moment: dict[str, tuple[Rule, ...]] = {}
    for rule in running:
        if rule.declared.on:
            by_moment[rule.declared.on] = (*by_moment.get(rule.declared.on, ()), rule)
    on_facts = tuple(rule for rule in running if not rule.declared.on)
    asked = frozenset[str]().union(*(rule.asked for rule in running))
    return RuleSet(version, tuple(rules), on_facts, by_moment, asked)


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
    facts = frozenset[str]().union(*(part.facts for part in parts))
    shown = {name for text in texts(declared) for name in FACT.findall(text)}
    asked = facts | severity.facts | value.facts | shown | set(declared.evidence)
    fields = frozenset[str]().union(*(part.fields for part in (*parts, severity, value)))
    return Rule(declared, parts, any_of, severity, value, facts, asked, fields, None)


def _compiled(field: str, source: str, expressions: Expressions) -> Expression:
    try:
        return expressions.compile(source)
    except BadExpression as error:
        raise BadExpression(f"{field} {error}") from error


def texts(declared: RuleDeclared) -> Iterator[str]:
    for text in (declared.reason, declared.may_say, declared.must_not_say, declared.suggested):
        yield from (text.en, text.zh)


def at_rest(rule: Rule, known: Known, expressions: Expressions) -> Rule:
    """With `at_rest` worked out, for a rule that `check` has found no mistake in."""
    if rule.declared.on:
        return rule
    context = expressions.context({name: NOTHING[known.facts[name]] for name in rule.facts})
    held = [bool(part.evaluate(context)) for part in rule.parts]
    return rule._replace(at_rest=any(held) if rule.any_of else all(held))
