"""With what a condition compares a fact, read off its text. Of a fact that stands in anything but plain comparisons
nothing is said: every value of it may decide."""

import re
from collections.abc import Mapping

from schemas.asked import Limit
from services.alerts.adapters.cel_texts import without_texts

_NAME, _NUMBER = r"[A-Za-z_][\w.]*", r"\d+\.\d+"
_COMPARED = re.compile(
    rf"(?:^|(?<=[(&|?:,!]))\s*(?P<name>{_NAME})\s*(?:>=|<=|==|!=|>|<)\s*"
    rf"(?:(?P<than>-?{_NUMBER})|(?:(?P<base>{_NUMBER})\s*\+\s*)?(?:(?P<times>{_NUMBER})\s*\*\s*)?(?P<other>{_NAME}))"
    r"(?=\s*(?:$|[)&|?:,]))"
)


def limits(source: str) -> Mapping[str, frozenset[Limit]]:
    """By fact. What stands on the right side is asked as it is."""
    bare = without_texts(source)
    found: dict[str, set[Limit]] = {}
    wholly = set(re.findall(_NAME, _COMPARED.sub(" ", bare)))
    for one in _COMPARED.finditer(bare):
        other = one["other"] or ""
        times = float(one["times"] or 1.0) if other else 0.0
        found.setdefault(one["name"], set()).add(Limit(float(one["than"] or one["base"] or 0.0), times, other))
        if other:
            wholly.add(one["name"] if "." in other else other)  # of a moment's field the profile knows nothing
    return {name: frozenset(told) for name, told in found.items() if name not in wholly}
