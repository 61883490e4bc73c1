"""When a root is a member of itself, and when it counts for others."""

from collections.abc import Iterable, Sequence

from services.profile.domain.identity.links import BEGINNING, COLLECTIVES, END, Membership, kind_of


def with_roots(memberships: Iterable[Membership], roots: Sequence[str]) -> list[Membership]:
    """The memberships of `roots`, sorted, each root itself included unless it counts for others.

    `memberships` holds those in which one of `roots` is the root, and those in which one is the subject.
    """
    wanted = set(roots)
    known = set(memberships)
    elsewhere = {one.subject for one in known if kind_of(one.root) not in COLLECTIVES}
    themselves = {Membership(root, root, "self", BEGINNING, END) for root in wanted - elsewhere}
    return sorted({one for one in known if one.root in wanted} | themselves)


def standing_in(memberships: Iterable[Membership]) -> dict[str, list[str]]:
    """party → the households and groups in which it stands now, by itself and not through what it holds."""
    found: dict[str, set[str]] = {}
    for one in memberships:
        if kind_of(one.subject) == "party" and one.until_at == END and kind_of(one.root) in COLLECTIVES:
            found.setdefault(one.subject, set()).add(one.root)
    return {party: sorted(roots) for party, roots in found.items()}


def counted_parents(memberships: Iterable[Membership], roots: Sequence[str]) -> dict[str, list[str]]:
    """root → the roots that it counts for now, households and groups aside; empty where it is a root itself."""
    parents: dict[str, set[str]] = {root: set() for root in roots}
    for one in memberships:
        if one.subject in parents and one.until_at == END and kind_of(one.root) not in COLLECTIVES:
            parents[one.subject].add(one.root)
    return {root: sorted(above - {root}) for root, above in parents.items()}
