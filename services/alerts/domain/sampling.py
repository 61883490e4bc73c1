"""Runs an expression on samples of what it asks for: a mistake that would stop a rule amid the day is told before."""

from collections.abc import Mapping, Sequence

from schemas.changes import Fact, FactType
from services.alerts.domain.expressions import Expression, Expressions, WrongTypes

_SAMPLES: Mapping[FactType, tuple[Fact, ...]] = {
    "number": (0.0, 1.0, 40.0, -5.0, 1e6),
    "boolean": (False, True),
    "string": ("", "gold", "home_loan"),
}
_ALIKE = (0.0, 1.0)
_TURNS = 5 + len(_ALIKE)
_DIVIDES = "divides by what may be 0.0: write `x > 0.0 ? y / x : 0.0`, or `x > 0.0 && y / x > 2.0` as one condition"


def wrong_type(
    expression: Expression,
    expected: type,
    facts: Mapping[str, FactType],
    fields: Mapping[str, FactType],
    expressions: Expressions,
) -> str:
    if not (expression.facts <= facts.keys() and expression.fields <= fields.keys()):
        return ""  # told already
    for turn in range(_TURNS):
        context = expressions.context(_sample(sorted(expression.facts), facts, turn))
        expressions.show_moment(context, _sample(sorted(expression.fields), fields, turn))
        try:
            given = expression.evaluate(context)
        except WrongTypes as error:
            divides = turn >= _TURNS - len(_ALIKE) and "/" in expression.source
            return f"{expression.source!r}: {_DIVIDES if divides else error}"
        if type(given) is not expected:
            return f"gives {type(given).__name__}; {'a condition' if expected is bool else 'a double'} is expected"
    return ""


def _sample(names: Sequence[str], types: Mapping[str, FactType], turn: int) -> dict[str, Fact]:
    """In the last turns all numbers are the same: what is divided by their difference, or by nothing, is found."""
    alike = turn - (_TURNS - len(_ALIKE))
    return {
        name: _ALIKE[alike] if alike >= 0 and types[name] == "number" else kinds[(turn + place) % len(kinds)]
        for place, name in enumerate(names)
        for kinds in [_SAMPLES[types[name]]]
    }
