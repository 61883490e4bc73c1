"""What outcomes teach of a rule: how often it was right, where and in whose hands, and when it is wrong too often."""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, get_args

from services.alerts.domain.rules import Desk
from services.alerts.domain.terms import NEW_RULE_PRECISION, Precision

PRIOR_OUTCOMES = 5
"""How many outcomes the precision of a new rule is worth: one early "not relevant" does not silence it."""
Part = Literal["rule", "branch", "owner"]
PARTS: tuple[Part, ...] = get_args(Part)


class Learned(NamedTuple):
    """Outcomes: how many alerts that a version of a rule spoke in were closed in a branch by an owner, and how many of
    them as not relevant. `fresh`: since a person has last enabled the rule."""

    rule: str
    version: int
    branch: str
    owner: str
    fresh: bool
    closed: int
    not_relevant: int


class Tally(NamedTuple):
    closed: int = 0
    not_relevant: int = 0

    def __add__(self, other: "Tally") -> "Tally":  # type: ignore[override]  # of two tallies the sum, of tuples the chain
        return Tally(self.closed + other.closed, self.not_relevant + other.not_relevant)

    @property
    def relevant(self) -> float:
        """Share, 0 to 1."""
        return (self.closed - self.not_relevant) / self.closed if self.closed else 0.0


def tallies(learned: Iterable[Learned], by: Iterable[Part]) -> dict[tuple[str, ...], Tally]:
    """Outcomes by the parts asked for, in their order."""
    parts, found = tuple(by), dict[tuple[str, ...], Tally]()
    for one in learned:
        key = tuple(str(getattr(one, part)) for part in parts)
        found[key] = found.get(key, Tally()) + Tally(one.closed, one.not_relevant)
    return dict(sorted(found.items()))


def precision(learned: Iterable[Learned]) -> Precision:
    """A new rule is worth a few outcomes of the usual kind, and a branch as many of the kind that the rule has in the
    whole bank: where a branch has told little, the bank speaks, and where it has told much, it speaks for itself."""
    known = list(learned)
    whole = {(rule, ""): _with_prior(tally, NEW_RULE_PRECISION) for (rule,), tally in tallies(known, ["rule"]).items()}
    by_branch = tallies((one for one in known if one.branch), ["rule", "branch"])
    return whole | {(rule, branch): _with_prior(tally, whole[rule, ""]) for (rule, branch), tally in by_branch.items()}


def _with_prior(tally: Tally, prior: float) -> float:
    relevant = tally.closed - tally.not_relevant
    return (relevant + prior * PRIOR_OUTCOMES) / (tally.closed + PRIOR_OUTCOMES)


def throttled(learned: Iterable[Learned], versions: Mapping[str, int], desk: Desk) -> dict[str, Tally]:
    """With what they are throttled for. Only a rule as it is now counts, and since a person has last enabled it: one
    that was mended begins anew."""
    counting = [one for one in learned if one.fresh and one.version == versions.get(one.rule)]
    return {
        rule: tally for (rule,), tally in tallies(counting, ["rule"]).items()
        if tally.closed >= desk.throttle_after and tally.not_relevant * 100 > tally.closed * desk.throttle_above
    }  # fmt: skip
