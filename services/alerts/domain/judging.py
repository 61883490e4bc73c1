"""The verdict of every rule on one statement: it holds, it does not, or it cannot be known. The hot path of alerts: one
CEL context for all rules, with only the facts that they name."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from types import MappingProxyType
from typing import Literal, NamedTuple

from schemas.changes import Fact, Moment, ProfileChange
from services.alerts.domain.compiled import Rule, RuleSet
from services.alerts.domain.expressions import Expression, Expressions, WrongTypes
from services.alerts.domain.rules import LEAST_SEVERE

Outcome = Literal["holds", "not", "missing", "broken"]
HOLDS: Outcome = "holds"
MISSING: Outcome = "missing"
NOTHING_SEEN: Mapping[str, Fact] = MappingProxyType({})
MOST_TRIED = 3
"""Unknown truth values of one part: each doubles the tries."""


class Verdict(NamedTuple):
    """`moment`: the one that the rule was judged on. `missing`: facts that are unknown or not covered, so that it could
    not be judged (a guard then holds). `why`: what broke it. `value` at stake in the home currency's major unit,
    None where it cannot be known. `seen`: the values that condition and texts name, of a rule that holds."""

    rule: Rule
    outcome: Outcome
    moment: Moment | None = None
    severity: int = LEAST_SEVERE
    value: float | None = None
    missing: tuple[str, ...] = ()
    why: str = ""
    seen: Mapping[str, Fact] = NOTHING_SEEN

    @property
    def is_weighed(self) -> bool:
        """Whether `severity`, `value` and `seen` say anything."""
        return _is_weighed(self.rule, self.outcome)

    @property
    def key(self) -> str:
        """A rule on moments holds once for each moment; one on facts, once for as long as they hold."""
        return f"{self.rule.id}|{self.moment.moment_id if self.moment else ''}"


def _is_weighed(rule: Rule, outcome: Outcome) -> bool:
    """A guard holds as long as it cannot be known that it does not."""
    return outcome == HOLDS or (outcome == MISSING and rule.declared.kind == "guard")


def judge(change: ProfileChange, rules: RuleSet, expressions: Expressions) -> list[Verdict]:
    """Every verdict but "not"."""
    values = Values.of(change, rules.at_rest)
    concerned: list[tuple[Rule, Moment | None]] = [
        (rule, None) for rule in sifted(rules.on_facts.get(change.kind, ()), values, NOTHING_SEEN)
    ]
    for moment in change.moments:
        concerned += [
            (rule, moment) for rule in sifted(rules.on_moments.get(moment.kind, ()), values, moment.values)
            if change.kind in rule.declared.about
        ]  # fmt: skip
    if not concerned:
        return []
    judging = Judging(change, values, [rule for rule, _ in concerned], expressions)
    verdicts = [judging.verdict(rule, moment) for rule, moment in concerned]
    return [verdict for verdict in verdicts if verdict.outcome != "not"]


class Values(NamedTuple):
    """The facts of a statement, those at rest included. The value of an `unknown` one means nothing."""

    facts: Mapping[str, Fact]
    unknown: frozenset[str]

    @classmethod
    def of(cls, change: ProfileChange, at_rest: Mapping[str, Fact]) -> "Values":
        return cls({**at_rest, **change.facts}, frozenset((*change.missing, *change.not_covered)))


def sifted(rules: Iterable[Rule], values: Values, moment: Mapping[str, Fact]) -> list[Rule]:
    """The rules that may hold: leaves out those that certainly do not, which are most, for a small part of the cost of
    CEL."""
    facts, unknown = values
    left = []
    for rule in rules:
        try:
            if (unknown and not rule.judged.isdisjoint(unknown)) or (rule.fields and not rule.fields <= moment.keys()):
                may_hold = _may_in_part(rule, values, moment)
            else:
                may_hold = rule.sieve(facts, moment)
        except (TypeError, KeyError, ArithmeticError):  # CEL says what is wrong with it
            may_hold = True
        if may_hold:
            left.append(rule)
    return left


def _may_in_part(rule: Rule, values: Values, moment: Mapping[str, Fact]) -> bool:
    """A part that asks for something unknown may hold; another part may still decide."""
    for part in rule.parts:
        if _may_hold(part, values, moment) is rule.any_of:
            return rule.any_of
    return not rule.any_of


def _may_hold(part: Expression, values: Values, moment: Mapping[str, Fact]) -> bool:
    """False where it fails whatever the unknown may be: `unknown && false` does. Only truth values are tried both
    ways."""
    facts, unknown = values
    absent = sorted(part.facts & unknown)
    if len(absent) > MOST_TRIED or not part.fields <= moment.keys():
        return True
    if not all(isinstance(facts.get(name), bool) for name in absent):
        return True
    for tried in product((False, True), repeat=len(absent)):
        try:
            if part.sieve({**facts, **dict(zip(absent, tried, strict=True))} if absent else facts, moment):
                return True
        except (TypeError, KeyError, ArithmeticError):  # CEL says what is wrong with it
            return True
    return False


class Judging:
    """Judges rules on one statement. Their facts are put into one context, once: that costs more than judging."""

    def __init__(self, change: ProfileChange, values: Values, rules: Iterable[Rule], expressions: Expressions) -> None:
        self._change, self._values, self._expressions = change, values, expressions
        self._context = expressions.context(self._facts(set[str]().union(*[rule.judged for rule in rules])))

    def _facts(self, names: Iterable[str]) -> dict[str, Fact]:
        facts, unknown = self._values
        return {name: facts[name] for name in names if name not in unknown}

    def verdict(self, rule: Rule, moment: Moment | None = None) -> Verdict:
        if moment is not None:
            self._expressions.show_moment(self._context, moment.values)
        try:
            outcome, missing = self._outcome(rule, moment)
            if _is_weighed(rule, outcome):
                severity, value = self._severity(rule, moment), self._value(rule, moment)
                return Verdict(rule, outcome, moment, severity, value, missing, seen=self.seen(rule, moment))
        except WrongTypes as error:
            return Verdict(rule, "broken", moment, why=str(error))
        return Verdict(rule, outcome, moment, missing=missing)

    def _outcome(self, rule: Rule, moment: Moment | None) -> tuple[Outcome, tuple[str, ...]]:
        unknown: list[str] = []
        for part in self._covered(rule):
            held, absent = self._held(part, moment)
            if held is None:
                unknown += absent
            elif held is rule.any_of:
                # one that holds is enough for the one kind, one that fails for the other
                return self._if_heard(rule) if rule.any_of else ("not", ())
        if unknown:
            return MISSING, tuple(sorted(set(unknown)))
        return ("not", ()) if rule.any_of else self._if_heard(rule)

    def _if_heard(self, rule: Rule) -> tuple[Outcome, tuple[str, ...]]:
        """What is absent may be on its way as long as a channel that would tell of it is not heard."""
        unheard = [f"channel {one}" for one in rule.declared.depends_on if one in self._change.unheard]
        return (MISSING, tuple(sorted(unheard))) if unheard else (HOLDS, ())

    def _covered(self, rule: Rule) -> Iterable[Expression]:
        """The parts to be judged: of a guard, without those that no registered source could tell of (`explain` shows
        them)."""
        if not rule.any_of:
            return rule.parts
        return [part for part in rule.parts if part.facts.isdisjoint(self._change.not_covered)]

    def _held(self, part: Expression, moment: Moment | None) -> tuple[bool | None, list[str]]:
        """None with what is absent, where that decides."""
        absent = self._absent(part, moment)
        if not absent:
            return bool(part.evaluate(self._context)), []
        may_hold = _may_hold(part, self._values, NOTHING_SEEN if moment is None else moment.values)
        return (None, absent) if may_hold else (False, [])

    def _absent(self, asked: Expression, moment: Moment | None) -> list[str]:
        unknown = self._values.unknown
        absent = [name for name in asked.facts if name in unknown] if unknown else []
        if moment is not None:
            absent += [f"moment.{name}" for name in asked.fields if name not in moment.values]
        return absent

    def _severity(self, rule: Rule, moment: Moment | None) -> int:
        """The least severity, if the expression asks for something unknown."""
        return max(LEAST_SEVERE, int(self._number(rule.severity, moment) or LEAST_SEVERE))

    def _value(self, rule: Rule, moment: Moment | None) -> float | None:
        value = self._number(rule.value_at_stake, moment)
        return value if value is None else round(value, 2)

    def _number(self, expression: Expression, moment: Moment | None) -> float | None:
        """None, if the expression asks for something unknown."""
        if self._absent(expression, moment):
            return None
        return float(expression.evaluate(self._context))

    def parts(self, rule: Rule, moment: Moment | None = None) -> Iterator[tuple[str, bool | None, tuple[str, ...]]]:
        """Each part with whether it holds (None: cannot be known) and what is missing. Raises `WrongTypes`."""
        if moment is not None:
            self._expressions.show_moment(self._context, moment.values)
        for part in rule.parts:
            held, absent = self._held(part, moment)
            yield part.source, held, tuple(sorted(absent))

    def seen(self, rule: Rule, moment: Moment | None) -> dict[str, Fact]:
        """The values kept as evidence: the facts that decide, then those that are only shown, and the moment's own."""
        deciding = frozenset[str]().union(*(part.facts for part in rule.parts))
        values = self._facts((*sorted(deciding), *sorted(rule.asked - deciding)))
        if moment is not None:
            values |= {f"moment.{name}": value for name, value in sorted(moment.values.items())}
        return values
