"""A condition read a second time, into a plain function: most statements fail most conditions, and need not be put
before CEL at all for that. Whether a condition holds, only CEL says; so what is not read here is left to it."""

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from schemas.changes import Fact
from services.alerts.domain.expressions import MOMENT, Sieve

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.\d+(?![\w.]))|(?P<text>'[^'\\\n]*'|\"[^\"\\\n]*\")|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<sign>&&|\|\||[<>=!]=|[-+*/<>!?:()\[\],.]))"
)
_WORDS: Mapping[str, Fact] = {"true": True, "false": False}
_FACTS, _FIELDS, _EQUAL = "facts", "fields", "is_equal"


class _Unread(Exception):  # noqa: N818 - no mistake: CEL knows more than is read here
    pass


class _Term(NamedTuple):
    """`is_truth`: nothing but true or false can come of it."""

    tree: ast.expr
    is_truth: bool = False


def sieve(sources: Sequence[str], any_of: bool = False) -> Sieve:
    """Of all the sources, or of any one of them. What is not read here lets everything pass."""
    trees = [_read(source) for source in sources]
    return _function(trees[0] if len(trees) == 1 else ast.BoolOp(ast.Or() if any_of else ast.And(), trees))


def _read(source: str) -> ast.expr:
    try:
        return _Reader(source).whole()
    except _Unread:
        return ast.Constant(True)


def _function(tree: ast.expr) -> Sieve:
    taken = ast.arguments([], [ast.arg(_FACTS), ast.arg(_FIELDS)], None, [], [], None, [])
    whole = ast.fix_missing_locations(ast.Expression(ast.Lambda(taken, tree)))
    made: Sieve = eval(compile(whole, "<condition>", "eval"), {_EQUAL: _is_equal})  # noqa: S307 - of a tree made here
    return made


def _is_equal(value: Any, than: Any) -> bool:
    if value.__class__ is not than.__class__:
        raise TypeError
    return bool(value == than)


_ORDERS: Mapping[str, ast.cmpop] = {">=": ast.GtE(), "<=": ast.LtE(), ">": ast.Gt(), "<": ast.Lt()}
_SUMS: Mapping[str, ast.operator] = {"+": ast.Add(), "-": ast.Sub()}
_PRODUCTS: Mapping[str, ast.operator] = {"*": ast.Mult(), "/": ast.Div()}


def _equal(left: ast.expr, right: ast.expr) -> ast.expr:
    return ast.Call(_name(_EQUAL), [left, right], [])


def _truth(term: _Term) -> ast.expr:
    """CEL takes nothing else for true or false."""
    return term.tree if term.is_truth else _equal(term.tree, ast.Constant(True))


def _not(tree: ast.expr) -> _Term:
    return _Term(ast.UnaryOp(ast.Not(), tree), is_truth=True)


def _taken_from(mapping: str, key: str) -> _Term:
    return _Term(ast.Subscript(_name(mapping), ast.Constant(key), ast.Load()))


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


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

    def whole(self) -> ast.expr:
        found = self._choice().tree
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
        return _Term(ast.IfExp(asked, held.tree, failed.tree), held.is_truth and failed.is_truth)

    def _either(self) -> _Term:
        first = self._both()
        if not self._takes("||"):
            return first
        return _Term(ast.BoolOp(ast.Or(), [_truth(first), _truth(self._either())]), is_truth=True)

    def _both(self) -> _Term:
        first = self._relation()
        if not self._takes("&&"):
            return first
        return _Term(ast.BoolOp(ast.And(), [_truth(first), _truth(self._both())]), is_truth=True)

    def _relation(self) -> _Term:
        left = self._sum()
        if self._takes("in"):
            return _Term(ast.Compare(left.tree, [ast.In()], [self._listed()]), is_truth=True)
        if sign := self._takes(*_ORDERS):
            return _Term(ast.Compare(left.tree, [_ORDERS[sign]], [self._sum().tree]), is_truth=True)
        if self._takes("=="):
            return _Term(_equal(left.tree, self._sum().tree), is_truth=True)
        return _not(_equal(left.tree, self._sum().tree)) if self._takes("!=") else left

    def _listed(self) -> ast.expr:
        """Texts alone: a number may equal what CEL tells from it."""
        self._expect("[")
        found = {self._text()}
        while self._takes(","):
            found.add(self._text())
        self._expect("]")
        return ast.Set([ast.Constant(one) for one in sorted(found)])

    def _text(self) -> str:
        kind, text = self._take()
        if kind != "text":
            raise _Unread
        return text[1:-1]

    def _sum(self) -> _Term:
        left = self._product()
        while sign := self._takes(*_SUMS):
            left = _Term(ast.BinOp(left.tree, _SUMS[sign], self._product().tree))
        return left

    def _product(self) -> _Term:
        left = self._single()
        while sign := self._takes(*_PRODUCTS):
            left = _Term(ast.BinOp(left.tree, _PRODUCTS[sign], self._single().tree))
        return left

    def _single(self) -> _Term:
        if self._takes("!"):
            return _not(_truth(self._single()))
        if self._takes("-"):
            return _Term(ast.UnaryOp(ast.USub(), self._single().tree))
        if self._takes("("):
            inner = self._choice()
            self._expect(")")
            return inner
        kind, text = self._take()
        if kind == "word" and text not in _WORDS:
            return self._named(text)
        value = _value(kind, text)
        return _Term(ast.Constant(value), value.__class__ is bool)

    def _named(self, name: str) -> _Term:
        if name != MOMENT:
            found = _taken_from(_FACTS, name)
        else:
            self._expect(".")
            kind, field = self._take()
            if kind != "word":
                raise _Unread
            found = _taken_from(_FIELDS, field)
        if self._takes("(", ".", "["):
            raise _Unread
        return found
