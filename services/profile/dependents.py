"""Whose views depend on whose: members show their household or group, which has its owner by its members."""

from collections.abc import Mapping, Sequence

from services.profile.domain.customers.customer import Customer
from services.profile.domain.identity.links import COLLECTIVES, kind_of
from services.profile.gathering import facts_of
from services.profile.ports.records import StoredView


def collectives_first(lead: str) -> tuple[bool, str]:
    """So members that are refreshed with their household see it as it is now, and need not be summed up again."""
    return kind_of(lead) not in COLLECTIVES, lead


def still_to_see(dependents: Mapping[str, Sequence[str]]) -> list[str]:
    """`dependents` of each that was refreshed, in the order of `collectives_first`: without the members that were so
    after their household or group."""
    return sorted({
        root for lead, some in dependents.items() for root in some
        if kind_of(lead) not in COLLECTIVES or root not in dependents
    })  # fmt: skip


def dependents_of(customer: Customer, before: StoredView | None, after: StoredView) -> Sequence[str]:
    """A household's total and its number of members show in its members' views, and its owner follows theirs. What
    happens under a number that was merged with a member's marks the household by the member. This cannot go round in
    circles: neither depends on an owner, and a member's owner on no household."""
    if customer.kind not in COLLECTIVES:
        if len(customer.roots) > 1:
            return tuple(customer.collectives)
        is_as_before = before is not None and (before.state, before.owner) == (after.state, after.owner)
        return () if is_as_before else tuple(customer.collectives)
    if before is not None and _shown_to_members(before) == _shown_to_members(after):
        return ()
    return [part.subject for part in customer.of_kind("party")]


def _shown_to_members(collective: StoredView) -> tuple[object, ...]:
    facts = facts_of(collective)
    return facts.get("assets"), facts.get("members")
