"""Builds a `Customer` from the rows of the store: the same way for refresh, which writes the view that follows, and for
reading, which only shows it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from schemas.changes import Fact
from services.profile.domain.customers.customer import (
    Completeness,
    Customer,
    Decided,
    Manager,
    MemberCustomer,
    kind_of_customer,
    total,
)
from services.profile.domain.customers.parts import Part, part_of
from services.profile.domain.facts.catalogue import FACTS, with_rests
from services.profile.domain.identity.links import COLLECTIVES, END, Cluster, kind_of
from services.profile.domain.states.months import OtherShape
from services.profile.ports.records import PartyView, StoredView
from services.profile.ports.refreshing import CustomerRows, Member
from services.profile.statement import stored_facts

OWNED_FOR_MS = 5_000
"""How long the number of customers of each manager is remembered: counting reads a row of every one of them."""


class _Assets(msgspec.Struct):
    assets: float = 0.0


class _Worth(msgspec.Struct):
    """The one fact of a member that its household needs."""

    values: _Assets


_decode_worth = msgspec.json.Decoder(_Worth).decode
NO_VIEWS: Mapping[str, StoredView] = {}
_decode_decided = msgspec.json.Decoder(Decided).decode


class Gathered(NamedTuple):
    """`members` by root. `lost`: roots with a state that cannot be read, and what was raised."""

    members: dict[str, list[Member]]
    lost: dict[str, Exception]

    def of(self, cluster: Cluster) -> list[Member]:
        """The members of all roots of the cluster. Raises what was met if one of them is lost."""
        for root in cluster.roots:
            if root in self.lost:
                raise self.lost[root]
        return [one for root in cluster.roots for one in self.members.get(root, ())]


async def gathered(rows: CustomerRows, roots: Sequence[str]) -> Gathered:
    """Reads the members of all roots at once. If that fails on a state, it reads root by root, so that only the
    customers with a bad state are lost. Whatever else fails is the database's, and then nothing can be read any more
    in this transaction."""
    members: dict[str, list[Member]] = {}
    lost: dict[str, Exception] = {}
    try:
        return Gathered(await _members(rows, roots), lost)
    except OtherShape:
        for root in roots:
            try:
                members |= await _members(rows, [root])
            except OtherShape as error:
                lost[root] = error
    return Gathered(members, lost)


async def _members(rows: CustomerRows, roots: Sequence[str]) -> dict[str, list[Member]]:
    """Of a household or group also what its members have under other numbers that were merged with theirs."""
    members = await rows.members(roots)
    numbers = {root: _numbers_now(found) for root, found in members.items() if kind_of(root) in COLLECTIVES}
    everybody = sorted({number for own in numbers.values() for number in own})
    merged = await rows.clusters(everybody) if everybody else {}
    if not merged:
        return members
    others = {root: {one for own in told if own in merged for one in merged[own].roots}.difference(told)
              for root, told in numbers.items()}  # fmt: skip
    found = await rows.members(sorted({one for some in others.values() for one in some}))
    return members | {
        root: [*members[root], *(_within(root, one) for other in sorted(some) for one in found[other])]
        for root, some in others.items()
    }


def _numbers_now(members: Sequence[Member]) -> list[str]:
    found = (one.membership for one in members)
    return sorted({one.subject for one in found if one.until_at == END and kind_of(one.subject) == "party"})


def _within(root: str, other: Member) -> Member:
    """A number that was merged counts with all its past, and is no member by itself."""
    membership = other.membership
    role = "joint" if membership.subject == membership.root else membership.role
    return Member(membership._replace(root=root, role=role), other.stored)


class Context(NamedTuple):
    """What the customers of one run share. `collectives`: household or group → facts of its view. `members`: party →
    member, for the households and groups among the customers."""

    staff: dict[str, Manager]
    collectives: dict[str, dict[str, Fact]]
    members: dict[str, MemberCustomer]


class Gathering:
    """`completeness`: how far the sources have come. `alias_of`: subject → the customer id that it would give."""

    def __init__(self, completeness: Callable[[], Completeness], alias_of: Callable[[str], str]) -> None:
        self._completeness = completeness
        self.alias_of = lru_cache(maxsize=200_000)(alias_of)
        self._known: Mapping[str, dict[str, Any]] = {}
        self._staff: dict[str, Manager] = {}
        self._owned: dict[str, int] = {}
        self._owned_until = 0

    async def context(
        self, rows: CustomerRows, members: Mapping[str, Sequence[Member]], now: int,
        roster: Collection[str] | None = None,
    ) -> Context:  # fmt: skip
        """`roster`: owners will be chosen, by rule among these managers, which needs all of the staff, how many
        customers those of the roster have, and the owners of members. Without it only the managers of the customers at
        hand are read."""
        owned = await self._counted(rows, roster, now) if roster is not None else {}
        known = await rows.staff() if roster is not None else await rows.staff_of(sorted(members))
        staff = self._managers(known) | {one: Manager(one, known.get(one, {}), many) for one, many in owned.items()}
        collectives = {root for found in members.values() for one in found for root in one.stored.collectives}
        views = await rows.views(sorted(collectives)) if collectives else {}
        parties = _members_of_collectives(members) if roster is not None else []
        party_views = await rows.party_views(parties) if parties else {}
        return Context(
            staff,
            {lead: facts_of(view) for lead, view in views.items()},
            {party: _member_customer(view) for party, view in party_views.items()},
        )

    def _managers(self, known: Mapping[str, dict[str, Any]]) -> dict[str, Manager]:
        """Made anew for another staff alone."""
        if known is not self._known:
            self._known = known
            self._staff = {one: Manager(one, told, 0) for one, told in known.items()}
        return self._staff

    async def _counted(self, rows: CustomerRows, roster: Collection[str], now: int) -> Mapping[str, int]:
        """Of the roster alone: a bank that assigns all owners itself has none, and a row for each of its customers."""
        if not now < self._owned_until <= now + OWNED_FOR_MS or self._owned.keys() != set(roster):
            counts = await rows.owned_counts(sorted(roster)) if roster else {}
            self._owned = {manager: counts.get(manager, 0) for manager in roster}
            self._owned_until = now + OWNED_FOR_MS
        return self._owned

    def note_owner(self, context: Context, before: str | None, after: str | None) -> None:
        """To be called for each customer whose owner was chosen, before the next one of the same run is looked at: the
        counts go on from there, and so do those that are remembered."""
        for manager, more in ((before, -1), (after, 1)):
            if manager is not None and manager in self._owned:
                self._owned[manager] += more
                known = context.staff[manager]
                context.staff[manager] = msgspec.structs.replace(known, owned=known.owned + more)

    def customer(
        self, lead: str, cluster: Cluster, members: Sequence[Member], before: StoredView | None, context: Context,
        merged: Mapping[str, StoredView] = NO_VIEWS,
    ) -> Customer:  # fmt: skip
        """`merged`: the last views of the other roots, from which owners and tiers are chosen."""
        parts = [_part(one) for one in members]
        own = [one for one in members if one.membership.subject in cluster.roots]
        roots = {root for one in own for root in one.stored.collectives}
        return Customer(
            customer_id=self.alias_of(lead), lead=lead, roots=cluster.roots, kind=kind_of_customer(lead, parts),
            parts=parts, state=total(parts),
            decided=Decided() if before is None else _decode_decided(before.decided),
            collectives={root: context.collectives.get(root, {}) for root in sorted(roots)},
            members=context.members if kind_of(lead) in COLLECTIVES else {},
            merged={root: _decode_decided(merged[root].decided) for root in cluster.roots if root in merged},
            staff=context.staff, completeness=self._completeness(),
        )  # fmt: skip


def facts_of(view: StoredView) -> dict[str, Fact]:
    """Every known fact of a view, those at rest included; none for a customer that is gone."""
    facts = stored_facts(view)
    return with_rests(facts.values, facts.unknown, FACTS.values()) if view.is_live else {}


def _members_of_collectives(members: Mapping[str, Sequence[Member]]) -> list[str]:
    return sorted({one for root, some in members.items() if kind_of(root) in COLLECTIVES for one in _numbers_now(some)})


def _member_customer(view: PartyView) -> MemberCustomer:
    return MemberCustomer(view.customer_id, view.owner, _decode_worth(view.facts).values.assets)


def _part(member: Member) -> Part:
    stored = member.stored
    return part_of(member.membership, stored.cuts, stored.heads, stored.months, stored.erased_at)
