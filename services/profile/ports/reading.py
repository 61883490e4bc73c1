"""The reading side of the profile's database, for screens, the command line and upkeep: it takes no locks."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from services.log import PositionStore
from services.profile.domain.customers.freshness import SourceSeen
from services.profile.domain.identity.links import Cluster, Link, Membership
from services.profile.ports.records import BaseRow, Decision, Placement, StoredDeadLetter, StoredView, TimelineRow
from services.profile.ports.refreshing import CustomerRows


class Resolved(NamedTuple):
    """A subject, and a customer that it counts for, named by `lead`. `view`: as last written, if ever. `waits`: a mark
    says that more was committed since. Both are of one snapshot."""

    subject: str
    lead: str
    view: StoredView | None
    waits: bool

    @property
    def is_live(self) -> bool:
        return self.view is not None and self.view.is_live


class Called(NamedTuple):
    """A customer as last written, and what refers to the name. Not `is_live`: it is another one by now."""

    customer_id: str
    lead: str
    name_ref: str | None
    is_live: bool


Cursor = tuple[int, int, bytes]
"""How far a timeline was read: (occurred_at, sequence, key) of the row read last."""


class TimelineFilter(NamedTuple):
    types: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None


class Look(CustomerRows, Protocol):
    """One look at customers; each question sees what was committed before it."""

    async def resolve(self, subjects: Sequence[str]) -> list[Resolved]:
        """The customers that each of these subjects counts for now; a subject that counts for nobody stands for
        itself."""

    async def resolve_alias(self, alias: str) -> list[Resolved]:
        """The same for the subject that this customer id was made from: one for a current id; none, one or several for
        a former one."""


COUNTED = ("customers", "subjects", "events", "marks", "dead_letters")
"""Customers that live, subjects, events of the timeline, marks that wait, open dead letters."""
EVERY = 1 << 62


class ProfileReader(PositionStore, Protocol):
    """One indexed read each, never a lock. Positions say how far it has come."""

    def customers(self) -> AbstractAsyncContextManager[Look]:
        """For finding customers, and for combining those with a mark."""

    async def view(self, customer_id: str) -> StoredView | None: ...

    async def called(self, customer_ids: Sequence[str]) -> list[Called]:
        """Those of these customers who were ever written."""

    async def customers_of(self, subject: str) -> list[str]:
        """Ids of the customers that a subject counts for now."""

    async def parties_told(self, ref: str, limit: int) -> list[str]:
        """Parties that a personal value was told of."""

    async def personal(self, refs: Sequence[str], told_of: Sequence[str] | None = None) -> Mapping[str, str]:
        """reference → clear value. `told_of`: only what was told of one of these subjects."""

    async def erased(self, subjects: Sequence[str]) -> Mapping[str, int]:
        """subject → when it was erased (ms), of those that were."""

    async def timeline(
        self, spans: Sequence[tuple[str, int, int]], before: Cursor | None, where: TimelineFilter, limit: int
    ) -> list[TimelineRow]:
        """Newest first; events of one instant by their sequence. `spans`: (subject, from, until) in ms."""

    async def timeline_page(self, after: tuple[str, int, int, bytes], limit: int) -> list[TimelineRow]:
        """The next events of all subjects, in the order of (subject, occurred_at, sequence, key)."""

    async def memberships(self, roots: Sequence[str]) -> list[Membership]: ...

    async def links(self, subjects: Sequence[str]) -> list[Link]:
        """The links that lead from these subjects to what they belong to."""

    async def links_to(self, targets: Sequence[str]) -> list[Link]:
        """The links that lead to these subjects."""

    async def decision(self, decision_id: str) -> Decision | None: ...

    async def decisions_on(self, subjects: Sequence[str]) -> list[Decision]: ...

    async def decisions_taken(self, until: int) -> list[Decision]:
        """Decisions of people before then (ms), in the order in which they took effect. A review case is nobody's
        decision."""

    async def placements_page(self, after: tuple[str, int], limit: int) -> list[Placement]:
        """The next placements of all customers, in the order of (lead, at)."""

    async def bases_page(self, after: str, limit: int) -> list[BaseRow]:
        """The next bases of all subjects, in the order of the subjects."""

    async def links_page(self, after: tuple[str, str, str], limit: int) -> list[Link]:
        """The next links of all subjects, in the order of (subject, target, role)."""

    async def cluster(self, root: str) -> Cluster | None: ...

    async def reviews(self, limit: int) -> list[Decision]: ...

    async def dead_letters(
        self, limit: int, state: str, reason: str | None = None, source: str | None = None
    ) -> list[StoredDeadLetter]:
        """The newest first."""

    async def dead_letter(self, letter_id: str) -> StoredDeadLetter | None: ...

    async def sources_seen(self) -> list[SourceSeen]: ...

    async def page_behind(self, after: str, fold_version: int, limit: int) -> tuple[list[str], str | None]:
        """Looks at the next `limit` subjects after one: those whose state was folded by an older version, and the last
        one looked at; None when there was none left."""

    async def page_to_age(self, after: str, before: int, month: int, limit: int) -> tuple[list[str], str | None]:
        """Looks at the next `limit` subjects after one: those with events to age (`aged_of`) or with a month stored
        that is older than `month`, and the last one looked at; None when there was none left."""

    async def count_behind(self, fold_version: int, most: int = EVERY) -> int:
        """How many states were folded by an older version, counted no further than `most`."""

    async def newest_fold(self) -> int:
        """The newest version that any state was folded by; 0 while there is none."""

    async def counts(self, of: Sequence[str] = COUNTED) -> dict[str, int]:
        """For the board and for `doctor`. Up to a hundred thousand each one counts row by row: ask for no more than is
        needed, and seldom. Beyond, customers, subjects and events may be what the database has last heard of itself."""
