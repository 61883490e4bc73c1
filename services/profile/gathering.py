"""Gathers a customer from what the store holds: the same for refresh, which writes what follows, and for reading, which
only shows it."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from schemas.changes import Fact
from services.failures import Contended, Fenced, Unavailable
from services.profile.domain.customers.customer import (
    Completeness,
    Decided,
    Manager,
    MemberCustomer,
    Part,
    Whole,
    kind_of_customer,
    part_of,
    total,
)
from services.profile.domain.facts.catalogue import FACTS, with_rests
from services.profile.domain.identity.links import COLLECTIVES, END, Cluster, kind_of
from services.profile.ports.records import PartyView, StoredView
from services.profile.ports.refreshing import CustomerRows, Member
from services.profile.statement import LIVE, stored_facts

OWNED_FOR_MS = 5_000
"""For how long it is taken as known how many customers each manager owns: counting them passes over every customer."""
_OF_ALL = (Unavailable, Contended, Fenced)
"""What concerns the whole transaction, and no single customer."""


class _Assets(msgspec.Struct):
    assets: float = 0.0


class _Worth(msgspec.Struct):
    """Of all that is told of a member, what its household looks at."""

    values: _Assets


_decode_worth = msgspec.json.Decoder(_Worth).decode
_decode_decided = msgspec.json.Decoder(Decided).decode


class Gathered(NamedTuple):
    """`lost`: roots whose states nobody can read, with what was raised."""

    members: dict[str, list[Member]]
    lost: dict[str, Exception]

    def of(self, cluster: Cluster) -> list[Member]:
        """Raises what was met where a state of one of its roots cannot be read."""
        for root in cluster.roots:
            if root in self.lost:
                raise self.lost[root]
        return [one for root in cluster.roots for one in self.members.get(root, ())]


async def gathered(rows: CustomerRows, roots: Sequence[str]) -> Gathered:
    """All roots in one read. Where a state among them cannot be read, each root is read alone, so that only the
    customers concerned are lost."""
    members: dict[str, list[Member]] = {}
    lost: dict[str, Exception] = {}
    try:
        return Gathered(await rows.members(roots), lost)
    except _OF_ALL:
        raise
    except Exception:
        for root in roots:
            try:
                members |= await rows.members([root])
            except _OF_ALL:
                raise
            except Exception as error:
                lost[root] = error
    return Gathered(members, lost)


class Context(NamedTuple):
    """What customers gathered together share: managers, the facts of households and groups, and the members of those
    households and groups that are gathered themselves, by party."""

    staff: dict[str, Manager]
    collectives: dict[str, dict[str, Fact]]
    members: dict[str, MemberCustomer]


class Gathering:
    """`completeness`: how far the sources have come. `alias_of` gives the customer id that a subject would name.
    `chooses`: an owner will be chosen from what is gathered, so all managers are read, how many customers each has, and
    the owners of members; otherwise only the managers of these customers are."""

    def __init__(
        self, completeness: Callable[[], Completeness], alias_of: Callable[[str], str], *, chooses: bool
    ) -> None:
        self._completeness, self._chooses = completeness, chooses
        self.alias_of = lru_cache(maxsize=200_000)(alias_of)
        self._owned: dict[str, int] = {}
        self._owned_until = 0

    async def context(self, rows: CustomerRows, members: Mapping[str, Sequence[Member]], now: int) -> Context:
        if self._chooses and not now < self._owned_until <= now + OWNED_FOR_MS:
            self._owned, self._owned_until = await rows.owned_counts(), now + OWNED_FOR_MS
        owned = self._owned
        told = await rows.staff() if self._chooses else await rows.staff_of(sorted(members))
        staff = {one: Manager(one, told.get(one, {}), owned.get(one, 0)) for one in owned.keys() | told.keys()}
        collectives = {root for found in members.values() for one in found for root in one.stored.collectives}
        views = await rows.views(sorted(collectives)) if collectives else {}
        parties = _members_of_collectives(members) if self._chooses else []
        party_views = await rows.party_views(parties) if parties else {}
        return Context(
            staff,
            {lead: facts_of(view) for lead, view in views.items()},
            {party: _member_customer(view) for party, view in party_views.items()},
        )

    def count_anew(self, now: int) -> None:
        """Owners have been chosen: a worker knows its own choices at once."""
        self._owned_until = now

    def whole(
        self, lead: str, cluster: Cluster, members: Sequence[Member], before: StoredView | None, context: Context
    ) -> Whole:
        parts = [_part(one) for one in members]
        own = [one for one in members if one.membership.subject in cluster.roots]
        roots = {root for one in own for root in one.stored.collectives}
        return Whole(
            customer_id=self.alias_of(lead), lead=lead, roots=cluster.roots, kind=kind_of_customer(lead, parts),
            parts=parts, state=total(parts),
            decided=Decided() if before is None else _decode_decided(before.decided),
            collectives={root: context.collectives.get(root, {}) for root in sorted(roots)},
            members=context.members if kind_of(lead) in COLLECTIVES else {},
            staff=context.staff, completeness=self._completeness(),
        )  # fmt: skip


def facts_of(view: StoredView) -> dict[str, Fact]:
    """Without those that are unknown; of a customer who is none any more, none."""
    facts = stored_facts(view)
    return with_rests(facts.values, facts.unknown, FACTS.values()) if view.state == LIVE else {}


def _members_of_collectives(members: Mapping[str, Sequence[Member]]) -> list[str]:
    found = (one.membership for root, some in members.items() if kind_of(root) in COLLECTIVES for one in some)
    return sorted({one.subject for one in found if one.until_at == END and kind_of(one.subject) == "party"})


def _member_customer(view: PartyView) -> MemberCustomer:
    return MemberCustomer(view.customer_id, view.owner, _decode_worth(view.facts).values.assets)


def _part(member: Member) -> Part:
    stored = member.stored
    return part_of(member.membership, stored.cuts, stored.heads, stored.months)
