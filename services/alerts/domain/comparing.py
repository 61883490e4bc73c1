"""Comparisons that can never hold, or always do: CEL takes a number and a text for different, and says nothing."""

import re
from collections.abc import Iterator, Mapping

from schemas.changes import FactType

_NAME = r"(?<![\w.])((?:moment\.)?[A-Za-z_]\w*)"
_VALUE = r"""('[^'\\]*'|"[^"\\]*"|-?\d+\.\d+(?:[eE][-+]?\d+)?|\b(?:true|false|null)\b)"""
_EQUAL = re.compile(rf"{_NAME}\s*[!=]=\s*{_VALUE}|{_VALUE}\s*[!=]=\s*{_NAME}(?![\w.(])")
_AMONG = re.compile(rf"{_NAME}\s+in\s*\[([^\]]*)\]")
_KINDS: Mapping[FactType, str] = {"string": "a text", "number": "a number", "boolean": "true or false"}
TIERS = ("gold", "profit", "general")
_BANDS = ("", "below", "near", "above")
WORDS: Mapping[str, tuple[str, ...]] = {
    "tier": ("", *TIERS),
    "kind": ("anonymous", "person", "company", "household", "group"),
    "assets_band": _BANDS,
    "assets_former_band": _BANDS,
    "assets_direction": ("rising", "falling", "steady", "unknown"),
}
"""Facts that are one of a few words."""


def never_equal(source: str, types: Mapping[str, FactType]) -> str:
    """The first such comparison in words, "" where there is none. `types`: of facts, and of fields as `moment.NAME`."""
    known = ((name, value) for name, value in _compared(source) if name in types)
    return next(filter(None, (_wrong(types[name], name, value, "+" in source) for name, value in known)), "")


def _compared(source: str) -> Iterator[tuple[str, str]]:
    for one in _EQUAL.finditer(source):
        yield one[1] or one[4], one[2] or one[3]
    for one in _AMONG.finditer(source):
        yield from ((one[1], value[0]) for value in re.finditer(_VALUE, one[2]))


def _wrong(kind: FactType, name: str, value: str, joined: bool) -> str:
    """`joined`: a text may be longer than the word."""
    if _kind_of(value) != kind:
        return f"{name} is {_KINDS[kind]} and never equals {value}"
    words = WORDS.get(name)
    if words is not None and not joined and value[1:-1] not in words:
        return f"{name} is never {value}; it is one of {', '.join(filter(None, words))}"
    return ""


def _kind_of(value: str) -> FactType | None:
    if value[0] in "'\"":
        return "string"
    if value in ("true", "false"):
        return "boolean"
    return None if value == "null" else "number"
