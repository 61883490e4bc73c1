"""What outcomes teach of a rule: how often it was right, and when it is wrong too often to go on."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from services.alerts.domain.rules import Desk
from services.alerts.domain.terms import NEW_RULE_PRECISION

PRIOR_OUTCOMES = 5
"""How many outcomes the precision of a new rule is worth: one early "not relevant" does not silence it."""


class Learned(NamedTuple):
    """Outcomes of a rule: how many alerts that it spoke in were closed, and how many of them as not relevant."""

    rule: str
    closed: int
    not_relevant: int


def precision(learned: Iterable[Learned]) -> Mapping[str, float]:
    """Rule → share of its closed alerts that were relevant, 0 to 1, with the prior in it."""
    return {
        one.rule: (one.closed - one.not_relevant + NEW_RULE_PRECISION * PRIOR_OUTCOMES) / (one.closed + PRIOR_OUTCOMES)
        for one in learned
    }


def throttled(learned: Iterable[Learned], desk: Desk) -> frozenset[str]:
    return frozenset(
        one.rule
        for one in learned
        if one.closed >= desk.throttle_after and one.not_relevant * 100 > one.closed * desk.throttle_above
    )
