"""Who belongs to whom: links asserted by events, and the memberships that follow from them.

The result is a function of the *set* of assertions and decisions, whatever their order. Links always lead from a weaker
subject to a stronger one (card → account → party → household), so they form no circle.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

BEGINNING, END = -(1 << 62), 1 << 62
COUNTED_ROLES = ("self", "owner", "joint")
LISTED_ROLES = ("attorney", "signatory", "guardian")
MEMBER = "member"
ANY_ROLE = "*"
TOLD_KEPT = 16
"""Enough to know from when a link holds again after it ended; a sign-in is told every day."""
_LIFTED = "/lifted"
ROLE_WEIGHT = {role: weight for weight, role in enumerate((*COUNTED_ROLES, *LISTED_ROLES))}
STRENGTH = (
    "party", "account", "loan", "contract", "card", "login", "mandate", "application", "case", "national_id", "phone",
    "email", "device", "household", "group", "manager", "source",
)  # fmt: skip
_STRENGTH = {kind: strength for strength, kind in enumerate(STRENGTH)}
COLLECTIVES = ("household", "group")


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was ever asserted of one (subject, target, role), joined.

    `first_at`: the earliest assertion (ms; None when only ends are known yet). `told_at`: the latest `TOLD_KEPT`
    assertions, ascending. `past`: it holds from the beginning of time. `ends`: when it was said to end; ends under role
    `ANY_ROLE` end the link in every role. `barred_by`: the latest decision on it (`bar` or `lift`). `source` and
    `event_id`: those of the earliest assertion, which is the reason shown to a person.
    """

    subject: str
    target: str
    role: str
    first_at: int | None = None
    told_at: tuple[int, ...] = ()
    past: bool = False
    ends: tuple[int, ...] = ()
    barred_by: str = ""
    source: str = ""
    event_id: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.subject, self.target, self.role

    @property
    def barred(self) -> bool:
        return bool(self.barred_by) and not self.barred_by.endswith(_LIFTED)


def bar(link: Link, decision_id: str, at: int) -> Link:
    """The assertion by which a decision takes a stored link out of force. The latest decision wins; since clocks of two
    machines may differ, it is always later than the one before."""
    before = int(link.barred_by.partition("/")[0] or -1)
    stamp = f"{max(at, before + 1):015d}/{decision_id}"
    return Link(subject=link.subject, target=link.target, role=link.role, barred_by=stamp)


def lift(link: Link, decision_id: str, at: int) -> Link:
    """The assertion by which a decision puts a barred link back into force."""
    barred = bar(link, decision_id, at)
    return msgspec.structs.replace(barred, barred_by=barred.barred_by + _LIFTED)


class Membership(NamedTuple):
    """`subject` counts for `root` from `from_at` (inclusive) until `until_at` (exclusive), event time in ms."""

    root: str
    subject: str
    role: str
    from_at: int
    until_at: int


class Cluster(NamedTuple):
    """Roots that decisions have merged. `lead` is the strongest, then smallest of them."""

    lead: str
    roots: tuple[str, ...]


def kind_of(subject: str) -> str:
    return subject.partition(":")[0]


def strength(subject: str) -> tuple[int, str]:
    """Sorts the strongest, then smallest first."""
    return _STRENGTH.get(kind_of(subject), len(STRENGTH)), subject


def join(left: Link, right: Link) -> Link:
    """Commutative, associative, idempotent."""
    reason = min((_when(left), left), (_when(right), right), key=_earlier)[1]
    firsts = [at for at in (left.first_at, right.first_at) if at is not None]
    return Link(
        subject=left.subject, target=left.target, role=left.role,
        first_at=min(firsts, default=None), told_at=tuple(sorted({*left.told_at, *right.told_at})[-TOLD_KEPT:]),
        past=left.past or right.past, ends=tuple(sorted({*left.ends, *right.ends})),
        barred_by=max(left.barred_by, right.barred_by), source=reason.source, event_id=reason.event_id,
    )  # fmt: skip


def _earlier(reason: tuple[int, Link]) -> tuple[int, str, str]:
    return reason[0], reason[1].event_id, reason[1].source


def _when(link: Link) -> int:
    return END if link.first_at is None else link.first_at


def intervals(link: Link, ended: Sequence[int] = ()) -> list[tuple[int, int]]:
    """When the link holds: from an assertion until the next end, and again from the next assertion after that. An end
    before the first assertion is void.

    `ended` are the ends said of the same subject and target whatever the role.
    """
    if link.first_at is None or link.barred:
        return []
    begins, told, held = BEGINNING if link.past else link.first_at, link.first_at, []
    for end in sorted({*link.ends, *ended}):
        if end < told:
            continue
        held.append((begins, end))
        again = next((at for at in link.told_at if at > end), None)
        if again is None:
            break
        begins = told = again
    else:
        held.append((begins, END))
    return [(since, until) for since, until in held if since < until]


def clusters(merges: Iterable[tuple[str, str]]) -> list[Cluster]:
    """The connected components of pairs of merged roots."""
    leads: dict[str, str] = {}

    def find(root: str) -> str:
        while leads.setdefault(root, root) != root:
            root = leads[root]
        return root

    for left, right in merges:
        lead, other = sorted((find(left), find(right)), key=strength)
        leads[other] = lead
    members: dict[str, list[str]] = {}
    for root in list(leads):
        members.setdefault(find(root), []).append(root)
    return [cluster_of(roots) for _, roots in sorted(members.items())]


def cluster_of(roots: Iterable[str]) -> Cluster:
    """Of those that were merged, or of one that is alone."""
    ordered = tuple(sorted(roots, key=strength))
    return Cluster(ordered[0], ordered)
