"""A cache of views that were combined for a reader and not written: a screen asks every few seconds, and a customer
without news is not refreshed all day."""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from services.profile.domain.identity.links import Cluster
from services.profile.gathering import Context
from services.profile.ports.records import StoredView
from services.profile.ports.refreshing import Member

MOST = 1_000
"""Views kept, of some 10 kB each."""
Combined = TypeVar("Combined")


class Basis(NamedTuple):
    """Everything that a view depends on. `before`: the view as it was last written."""

    lead: str
    cluster: Cluster
    members: Sequence[Member]
    before: StoredView | None
    context: Context


class AsOf(NamedTuple):
    """`day`: of the bank, since windows move on with the next one. `policy`: its version."""

    day: int
    policy: str


class RecentViews(Generic[Combined]):
    """The same basis gives the same view for a whole bank day. The least recently used view makes room."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Any, Combined]] = {}

    def of(self, basis: Basis, as_of: AsOf) -> Combined | None:
        """None where it was combined on another basis, as of another time, or not at all."""
        known = self._known.pop(basis.lead, None)
        if known is None or known[0] != _versions(basis, as_of):
            return None
        self._known[basis.lead] = known
        return known[1]

    def note(self, basis: Basis, as_of: AsOf, combined: Combined) -> None:
        if len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
        self._known[basis.lead] = (_versions(basis, as_of), combined)


def _versions(basis: Basis, as_of: AsOf) -> Any:
    members = [(one.membership, one.stored.version, one.stored.cuts) for one in basis.members]
    return as_of, basis.before.version if basis.before else None, basis.cluster, members, basis.context
