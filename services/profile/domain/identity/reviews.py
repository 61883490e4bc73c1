"""Finds two customer numbers that may be one person: they never merge by themselves, a person decides."""

import hashlib
from collections.abc import Iterable
from itertools import combinations
from typing import NamedTuple

from services.profile.domain.identity.links import kind_of
from services.profile.domain.identity.memberships import Graph

TELLING = ("national_id", "email", "phone")
"""What two customer numbers share when they are one person, the most telling first."""


class ReviewCase(NamedTuple):
    """`left` < `right`: parties; `shared`: the subject that both are linked to."""

    left: str
    right: str
    shared: str

    @property
    def decision_id(self) -> str:
        """One case for a pair, whatever it shares and however often that is said."""
        return "rev_" + hashlib.blake2b(f"{self.left}\0{self.right}".encode(), digest_size=12).hexdigest()


def review_cases(subjects: Iterable[str], graph: Graph) -> list[ReviewCase]:
    """Every two who share one of these subjects now are a case, so that it does not matter who was told of first; an
    identifier above its limit says nothing, so they are few."""
    telling = [one for one in subjects if kind_of(one) in TELLING and not graph.identifies_nobody(one)]
    cases: dict[tuple[str, str], ReviewCase] = {}
    for subject in sorted(telling, key=lambda one: (TELLING.index(kind_of(one)), one)):
        parties = sorted(target for target in graph.targets_now(subject) if kind_of(target) == "party")
        for left, right in combinations(parties, 2):
            cases.setdefault((left, right), ReviewCase(left, right, subject))
    return [cases[pair] for pair in sorted(cases)]
