"""Who was combined to be looked at, for those who look again: a screen asks every few seconds, and its customer may
wait for a refresh all day, where nothing happens to make one worth writing."""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from services.profile.domain.identity.links import Cluster
from services.profile.gathering import Context
from services.profile.ports.records import StoredView
from services.profile.ports.refreshing import Member

MOST = 1_000
"""Of some 10 kB each."""
Combined = TypeVar("Combined")


class Source(NamedTuple):
    """All that a view follows from. `before`: as it was last written."""

    lead: str
    cluster: Cluster
    members: Sequence[Member]
    before: StoredView | None
    context: Context


class Lately(Generic[Combined]):
    """What follows from the same source is the same for a bank day; with it, windows move on. Who has not been looked
    at for longest makes room."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Any, Combined]] = {}

    def of(self, source: Source, day: int) -> Combined | None:
        """None where it was combined from something else, or not at all."""
        known = self._known.pop(source.lead, None)
        if known is None or known[0] != _versions(source, day):
            return None
        self._known[source.lead] = known
        return known[1]

    def note(self, source: Source, day: int, combined: Combined) -> None:
        if len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
        self._known[source.lead] = (_versions(source, day), combined)


def _versions(source: Source, day: int) -> Any:
    members = [(one.membership, one.stored.version, one.stored.cuts) for one in source.members]
    return day, source.before.version if source.before else None, source.cluster, members, source.context
