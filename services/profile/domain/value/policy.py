"""Everything a bank declares about its customers' worth, as data: scales of value, tiers, portfolios, reference."""

import msgspec

from schemas.asked import Asked
from services.profile.domain.customers.measures import Measures
from services.profile.domain.reference.tables import Reference

TIERS = ("general", "profit", "gold")
"""From the lowest to the highest."""

OUT_OF_REACH = 101
"""More points than there are."""

Step = tuple[int, int]
"""(at least this much, points 0-100)."""


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One measured thing. Points rise or fall linearly between the steps. Money in minor units of the home currency
    (the file says major units; the loader converts where `unit` is money). Weights are relative to the dimension."""

    measure: str
    weight: int
    steps: tuple[Step, ...]
    unit: str = "count"
    meaning: str = ""


class Dimension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    weight: int
    terms: tuple[Term, ...]
    meaning: str = ""


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tier is entered at `enter` and left below `leave`, which is lower."""

    tier: str
    enter: int
    leave: int


class Scale(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`thresholds` from the highest tier down; below all of them a customer is general. `top_potential`: points of the
    dimension `potential` that the best tenth of the general customers reach: more makes another tier of them."""

    dimensions: tuple[Dimension, ...]
    thresholds: tuple[Threshold, ...]
    top_potential: int = OUT_OF_REACH


class Scales(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`hold_days`: for how many closed bank days another tier must be judged before it is taken."""

    hold_days: int
    by_kind: dict[str, Scale]


class RosterEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A customer manager who takes customers by rule. Empty `branches` or `tiers`: any. `capacity`: customers."""

    manager_id: str
    branches: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    capacity: int = 0


class Portfolio(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`tiers`: which get an owner by rule. `capacity`: of a manager who is not in the roster.
    `handovers_kept`: how many past hand-overs are remembered in the notes."""

    tiers: tuple[str, ...]
    capacity: int
    handovers_kept: int
    roster: tuple[RosterEntry, ...] = ()

    @property
    def managers(self) -> frozenset[str]:
        """Those who take customers by rule."""
        return frozenset(entry.manager_id for entry in self.roster)


class Policy(msgspec.Struct):
    """`asked`: what rules ask of facts; None: unknown, so every change is published. `version`: of tables, scales and
    portfolio: a view that was made by others is out of date."""

    reference: Reference
    scales: Scales
    portfolio: Portfolio
    measures: Measures = Measures()
    asked: Asked | None = None
    version: str = ""

    def top_potential(self, kind: str) -> int:
        scale = self.scales.by_kind.get(kind)
        return OUT_OF_REACH if scale is None else scale.top_potential
