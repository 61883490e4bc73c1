"""The profile's database as a worker has it: beside all reading, transactions, leases, marks, due times, decisions."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from services.log import Position
from services.outbox import Outbox
from services.profile.domain.identity.links import Cluster
from services.profile.ports.reading import EVERY, ProfileReader
from services.profile.ports.records import Decision, Shard
from services.profile.ports.refreshing import RefreshTransaction
from services.profile.ports.updating import UpdateTransaction


class ProfileStore(ProfileReader, Outbox, Protocol):
    """Methods raise `Unavailable` when the database is away, and those that write `Contended` for deadlocks and
    serialization failures, which the caller tries again."""

    async def set_position(self, topic: str, partition: int, position: Position) -> None:
        """Sets a position on an operator's word. A worker on that partition finds itself fenced."""

    def updating(self) -> AbstractAsyncContextManager[UpdateTransaction]: ...

    def refreshing(self) -> AbstractAsyncContextManager[RefreshTransaction]: ...

    async def lease(self, owner: str, ttl_ms: int) -> list[Shard]:
        """By the store's own clock, whatever a worker's says. Reports this worker as alive and renews its shards. It
        takes free shards (lapsed leases) up to a fair share among the workers that have reported within `ttl_ms`, and
        gives back what it holds beyond that. What was leased before the clock was set back is free, and so is what
        is leased for longer than `LONGEST_LEASE_MS`."""

    async def release(self, owner: str) -> None: ...

    async def leaseholders(self) -> list[str]:
        """Workers that hold a shard now."""

    async def marks_waiting(
        self, resting: Sequence[str] = (), most: int = EVERY, *, urgent: bool = False
    ) -> dict[int, int]:
        """shard → how many marks wait (or how many urgent ones), counted to `most`, without those of `resting` roots.
        Each one is looked at."""

    async def count_aside(self) -> int:
        """How many roots are set aside: their refresh has failed and has not succeeded since."""

    async def fire_due(self, now: int, grain: str, complete: Mapping[str, int], limit: int) -> int:
        """Deletes due times of that grain with at <= now whose sources are complete past them; leaves marks.
        Returns how many fired."""

    async def next_due(self, grain: str, after: int = -1) -> int | None:
        """The first of that grain later than `after`, whether its sources are complete past it or not."""

    async def decide(self, decision: Decision, clusters: Sequence[Cluster], dissolved: Sequence[str]) -> None:
        """Records a decision, writes the clusters that follow from it, drops those of `dissolved`, marks all. Raises
        `Contended` when it would tear a cluster apart that has come up since the caller looked."""

    async def ledger_days(self) -> list[int]:
        """The days (since 1970) whose ledger is kept: no rewind may reach further back."""

    async def drop_ledgers(self, before_day: int) -> list[int]:
        """Drops the ledgers of the days before; returns them."""

    async def drop_letters(self, state: str, before: int) -> int:
        """Drops the dead letters of before (ms) that are in this state; returns how many."""

    async def drop_placements(self, places: Sequence[tuple[str, int]]) -> None:
        """Those of these customers (`lead`) and times."""

    async def forget_letters(self, subjects: Collection[str]) -> None:
        """Empties the dead letters of ingest that name one of these subjects (`letters.names`): it reads all of them,
        some at a time. What was done before it fails stands."""

    async def mark_letter_replayed(self, letter_id: str) -> bool:
        """False: there is no such letter, or it was replayed before."""
