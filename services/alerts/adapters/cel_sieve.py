"""A condition read a second time, into plain functions: most statements fail most conditions, and need not be put
before CEL at all for that. Whether a condition holds, only CEL says; so what is not read here is left to it."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from schemas.changes import Fact
from services.alerts.domain.expressions import MOMENT, Sieve

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.\d+(?![\w.]))|(?P<text>'[^'\\\n]*'|\"[^\"\\\n]*\")|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<sign>&&|\|\||[<>=!]=|[-+*/<>!?:()\[\],.]))"
)
_WORDS: Mapping[str, Fact] = {"true": True, "false": False}


class _Unread(Exception):  # noqa: N818 - no mistake: CEL knows more than is read here
    pass


class _Term(NamedTuple):
    """`fact`: its name, where the term is one and no more. `constant`: its value, where it is one."""

    run: Sieve
    is_truth: bool = False
    fact: str = ""
    constant: Fact | None = None


def sieve(source: str) -> Sieve:
    """Lets everything pass where the source is not read here."""
    try:
        return _Reader(source).whole()
    except _Unread:
        return lambda facts, fields: True


def _is_equal(value: Any, than: Any) -> bool:
    if value.__class__ is not than.__class__:
        raise TypeError
    return bool(value == than)


def _differs(value: Any, than: Any) -> bool:
    return not _is_equal(value, than)


_RELATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "==": _is_equal, "!=": _differs,
}  # fmt: skip
_SUMS, _PRODUCTS = {"+": operator.add, "-": operator.sub}, {"*": operator.mul, "/": operator.truediv}


def _applied(act: Callable[[Any, Any], Any], left: _Term, right: _Term) -> Sieve:
    """The commonest are spared the calls of their sides."""
    one, other, name, than = left.run, right.run, left.fact, right.constant
    if than is None:
        return lambda facts, fields: act(one(facts, fields), other(facts, fields))
    if name:
        return lambda facts, fields: act(facts[name], than)
    return lambda facts, fields: act(one(facts, fields), than)


def _truth(term: _Term) -> Sieve:
    """CEL takes nothing else for true or false."""
    if term.is_truth:
        return term.run
    return _applied(_is_equal, term, _constant(True))


def _constant(value: Fact) -> _Term:
    return _Term(lambda facts, fields: value, value.__class__ is bool, constant=value)


def _value(kind: str, text: str) -> Fact:
    if kind == "text":
        return text[1:-1]
    if kind == "number":
        return float(text)
    if text in _WORDS:
        return _WORDS[text]
    raise _Unread


class _Reader:
    """By descent, a method for each level of CEL's precedence."""

    def __init__(self, source: str) -> None:
        self._left, at, end = list[tuple[str, str]](), 0, len(source.rstrip())
        while at < end:
            found = _TOKEN.match(source, at)
            if found is None or found.lastgroup is None:
                raise _Unread
            self._left.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()
        self._left.reverse()

    def whole(self) -> Sieve:
        found = self._choice().run
        if self._left:
            raise _Unread
        return found

    def _take(self) -> tuple[str, str]:
        if not self._left:
            raise _Unread
        return self._left.pop()

    def _takes(self, *signs: str) -> str:
        """The sign that comes next, taken, where it is one of these."""
        return self._left.pop()[1] if self._left and self._left[-1][1] in signs else ""

    def _expect(self, sign: str) -> None:
        if not self._takes(sign):
            raise _Unread

    def _choice(self) -> _Term:
        first = self._either()
        if not self._takes("?"):
            return first
        asked, held = _truth(first), self._choice()
        self._expect(":")
        failed = self._choice()
        yes, no = held.run, failed.run
        return _Term(
            lambda facts, fields: yes(facts, fields) if asked(facts, fields) else no(facts, fields),
            held.is_truth and failed.is_truth,
        )

    def _either(self) -> _Term:
        first = self._both()
        if not self._takes("||"):
            return first
        left, right = _truth(first), _truth(self._either())
        return _Term(lambda facts, fields: left(facts, fields) or right(facts, fields), is_truth=True)

    def _both(self) -> _Term:
        first = self._relation()
        if not self._takes("&&"):
            return first
        left, right = _truth(first), _truth(self._both())
        return _Term(lambda facts, fields: left(facts, fields) and right(facts, fields), is_truth=True)

    def _relation(self) -> _Term:
        left = self._sum()
        if self._takes("in"):
            values, run = self._listed(), left.run
            return _Term(lambda facts, fields: run(facts, fields) in values, is_truth=True)
        sign = self._takes(*_RELATIONS)
        return _Term(_applied(_RELATIONS[sign], left, self._sum()), is_truth=True) if sign else left

    def _listed(self) -> frozenset[Fact]:
        """Texts alone: a number may equal what CEL tells from it."""
        self._expect("[")
        found = {self._text()}
        while self._takes(","):
            found.add(self._text())
        self._expect("]")
        return frozenset(found)

    def _text(self) -> Fact:
        kind, text = self._take()
        if kind != "text":
            raise _Unread
        return _value(kind, text)

    def _sum(self) -> _Term:
        left = self._product()
        while sign := self._takes(*_SUMS):
            left = _Term(_applied(_SUMS[sign], left, self._product()))
        return left

    def _product(self) -> _Term:
        left = self._single()
        while sign := self._takes(*_PRODUCTS):
            left = _Term(_applied(_PRODUCTS[sign], left, self._single()))
        return left

    def _single(self) -> _Term:
        if self._takes("!"):
            denied = _truth(self._single())
            return _Term(lambda facts, fields: not denied(facts, fields), is_truth=True)
        if self._takes("-"):
            negated = self._single().run
            return _Term(lambda facts, fields: -negated(facts, fields))
        if self._takes("("):
            inner = self._choice()
            self._expect(")")
            return inner
        kind, text = self._take()
        return self._named(text) if kind == "word" and text not in _WORDS else _constant(_value(kind, text))

    def _named(self, name: str) -> _Term:
        if name != MOMENT:
            found = _Term(lambda facts, fields: facts[name], fact=name)
        else:
            self._expect(".")
            kind, field = self._take()
            if kind != "word":
                raise _Unread
            found = _Term(lambda facts, fields: fields[field])
        if self._takes("(", ".", "["):
            raise _Unread
        return found
