"""What `refresh` reads of a customer and writes back within one database transaction."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from services.outbox import OutboxMessage
from services.profile.domain.identity.links import Cluster, Membership
from services.profile.domain.states.months import MonthPart
from services.profile.domain.states.state import Head
from services.profile.ports.records import Decision, DueTime, Mark, PartyView, Placement, Shard, StoredView


class KeptSubject(msgspec.Struct, frozen=True, gc=False):
    """A subject as refresh reads it; see `StoredSubject`. `collectives`: the households and groups in which it stands
    now, told of parties that were asked for as roots."""

    subject: str
    version: int
    cuts: Sequence[int]
    heads: Sequence[Head]
    months: Mapping[int, Sequence[MonthPart]]
    collectives: Sequence[str] = ()


class Member(msgspec.Struct, frozen=True, gc=False):
    """A subject of a customer as refresh sees it, all of it from one snapshot."""

    membership: Membership
    stored: KeptSubject


class CustomerRows(Protocol):
    """What a customer is gathered from."""

    async def clusters(self, roots: Sequence[str]) -> dict[str, Cluster]:
        """root → the merged cluster it stands in, where it stands in one."""

    async def members(self, roots: Sequence[str]) -> dict[str, list[Member]]:
        """root → its members with every part; one snapshot for all. The root itself is a member (self, for all time)
        unless it belongs to others: rows of its own in memberships other than to a household or group. Raises
        `OtherShape`, or what else is met in states that cannot be read."""

    async def views(self, leads: Sequence[str]) -> dict[str, StoredView]: ...

    async def party_views(self, parties: Sequence[str]) -> dict[str, PartyView]:
        """party → the live view of the customer for whom it stands now, merged or not; one snapshot for all."""

    async def staff(self) -> dict[str, dict[str, Any]]:
        """manager id → what is told of every manager."""

    async def staff_of(self, leads: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Only of those who own these customers, and who is named, one after the other, to act for them: a bank has
        thousands of managers."""

    async def owned_counts(self) -> dict[str, int]:
        """manager id → how many customers he or she owns, households and groups aside: their members are counted."""


class RefreshTransaction(CustomerRows, Protocol):
    async def fence(self, shards: Sequence[Shard]) -> list[Shard]:
        """Proves the leases inside the transaction and returns them moved on. Raises `Fenced` where one was lost."""

    async def take_marks(self, shards: Sequence[int], limit: int, resting: Sequence[str] = ()) -> list[Mark]:
        """Those of at most `limit` roots, those first that have waited longest, and none of a `resting` root. Deletes
        what it returns: one mark per root, the oldest accepted_at of it."""

    async def mark(self, marks: Sequence[Mark]) -> None: ...

    async def set_aside(self, marks: Sequence[Mark]) -> None:
        """As `mark`, of roots whose refresh has failed."""

    async def decisions(self, subjects: Sequence[str]) -> dict[str, list[Decision]]:
        """subject → decisions that name it, oldest first."""

    async def save_views(self, views: Sequence[StoredView], due: Mapping[str, Sequence[DueTime]]) -> None:
        """Writes rows by lead, and replaces the due times of each."""

    async def save_judged(self, decided: Mapping[str, bytes]) -> None:
        """By lead, of views that stay as they are otherwise: a close was judged, and nothing of it is told."""

    async def note_placements(self, placements: Sequence[Placement]) -> None:
        """Of customers that are placed otherwise than before; of one instant, the last stays."""

    async def send(self, lanes: Mapping[str, Sequence[OutboxMessage]], now: int) -> None: ...
