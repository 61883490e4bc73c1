"""What must be so for a condition to hold, read off its text: the simple comparisons that `&&` joins. Most statements
fail one of them, and need not be put before CEL at all; whether a condition holds, only CEL says."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from services.alerts.domain.expressions import MOMENT, Need

_NAME = rf"(?P<field>{MOMENT}\.)?(?P<name>[A-Za-z_]\w*)"
_STRING = r"'[^'\\]*'|\"[^\"\\]*\""
_COMPARED = re.compile(rf"{_NAME}\s*(?P<sign>>=|<=|>|<|==|!=)\s*(?P<value>-?\d+\.\d+|{_STRING}|true|false)")
_COMPARED_TO = re.compile(
    rf"{_NAME}\s*(?P<sign>>=|<=|>|<)\s*((?P<factor>\d+\.\d+)\s*\*\s*)?(?P<other>(?!(?:true|false)$)[A-Za-z_]\w*)"
)
_FLAG = re.compile(rf"(?P<sign>!?)\s*{_NAME}")
_ONE_OF = re.compile(rf"{_NAME}\s+in\s+\[\s*(?P<values>(?:{_STRING})(?:\s*,\s*(?:{_STRING}))*)\s*\]")


def _is_equal(value: Any, than: Any) -> bool:
    if value.__class__ is not than.__class__:
        raise TypeError
    return bool(value == than)


def _differs(value: Any, than: Any) -> bool:
    return not _is_equal(value, than)


def _is_in(value: Any, values: frozenset[Any]) -> bool:
    return value in values


_TESTS: Mapping[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "==": _is_equal, "!=": _differs,
}  # fmt: skip
_WORDS = {"true": True, "false": False}
_OPENS, _CLOSES = "([{", ")]}"


def needs(source: str) -> tuple[Need, ...]:
    """Empty where the text says nothing as plainly as that."""
    if "\\" in source:
        return ()
    return tuple(need for part in _joined(source) if (need := _need(part)) is not None)


def _joined(source: str) -> Iterator[str]:
    """The parts that must all hold; none where something else than `&&` joins them."""
    parts, depth, quote = [""], 0, ""
    for char in source:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        depth += 0 if quote else (char in _OPENS) - (char in _CLOSES)
        if not depth and not quote and char in "|?":
            return
        parts[-1] += char
        if not depth and not quote and parts[-1].endswith("&&"):
            parts[-1] = parts[-1].removesuffix("&&")
            parts.append("")
    for part in map(str.strip, parts):
        if part.startswith("(") and part.endswith(")") and _is_one_bracket(part):
            yield from _joined(part[1:-1])
        else:
            yield part


def _is_one_bracket(part: str) -> bool:
    depth = 0
    for at, char in enumerate(part):
        depth += (char in _OPENS) - (char in _CLOSES)
        if not depth:
            return at == len(part) - 1
    return False


def _need(part: str) -> Need | None:
    if found := _COMPARED.fullmatch(part):
        return Need(found["name"], bool(found["field"]), _TESTS[found["sign"]], _value(found["value"]))
    if found := _COMPARED_TO.fullmatch(part):
        factor = float(found["factor"] or 1.0)
        return Need(found["name"], bool(found["field"]), _TESTS[found["sign"]], factor, found["other"])
    if found := _ONE_OF.fullmatch(part):
        values = frozenset(map(_value, re.findall(_STRING, found["values"])))
        return Need(found["name"], bool(found["field"]), _is_in, values)
    if part not in _WORDS and (found := _FLAG.fullmatch(part)):
        return Need(found["name"], bool(found["field"]), _is_equal, not found["sign"])
    return None


def _value(text: str) -> Any:
    if text[0] in "'\"":
        return text[1:-1]
    return _WORDS[text] if text in _WORDS else float(text)
