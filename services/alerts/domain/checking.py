"""What is wrong with a rule, told with the place and, where there is one, the nearest name that exists."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from schemas.changes import Fact
from services.alerts.domain.compiled import FIELD, Known, Rule, texts
from services.alerts.domain.expressions import Expressions, FactType, WrongTypes
from services.alerts.domain.rules import MAX_COOLDOWN_DAYS, RuleDeclared

_ID = re.compile(r"[A-Z][A-Z0-9_-]{0,31}")
_SAMPLES: Mapping[FactType, tuple[Fact, ...]] = {
    "number": (0.0, 1.0, 40.0, -5.0, 1e6),
    "boolean": (False, True),
    "string": ("", "gold", "home_loan"),
}


class Mistake(NamedTuple):
    """`field` of the rule; `message` says what to write instead."""

    rule: str
    field: str
    message: str


def check(rules: Sequence[Rule], known: Known, expressions: Expressions) -> list[Mistake]:
    """Every mistake of every rule, so that one reading mends them all."""
    found: list[Mistake] = []
    seen = set[str]()
    for rule in rules:
        if rule.id in seen:
            found.append(Mistake(rule.id, "id", "another rule has this id"))
        seen.add(rule.id)
        found += [Mistake(rule.id, field, message) for field, message in _wrong(rule, known, expressions)]
    return found


def _wrong(rule: Rule, known: Known, expressions: Expressions) -> Iterator[tuple[str, str]]:
    yield from _wrong_form(rule.declared)
    named = list(_unknown(rule, known))
    yield from named
    if not named:
        yield from _wrong_types(rule, known, expressions)


def _wrong_form(declared: RuleDeclared) -> Iterator[tuple[str, str]]:
    if not _ID.fullmatch(declared.id):
        yield "id", "capitals, digits, - and _ are expected, such as R4"
    if declared.version < 1:
        yield "version", "1 or more is expected"
    if bool(declared.when) == bool(declared.when_any):
        yield "when", "either `when` (all must hold) or `when_any` (one is enough) is expected"
    if declared.situation is None and declared.kind != "guard":
        yield "situation", "only a guard may go without: an alert needs one"
    if (declared.blocks or declared.wording) and declared.kind != "guard":
        yield "blocks", "only a guard holds others back"
    if not 0 <= declared.cooldown_days <= MAX_COOLDOWN_DAYS:
        yield "cooldown_days", f"0 to {MAX_COOLDOWN_DAYS} days are expected"
    for field in ("respond_within_hours", "expires_after_days"):
        if getattr(declared, field) < 1:
            yield field, "1 or more is expected"


def _unknown(rule: Rule, known: Known) -> Iterator[tuple[str, str]]:
    declared = rule.declared
    for name in sorted(rule.asked - known.facts.keys()):
        yield _where(rule, name), f"no fact is called {name}{_nearest(name, known.facts)}"
    if declared.on and declared.on not in known.moments:
        yield "on", f"no moment is called {declared.on}{_nearest(declared.on, known.moments)}"
        return
    fields = known.moments.get(declared.on, {})
    shown = {name for text in texts(declared) for name in FIELD.findall(text)}
    for name in sorted((rule.fields | shown) - fields.keys()):
        said = f"a moment {declared.on} has no field {name}{_nearest(name, fields)}" if declared.on else "needs `on`"
        yield "when", said


def _where(rule: Rule, name: str) -> str:
    for place, part in enumerate(rule.parts):
        if name in part.facts:
            return f"{'when_any' if rule.any_of else 'when'}[{place}]"
    if name in rule.declared.evidence:
        return "evidence"
    return next((field for field in ("severity", "value_at_stake") if name in getattr(rule, field).facts), "reason")


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


def _wrong_types(rule: Rule, known: Known, expressions: Expressions) -> Iterator[tuple[str, str]]:
    """Runs every expression by itself on samples of each type: `&&` would hide the mistakes of its right side."""
    fields = known.moments.get(rule.declared.on, {})
    named = [(f"{'when_any' if rule.any_of else 'when'}[{n}]", part, bool) for n, part in enumerate(rule.parts)]
    for where, expression, expected in [
        *named, ("severity", rule.severity, float), ("value_at_stake", rule.value_at_stake, float),
    ]:  # fmt: skip
        for turn in range(5):
            context = expressions.context(_sample(sorted(expression.facts), known.facts, turn))
            expressions.show_moment(context, _sample(sorted(expression.fields), fields, turn))
            try:
                given = expression.evaluate(context)
            except WrongTypes as error:
                yield where, f"{expression.source!r}: {error}"
                break
            if type(given) is not expected:
                yield (
                    where,
                    f"gives {type(given).__name__}; {'a condition' if expected is bool else 'a double'} is expected",
                )
                break


def _sample(names: Sequence[str], types: Mapping[str, FactType], turn: int) -> dict[str, Fact]:
    return {name: (kinds := _SAMPLES[types[name]])[(turn + place) % len(kinds)] for place, name in enumerate(names)}
