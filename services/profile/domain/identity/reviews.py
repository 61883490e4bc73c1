"""Finds two customer numbers that may be one person: they never merge by themselves, a person decides."""

import hashlib
from collections.abc import Iterable
from itertools import combinations
from typing import NamedTuple

from services.profile.domain.identity.links import ANY_ROLE, END, Link, intervals, kind_of
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


def review_cases(links: Iterable[Link], graph: Graph) -> list[ReviewCase]:
    """`links`: all links of the subjects that may be shared. Every two who share one are a case, so that it does not
    matter who was told of first; an identifier above its limit says nothing, so they are few."""
    told = list(links)
    ended = {(link.subject, link.target): link.ends for link in told if link.role == ANY_ROLE}
    parties: dict[str, set[str]] = {}
    for link in told:
        telling = kind_of(link.subject) in TELLING and kind_of(link.target) == "party"
        if telling and any(until == END for _, until in intervals(link, ended.get(link.key[:2], ()))):
            parties.setdefault(link.subject, set()).add(link.target)
    shared = sorted(parties, key=lambda subject: (TELLING.index(kind_of(subject)), subject))
    cases: dict[tuple[str, str], ReviewCase] = {}
    for subject in shared:
        if not graph.identifies_nobody(subject):
            for left, right in combinations(sorted(parties[subject]), 2):
                cases.setdefault((left, right), ReviewCase(left, right, subject))
    return [cases[pair] for pair in sorted(cases)]
