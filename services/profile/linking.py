"""Links under lock: stores what a batch asserts, and recomputes what the subjects below those links belong to."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from services.profile.domain.identity.links import Link, Membership
from services.profile.domain.identity.memberships import Graph, cuts_of, roots_of
from services.profile.domain.identity.reviews import review_cases
from services.profile.domain.states.fold import Fold
from services.profile.ports.records import StoredSubject
from services.profile.ports.updating import UpdateTransaction
from services.profile.refold import fold_anew, refuse_newer
from services.profile.reviewing import review


class Linked(NamedTuple):
    """`asserted`: links that are stored once this transaction commits. `moved`: subjects whose roots or cuts have
    changed; their rows are not saved yet. `roots`: the roots of these subjects, old and new."""

    asserted: dict[tuple[str, str, str], Link]
    moved: set[str]
    roots: set[str]


class Linking(NamedTuple):
    """`limits`: subject kind → how many customers one such identifier may identify."""

    limits: Mapping[str, int]
    fold: Fold

    async def link(
        self, tx: UpdateTransaction, asserted: Sequence[Link], locked: dict[str, StoredSubject], now: int
    ) -> Linked:
        """Both ends of every link must be in `locked`, so that two workers with links to the same subject take turns.
        The subjects below are locked here and added to `locked`."""
        changed = await tx.add_links(asserted)
        known = {link.key: link for link in asserted}
        if not changed:
            return Linked(known, set(), set())
        subjects = {link.subject for link in changed}
        around, below = await lock_below(tx, subjects, locked)
        refuse_newer((locked[subject] for subject in below), self.fold)
        graph = Graph(around, self.limits)
        await propose_reviews(tx, subjects, graph, now)
        moved, roots = await relink(tx, below, graph, locked, self.fold)
        return Linked(known, moved, roots)


async def reach(tx: UpdateTransaction, asserted: Sequence[Link]) -> set[str]:
    """The subjects to lock before `Linking.link`, as far as they can be known before: both ends of the links, and all
    below. Locking them with everything else in one order makes deadlocks rare."""
    if not asserted:
        return set()
    subjects = {link.subject for link in asserted}
    return descendants(subjects, await tx.links_around(sorted(subjects))) | {link.target for link in asserted}


async def lock_below(
    tx: UpdateTransaction, subjects: set[str], locked: dict[str, StoredSubject]
) -> tuple[list[Link], set[str]]:
    """Locks everything below, then returns the links around and the subjects below. Read before the locks, a link
    further down that another worker is writing would be missed, and its subject would keep its old roots."""
    while True:
        around = await tx.links_around(sorted(subjects))
        below = descendants(subjects, around)
        missing = below - locked.keys()
        if not missing:
            return around, below
        locked |= await tx.lock_subjects({subject: frozenset() for subject in missing})


async def propose_reviews(tx: UpdateTransaction, changed: set[str], graph: Graph, now: int) -> None:
    """Two customer numbers that share a personal identifier never merge by themselves: a person has to decide."""
    cases = review_cases(changed, graph)
    if cases:
        await tx.record([review(case, now) for case in cases])


async def relink(
    tx: UpdateTransaction, subjects: set[str], graph: Graph, locked: Mapping[str, StoredSubject], fold: Fold
) -> tuple[set[str], set[str]]:
    """Replaces the memberships of locked subjects. Returns the subjects that moved, and their roots, old and new."""
    before: dict[str, list[Membership]] = {}
    for membership in await tx.memberships_of(sorted(subjects)):
        before.setdefault(membership.subject, []).append(membership)
    moved = [subject for subject in sorted(subjects) if graph.memberships(subject) != sorted(before.get(subject, []))]
    roots: set[str] = set()
    for subject in moved:
        row, memberships = locked[subject], graph.memberships(subject)
        roots |= {*row.roots, *roots_of(subject, memberships)}
        row.roots = roots_of(subject, memberships)
        if cuts_of(memberships) != row.cuts:
            await fold_anew(tx, row, cuts_of(memberships), fold)
    await tx.replace_memberships(moved, [one for subject in moved for one in graph.memberships(subject)])
    return set(moved), roots


def descendants(subjects: set[str], links: Iterable[Link]) -> set[str]:
    """The subjects and all that stand below them."""
    below: dict[str, list[str]] = {}
    for link in links:
        below.setdefault(link.target, []).append(link.subject)
    found, open_ends = set(subjects), list(subjects)
    while open_ends:
        for subject in below.get(open_ends.pop(), ()):
            if subject not in found:
                found.add(subject)
                open_ends.append(subject)
    return found
