"""What a customer is worth to the bank and could be, by declared scales. The result explains itself, term by term."""

from collections.abc import Sequence

import msgspec

from services.profile.domain.customers.assets import Assets
from services.profile.domain.customers.behaviour import Behaviour
from services.profile.domain.customers.customer import Customer
from services.profile.domain.value.policy import Dimension, Policy, Step, Term
from services.profile.domain.value.worth import MEASURES, Known, known_of


class JudgedTerm(msgspec.Struct, frozen=True):
    """`measured` in the term's unit (money: minor units of the home currency); None where it is unknown: then the
    term's weight is left out, visibly. `points` 0-100."""

    measure: str
    unit: str
    measured: int | None
    points: int | None
    weight: int


class JudgedDimension(msgspec.Struct, frozen=True):
    name: str
    weight: int
    points: int | None
    terms: tuple[JudgedTerm, ...]


class Judged(msgspec.Struct, frozen=True):
    """`score` 0-100; None where the bank declares no scale for this kind of customer. `families`: the needs that the
    bank serves already. `grounded`: some money of the customer was known."""

    kind: str
    score: int | None
    dimensions: tuple[JudgedDimension, ...]
    families: frozenset[str] = frozenset()
    grounded: bool = True

    def points(self, name: str) -> int | None:
        """The points of one dimension."""
        return next((one.points for one in self.dimensions if one.name == name), None)


def judge(customer: Customer, assets: Assets, behaviour: Behaviour, policy: Policy, now: int) -> Judged:
    scale = policy.scales.by_kind.get(customer.kind)
    if scale is None:
        return Judged(customer.kind, None, ())
    known = known_of(customer, assets, behaviour, policy.reference, now)
    dimensions = tuple([_dimension(dimension, known) for dimension in scale.dimensions])
    return Judged(customer.kind, _mean(dimensions), dimensions, known.families, _is_grounded(assets, dimensions))


def _is_grounded(assets: Assets, dimensions: Sequence[JudgedDimension]) -> bool:
    """A balance of 0 is known money, too; a customer without a linked account has none."""
    terms = (term for dimension in dimensions for term in dimension.terms)
    is_told = any(one.minor is not None for one in assets.holdings)
    return is_told or any(term.measured for term in terms if term.unit == "money")


def _dimension(dimension: Dimension, known: Known) -> JudgedDimension:
    terms = tuple([_term(term, known) for term in dimension.terms])
    return JudgedDimension(dimension.name, dimension.weight, _mean(terms), terms)


def _term(term: Term, known: Known) -> JudgedTerm:
    measured = MEASURES[term.measure](known)
    points = None if measured is None else points_of(measured, term.steps)
    return JudgedTerm(term.measure, term.unit, measured, points, term.weight)


def points_of(measured: int, steps: Sequence[Step]) -> int:
    """Linear between the steps, level outside them, rounded down."""
    below = steps[0]
    if measured <= below[0]:
        return below[1]
    for step in steps:
        if measured < step[0]:
            return below[1] + (step[1] - below[1]) * (measured - below[0]) // (step[0] - below[0])
        below = step
    return below[1]


def _mean(weighed: Sequence[JudgedTerm | JudgedDimension]) -> int | None:
    """The weighted mean of what is known."""
    total = points = 0
    for one in weighed:
        if one.points is not None:
            total += one.weight
            points += one.weight * one.points
    return points // total if total else None
