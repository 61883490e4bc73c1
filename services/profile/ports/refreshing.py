"""What `refresh` reads of a customer and writes back within one database transaction."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from services.outbox import OutboxMessage
from services.profile.domain.customers.summary import DueTime
from services.profile.domain.identity.links import Cluster, Membership
from services.profile.domain.states.months import MonthPart
from services.profile.domain.states.state import Head
from services.profile.ports.records import Mark, PartyView, Placement, Shard, StoredView


class KeptSubject(msgspec.Struct, frozen=True, gc=False):
    """A subject as refresh reads it; see `StoredSubject`. `collectives`: the households and groups that it belongs to
    now, given for parties that were asked for as roots. `erased_at`: see `StoredSubject`."""

    subject: str
    version: int
    cuts: Sequence[int]
    heads: Sequence[Head]
    months: Mapping[int, Sequence[MonthPart]]
    collectives: Sequence[str] = ()
    erased_at: int = 0


class Member(msgspec.Struct, frozen=True, gc=False):
    """A subject of a customer as refresh reads it, all from one snapshot."""

    membership: Membership
    stored: KeptSubject


class CustomerRows(Protocol):
    """The rows that a customer is gathered from."""

    async def clusters(self, roots: Sequence[str]) -> dict[str, Cluster]:
        """root → the cluster of merged roots that it belongs to, if any."""

    async def members(self, roots: Sequence[str]) -> dict[str, list[Member]]:
        """root → its members with all their parts, from one snapshot. A root is a member of itself for all time, unless
        it belongs to others: then it has memberships other than to households and groups. Raises `OtherShape` for a
        state that cannot be read."""

    async def views(self, leads: Sequence[str]) -> dict[str, StoredView]: ...

    async def party_views(self, parties: Sequence[str]) -> dict[str, PartyView]:
        """party → the live view of the customer that it counts for now, merged or not; all from one snapshot."""

    async def staff(self) -> dict[str, dict[str, Any]]:
        """manager id → what events have told of the manager."""

    async def staff_of(self, leads: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The same, only for the owners of these customers and those named to act for them: a bank has thousands of
        managers."""

    async def owned_counts(self, managers: Sequence[str]) -> dict[str, int]:
        """manager id → how many customers he or she owns, of these managers. Households and groups are not counted,
        their members are."""

    async def owners(self) -> list[str]:
        """Managers who have customers."""


class RefreshTransaction(CustomerRows, Protocol):
    async def fence(self, shards: Sequence[Shard]) -> list[Shard]:
        """Proves the leases inside the transaction and returns them moved on. Raises `Fenced` if one was lost."""

    async def take_marks(
        self, shards: Sequence[int], limit: int, resting: Sequence[str] = (), *, urgent: bool = False
    ) -> list[Mark]:
        """Deletes and returns the marks of at most `limit` roots, those first that have waited longest, and none of a
        `resting` root; with `urgent` only those of roots with an urgent mark. One mark is returned for each root, with
        its oldest times."""

    async def mark(self, marks: Sequence[Mark]) -> None: ...

    async def set_aside(self, marks: Sequence[Mark]) -> None:
        """As `mark`, for roots whose refresh has failed."""

    async def erased(self, subjects: Sequence[str]) -> Mapping[str, int]:
        """subject → when it was erased (ms), of those that were."""

    async def save_views(self, views: Sequence[StoredView], due: Mapping[str, Sequence[DueTime]]) -> None:
        """Writes rows by lead, and replaces the due times of each."""

    async def save_judged(self, decided: Mapping[str, bytes]) -> None:
        """Saves the decisions of customers whose views have not changed otherwise; nothing of that is published."""

    async def note_placements(self, placements: Sequence[Placement]) -> None:
        """Keeps placements that have changed; of two at one instant, the last."""

    async def send(self, lanes: Mapping[str, Sequence[OutboxMessage]], now: int) -> None: ...
