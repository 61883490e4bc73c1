"""Texts with what was seen filled in. Only facts and a moment's fields have names: a template is no program. A clause
in brackets is left out where all that it names is nothing, or less than the least of a `{name>=least}`;
`{name|one|many}` says the first of two where the name is 1 or true."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import starmap
from types import MappingProxyType
from typing import NamedTuple

from schemas import alerts as wire
from schemas.changes import Fact
from schemas.money import EXPONENTS
from services.alerts.domain.alert import Evidence
from services.alerts.domain.rules import Language, Text

NAMED = re.compile(r"\{((?:moment\.)?[a-z_]\w*)(?:\|([^{}|]*)\|([^{}|]*)|>=(\d+(?:\.\d+)?))?\}")
"""A name, and the two ways to go on, or the least that its clause is told for, where there are some."""
_CLAUSE = re.compile(r"\[([^\[\]]*\{[^\[\]]*)\]")  # brackets that name nothing stand as they are
_BETWEEN_CLAUSES = " ,;\uff0c\uff1b\u3001"
_UNKNOWN = "?"
MOST_TOLD = 3
_CHINESE_STOP = "\u3002"


Labels = Mapping[str, Text]
"""How codes are called: code → label."""
NO_LABELS: Labels = MappingProxyType({})


class Amounts(NamedTuple):
    """`names`: the facts and fields that are money in the bank's own `currency`; without one it is not told."""

    names: frozenset[str] = frozenset()
    currency: str = ""


NO_AMOUNTS = Amounts()
_YES, _NO = Text(en="yes", zh="是"), Text(en="no", zh="否")


def said(text: Text | wire.Text, language: Language) -> str:
    return text.zh if language == "zh" else text.en


def filled(text: Text, values: Mapping[str, Fact], labels: Labels = NO_LABELS, amounts: Amounts = NO_AMOUNTS) -> Text:
    def told(found: re.Match[str]) -> Text:
        value, one, many = values.get(found[1]), found[2], found[3]
        if one is None:
            return _told(found[1], value, labels, amounts)
        chosen = one if value == 1 else many
        return Text(en=chosen, zh=chosen)

    english, chinese = _with_clauses(text.en, values), _with_clauses(text.zh, values)
    return Text(
        en=NAMED.sub(lambda found: told(found).en, english), zh=NAMED.sub(lambda found: told(found).zh, chinese)
    )


def _with_clauses(text: str, values: Mapping[str, Fact]) -> str:
    if not _CLAUSE.search(text):
        return text

    def clause(found: re.Match[str]) -> str:
        named = [(values.get(one[1]), one[4]) for one in NAMED.finditer(found[1])]
        return found[1] if any(value for value, _ in named) and all(starmap(_is_enough, named)) else ""

    told = _CLAUSE.sub(clause, text).strip(_BETWEEN_CLAUSES)
    return told[:1].upper() + told[1:]


def _is_enough(value: Fact | None, least: str | None) -> bool:
    return least is None or (isinstance(value, float) and value >= float(least))


def _told(name: str, value: Fact | None, labels: Labels, amounts: Amounts) -> Text:
    if isinstance(value, bool):
        return _YES if value else _NO
    if isinstance(value, float) and name in amounts.names and amounts.currency:
        return _amount(_number(value, EXPONENTS[amounts.currency]), _called(amounts.currency, labels))
    return _called(shown(value), labels)


def _called(code: str, labels: Labels) -> Text:
    return labels.get(code) or Text(en=code, zh=code)


def _amount(written: str, currency: Text) -> Text:
    """With the currency where each language has it."""
    return Text(en=f"{currency.en} {written}", zh=f"{written} {currency.zh}")


def shown(value: Fact | None) -> str:
    """A number with at most two decimals and thousands apart."""
    if value is None:
        return _UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _number(value, 2)
    return value


def _number(value: float, decimals: int) -> str:
    return f"{value:,.{0 if value == int(value) else decimals}f}"


def in_english(name: str, value: Fact | None, amounts: Amounts) -> str:
    return _told(name, value, NO_LABELS, amounts).en


def facts_named(text: Text, values: Mapping[str, Fact]) -> tuple[str, ...]:
    """The facts that are told once the text is filled in, each once."""
    named = dict.fromkeys(found[1] for found in NAMED.finditer(_with_clauses(text.en, values)))
    return tuple(name for name in named if name in values and not name.startswith("moment."))


def joined_reason(evidence: Iterable[Evidence], clock: Callable[[int], str]) -> Text:
    """Every reason that stands, a sentence each, the gravest first. Of what a rule says several times the greatest is
    told, and how many there are beside it. Each keeps the figures that it saw: where another one has seen them
    otherwise since, it says as of when they are, by `clock` (ms → date and time)."""
    of_rules: dict[str, list[Evidence]] = {}
    for one in sorted(evidence, key=lambda one: (-one.severity, one.seen_at, one.key)):
        of_rules.setdefault(one.rule, []).append(one)
    greatest = {rule: max(told, key=lambda one: (one.severity, one.value or 0.0)) for rule, told in of_rules.items()}
    sentences = [
        _sentence(one, of_rules[rule], clock(one.seen_at) if _is_outdated(one, greatest.values()) else "")
        for rule, one in greatest.items()
    ]
    english, chinese = dict.fromkeys(one.en for one in sentences), dict.fromkeys(one.zh for one in sentences)
    return Text(en=". ".join(english), zh=_CHINESE_STOP.join(chinese))


def _is_outdated(one: Evidence, told: Iterable[Evidence]) -> bool:
    """Whether a later one tells another value of a fact."""
    return any(
        other.seen_at > one.seen_at and other.values.get(name) != one.values.get(name)
        for other in told for name in one.told if name in other.told
    )  # fmt: skip


def _sentence(one: Evidence, told: Sequence[Evidence], as_of: str) -> Text:
    others = len({piece.text for piece in told}) - 1
    english, chinese = one.text.en, one.text.zh
    if as_of:
        english, chinese = f"{english} (as of {as_of})", f"{chinese}\uff08截至 {as_of}\uff09"
    if others:
        english, chinese = f"{english} (and {others} more like it)", f"{chinese}\uff08另有 {others} 次\uff09"
    return Text(en=english, zh=chinese)


def what_changed(then: Mapping[str, Fact], now: Mapping[str, Fact], amounts: Amounts = NO_AMOUNTS) -> str:
    """The facts that were seen then and are others now, in the order in which they were kept: those that decide come
    first. "" where only a moment was seen, and it is gone."""
    changed = [
        f"{name} was {in_english(name, value, amounts)}, is {in_english(name, now.get(name, type(value)()), amounts)}"
        for name, value in then.items()
        if not name.startswith("moment.") and now.get(name, type(value)()) != value
    ]
    return f": {', '.join(changed[:MOST_TOLD])}" if changed else ""
