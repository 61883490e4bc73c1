"""Conditions in CEL (https://cel.dev, by the Rust crate `cel`). Evaluation holds the interpreter lock and knows no
budget, so what could cost much is refused when a rule is read."""

import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

import cel

from schemas.asked import Limit
from schemas.changes import Fact
from services.alerts.adapters.cel_choices import choices
from services.alerts.adapters.cel_limits import limits
from services.alerts.adapters.cel_sieve import sieve
from services.alerts.adapters.cel_slips import slip_in
from services.alerts.adapters.cel_texts import without_texts
from services.alerts.domain.expressions import MOMENT, BadExpression, Expression, Sieve, WrongTypes

MAX_LENGTH = 2_000
MAX_LIST = 100
MAX_DEPTH = 32
MAX_OPERATORS = 150
_MACRO = re.compile(r"\.\s*(all|exists|exists_one|map|filter)\s*\(")
_FIELD = re.compile(rf"\b{MOMENT}\.([A-Za-z_]\w*)")
_GIVEN = frozenset({bool, float, str})
_FUNCTIONS = frozenset({"size", "contains", "startsWith", "endsWith", "double", "string", "has", "in"})
_CALL = re.compile(r"(?<![\w])([A-Za-z_]\w*)\s*\(")
_OPERATOR = re.compile(r"&&|\|\||[<>=!]=|[-+*/%<>!?]")
_BY_NOTHING = re.compile(r"/\s*0+(?:\.0*)?(?![\w.])")
_BARE_INTEGER = re.compile(r"(?<![\w.])\d+(?![\w.])")


class CelExpression(NamedTuple):
    """See `Expression`."""

    source: str
    facts: frozenset[str]
    fields: frozenset[str]
    sieve: Sieve
    choices: tuple[str, ...]
    limits: Mapping[str, frozenset[Limit]]
    program: Any

    def evaluate(self, context: Any) -> Fact:
        try:
            value: Fact = self.program.execute(context)  # or of another type: see below
        except LookupError as error:
            raise WrongTypes(f"there is no {error} to take") from error
        except (TypeError, RuntimeError, ValueError) as error:
            raise WrongTypes(str(error).split(". ")[0]) from error
        if isinstance(value, float) and not isfinite(value):
            raise WrongTypes("gives no finite number: write `x > 0.0 ? y / x : 0.0` where x may be zero")
        if value.__class__ in _GIVEN:
            return value
        raise WrongTypes(f"gives {type(value).__name__}; a truth value, a double or a text is expected")


class Cel:
    """See `Expressions`."""

    def compile(self, source: str) -> Expression:
        refuse_costly(source)
        try:
            program = cel.compile(source)
        except ValueError as error:
            raise BadExpression(_first_line(error)) from error
        fields = frozenset(_FIELD.findall(without_texts(source)))
        facts = frozenset(program.references()["variables"]) - {MOMENT}
        return CelExpression(source, facts, fields, sieve([source]), choices(source), limits(source), program)

    def sieve(self, sources: Sequence[str], any_of: bool) -> Sieve:
        return sieve(sources, any_of)

    def context(self, facts: Mapping[str, Fact]) -> Any:
        return cel.Context(variables=dict(facts))

    def show_moment(self, context: Any, fields: Mapping[str, Fact]) -> None:
        context.add_variable(MOMENT, dict(fields))


def refuse_costly(source: str) -> None:
    """Raises `BadExpression` for what could take long, multiplies whole numbers with doubles, or is no CEL at all."""
    if len(source) > MAX_LENGTH:
        raise BadExpression(f"is {len(source)} characters long; at most {MAX_LENGTH} are taken")
    bare = without_texts(source)
    if slip := slip_in(bare):
        raise BadExpression(slip)
    if _depth(bare) > MAX_DEPTH:
        raise BadExpression(f"is nested more than {MAX_DEPTH} deep")
    if (operators := len(_OPERATOR.findall(bare))) > MAX_OPERATORS:
        raise BadExpression(f"has {operators} operators; at most {MAX_OPERATORS} are taken: ask for a fact instead")
    if _MACRO.search(bare):
        raise BadExpression(
            "loops (all, exists, exists_one, map, filter) are not taken: facts are flat, use `on: MOMENT`"
        )
    unknown = sorted(set(_CALL.findall(bare)) - _FUNCTIONS)
    if unknown:
        raise BadExpression(f"calls {unknown[0]}; known are {', '.join(sorted(_FUNCTIONS))}")
    if any(part.count(",") >= MAX_LIST for part in re.findall(r"\[([^\]]*)\]", bare)):
        raise BadExpression(f"has a list of more than {MAX_LIST} values: use a reference table")
    if _BY_NOTHING.search(bare):
        raise BadExpression("divides by 0: write what it is a share of")
    whole = _BARE_INTEGER.search(bare)
    if whole is not None:
        raise BadExpression(f"has the whole number {whole[0]}: numbers are doubles, write {whole[0]}.0")


def _depth(source: str) -> int:
    depth = most = 0
    for char in source:
        depth += (char in "([{") - (char in ")]}")
        most = max(most, depth)
    return most


def _first_line(error: Exception) -> str:
    return str(error).partition("ERROR: ")[2].splitlines()[0] if "ERROR: " in str(error) else str(error).splitlines()[0]
