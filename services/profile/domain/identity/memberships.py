"""Derives from links for whom a subject counts, from when until when.

A function of the set of links, whatever their order.
"""

from collections.abc import Iterable, Mapping, Sequence

from services.profile.domain.identity.links import (
    ANY_ROLE,
    BEGINNING,
    COLLECTIVES,
    END,
    MEMBER,
    ROLE_WEIGHT,
    Link,
    Membership,
    intervals,
    kind_of,
)  # fmt: skip


class Graph:
    """The links of some subjects, and all links above them."""

    def __init__(self, links: Iterable[Link], limits: Mapping[str, int]) -> None:
        self._limits = limits
        self._up: dict[str, list[Link]] = {}
        for link in links:
            self._up.setdefault(link.subject, []).append(link)
        self._known: dict[str, list[Membership]] = {}

    def _held(self, subject: str) -> list[tuple[Link, int, int]]:
        """(link, from, until) for each time that a link holds."""
        links = self._up.get(subject, ())
        ended = {link.target: link.ends for link in links if link.role == ANY_ROLE}
        return [(link, *held) for link in links for held in intervals(link, ended.get(link.target, ()))]

    def identifies_nobody(self, subject: str) -> bool:
        """Above its kind's limit of targets an identifier identifies nobody, retroactively."""
        limit = self._limits.get(kind_of(subject))
        if limit is None:
            return False
        return len(self.targets_now(subject)) > limit

    def targets_now(self, subject: str) -> set[str]:
        """What it is linked to and has not ended."""
        return {link.target for link, _, until in self._held(subject) if until == END}

    def memberships(self, subject: str) -> list[Membership]:
        """What the subject belongs to; empty where it is a root itself and in no household or group."""
        known = self._known.get(subject)
        if known is None:
            known = self._known[subject] = sorted(set(self._resolve(subject)))
        return known

    def _resolve(self, subject: str) -> list[Membership]:
        held = self._held(subject)
        found: list[Membership] = []
        if not self.identifies_nobody(subject):
            for link, begins, until in held:
                if link.role != MEMBER:
                    found += self._through(subject, link, begins, until)
        if found:
            found += _gaps(subject, found)
        found += [
            Membership(link.target, subject, "self", begins, until)
            for link, begins, until in held
            if link.role == MEMBER
        ]
        return found

    def _through(self, subject: str, link: Link, begins: int, until: int) -> Iterable[Membership]:
        above = self.memberships(link.target)
        if not any(kind_of(member.root) not in COLLECTIVES for member in above):
            above = [Membership(link.target, link.target, "self", BEGINNING, END), *above]
        for member in above:
            since, to = max(begins, member.from_at), min(until, member.until_at)
            if since < to:
                role = max(link.role, member.role, key=lambda name: ROLE_WEIGHT.get(name, 0))
                yield Membership(member.root, subject, role, since, to)


def _gaps(subject: str, found: Sequence[Membership]) -> list[Membership]:
    """While it belongs to nobody, the subject stands for itself: an account whose last holder has left."""
    edge, gaps = BEGINNING, []
    for member in sorted(found, key=lambda member: member.from_at):
        if member.from_at > edge:
            gaps.append(Membership(subject, subject, "self", edge, member.from_at))
        edge = max(edge, member.until_at)
    if edge < END:
        gaps.append(Membership(subject, subject, "self", edge, END))
    return gaps


def roots_of(subject: str, memberships: Iterable[Membership]) -> list[str]:
    """Every root to be marked when the subject changes; the subject itself where it is one."""
    roots = {member.root for member in memberships}
    if not any(kind_of(root) not in COLLECTIVES for root in roots):
        roots.add(subject)
    return sorted(roots)


def cuts_of(memberships: Iterable[Membership]) -> list[int]:
    """Where the subject's state must be cut into segments."""
    borders = {at for member in memberships for at in (member.from_at, member.until_at)}
    return sorted(borders - {BEGINNING, END})
