"""Why rules could not be judged, to be counted. What is wrong with a rule itself is told of the rule instead."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Literal

from services.alerts.domain.judging import MISSING, Verdict
from services.alerts.domain.rules import Kind

Lack = Literal["missing", "not_covered"]
Unjudged = Counter[tuple[Kind, Lack]]


def unjudged(verdicts: Iterable[Verdict], not_covered: Collection[str]) -> Unjudged:
    """How many rules of each kind, each once. What is missing comes in time; with a fact that no registered source
    covers, a rule stays unjudged whatever comes."""
    lacking = {one.rule.id: one for one in verdicts if one.outcome == MISSING}.values()
    return Counter(
        (one.rule.declared.kind, "missing" if frozenset(one.missing).isdisjoint(not_covered) else "not_covered")
        for one in lacking
    )
