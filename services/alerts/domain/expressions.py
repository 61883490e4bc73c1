"""PORT: conditions as a bank writes them (CEL). The domain asks; what evaluates stands in `adapters/cel.py`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from schemas.asked import Limit
from schemas.changes import Fact

MOMENT = "moment"
"""The name under which the fields of a moment are asked."""


class BadExpression(ValueError):  # noqa: N818 - what was written, not what we did
    """It cannot be understood, or could cost too much; the message says where and what to write instead."""


class WrongTypes(Exception):  # noqa: N818 - see above
    """It met a value of another type than it was written for: the rule is broken, the customer is not judged."""


Sieve = Callable[[Mapping[str, Fact], Mapping[str, Fact]], Any]
"""Of the facts and the fields of the moment, all known that are asked: false where a condition is false for certain.
Much cheaper than evaluating it. Raises `TypeError`, `KeyError`, `ArithmeticError` where only that can say more."""


class Expression(Protocol):
    """`facts` are the flat names that it asks, `fields` those of the moment. `choices`: the texts of the results that
    it chooses from, its own where it chooses nothing. A fact of `limits` decides by its side of each of these alone."""

    @property
    def sieve(self) -> Sieve: ...
    @property
    def choices(self) -> tuple[str, ...]: ...
    @property
    def limits(self) -> Mapping[str, frozenset[Limit]]: ...
    @property
    def source(self) -> str: ...
    @property
    def facts(self) -> frozenset[str]: ...
    @property
    def fields(self) -> frozenset[str]: ...

    def evaluate(self, context: Any) -> Fact:
        """Raises `WrongTypes`."""


class Expressions(Protocol):
    def compile(self, source: str) -> Expression:
        """Raises `BadExpression`."""

    def sieve(self, sources: Sequence[str], any_of: bool) -> Sieve:
        """Of a condition in parts: all of them have to hold, or any one."""

    def context(self, facts: Mapping[str, Fact]) -> Any:
        """One for a whole evaluation, shared by all its expressions."""

    def show_moment(self, context: Any, fields: Mapping[str, Fact]) -> None:
        """Puts a moment before the expressions that follow."""
