"""Who answers for a customer. An owner changes only for a reason: assigned by the bank, handed over because the owner
left, or found by the portfolio rule because there was none. A household or group follows the owners of its members."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from services.profile.domain.customers.customer import Customer, Decided, MemberCustomer
from services.profile.domain.identity.links import BEGINNING, COLLECTIVES
from services.profile.domain.states.state import Entry
from services.profile.domain.value.attendance import Staff, answering, has_left, left_since
from services.profile.domain.value.policy import Policy


class _Chosen(NamedTuple):
    """`since` in ms. `reason`: assigned, handed_over, portfolio_rule, follows_member, nobody_in_reach, not_needed.
    `assigned_at`, `assigned_to`: the last assignment that was acted on."""

    owner: str | None
    since: int
    reason: str
    former: str | None
    assigned_at: int
    assigned_to: str | None = None


def assign(customer: Customer, tier: str | None, decided: Decided, policy: Policy, now: int) -> Decided:
    """What is remembered of the owner."""
    if not _may_have_one(customer, policy):
        return decided
    chosen = _known(decided)
    for step in _steps(chosen, customer, tier, policy, now):
        if step != chosen:
            decided = _remember(step, chosen, decided, policy)
        chosen = step
    return decided


def as_assigned(customer: Customer, decided: Decided, policy: Policy, now: int) -> dict[str, Any] | None:
    """The owner as he or she was last decided (times in ms; None where there never was one); who acts meanwhile is as
    of now."""
    return _shown(_known(decided), customer.staff, decided, now) if _may_have_one(customer, policy) else None


def _may_have_one(customer: Customer, policy: Policy) -> bool:
    return customer.kind in COLLECTIVES or customer.kind in policy.scales.by_kind


def _steps(known: _Chosen, customer: Customer, tier: str | None, policy: Policy, now: int) -> Iterator[_Chosen]:
    """One by one, so that what is remembered does not depend on how often somebody looked."""
    if customer.kind in COLLECTIVES:
        yield _following_members(known, customer, now)
        return
    known = _as_assigned(known, customer)
    yield known
    for step in _after_leaving(known, customer.staff):
        known = step
        if step.owner is not None:
            yield step
    yield _by_rule_if_needed(known, customer, tier, policy, now)


def _known(decided: Decided) -> _Chosen:
    reason = str(decided.notes.get("owner_reason", "not_needed"))
    assigned_at = int(decided.notes.get("assigned_at", BEGINNING))
    assigned_to = decided.notes.get("assigned_to")
    return _Chosen(decided.owner, decided.owner_since, reason, decided.former_owner, assigned_at, assigned_to)


def _following_members(known: _Chosen, customer: Customer, now: int) -> _Chosen:
    """As it was until there is a view of every member: who is looked at first is chance."""
    members = [customer.members[part.subject] for part in customer.parties if part.subject in customer.members]
    owner = owner_of_members(known.owner, members)
    if owner == known.owner or len(members) < len(customer.parties):
        return known
    former = known.owner or known.former
    return known._replace(owner=owner, since=now, reason="follows_member", former=former)


def owner_of_members(present: str | None, members: Iterable[MemberCustomer]) -> str | None:
    """The present owner while he or she owns a member; else who owns the richest one that has an owner."""
    owned = [one for one in members if one.owner is not None]
    if any(one.owner == present for one in owned):
        return present
    richest = min(owned, key=lambda one: (-one.assets, one.customer_id), default=None)
    return None if richest is None else richest.owner


def _as_assigned(known: _Chosen, customer: Customer) -> _Chosen:
    """Each assignment is acted on once; what happened after it (a hand-over) stands. Of two at one instant the last
    writer's holds, also where it comes after the other was acted on."""
    assignment = _assignment(customer)
    if assignment is None:
        return known
    owner, at = str(assignment.value), assignment.stamp[0]
    if at < known.assigned_at or (at == known.assigned_at and known.assigned_to in (None, owner)):
        return _unless_back(known, customer.staff)
    if owner == known.owner:
        return known._replace(reason="assigned", assigned_at=at, assigned_to=owner)
    return _Chosen(owner, at, "assigned", known.owner or known.former, at, owner)


def _unless_back(known: _Chosen, staff: Staff) -> _Chosen:
    """Who was told late to have come back before the assignment was wrongly taken for one who had left."""
    owner, at = known.assigned_to, known.assigned_at
    if known.reason == "assigned" or owner is None or left_since(staff, owner, at):
        return known
    return known._replace(owner=owner, since=at, reason="assigned", former=known.owner or known.former)


def _taken_over(known: _Chosen) -> int:
    """When the owner was last told to be it."""
    return max(known.since, known.assigned_at) if known.owner == known.assigned_to else known.since


def _assignment(customer: Customer) -> Entry | None:
    """The latest one among the customer's own parties."""
    own = [part.things.get(part.subject, {}) for part in customer.parties]
    entries = [thing["manager_id"] for thing in own if "manager_id" in thing]
    return max(entries, key=lambda entry: entry.stamp, default=None)


def _after_leaving(known: _Chosen, staff: Staff) -> Iterator[_Chosen]:
    """Followed from one who left to the next until one is there; a circle leads nowhere."""
    passed = set[str]()
    while known.owner is not None and left_since(staff, known.owner, _taken_over(known)):
        passed.add(known.owner)
        left_at, named = (staff[known.owner].fields.get(name) for name in ("left_at", "successor_id"))
        since = max(known.since, left_at) if isinstance(left_at, int) else known.since
        owner = str(named) if named and str(named) not in passed else None
        reason = "handed_over" if owner else "not_needed"
        known = known._replace(owner=owner, since=since, reason=reason, former=known.owner)
        yield known


def _by_rule_if_needed(known: _Chosen, customer: Customer, tier: str | None, policy: Policy, now: int) -> _Chosen:
    if known.owner is not None:
        return known
    if tier not in policy.portfolio.tiers:
        return known._replace(reason="not_needed")
    found = _least_loaded(branches(customer), tier, customer.staff, policy)
    if found is None:
        return known._replace(reason="nobody_in_reach")
    return known._replace(owner=found, since=now, reason="portfolio_rule")


def branches(customer: Customer) -> frozenset[str]:
    """Where the customer and his or her accounts are kept."""
    parts = (part for part in customer.parts if part.counts and part.current)
    entries = (part.things.get(part.subject, {}).get("branch") for part in parts)
    return frozenset(str(entry.value) for entry in entries if entry is not None)


def _least_loaded(branches: frozenset[str], tier: str, staff: Staff, policy: Policy) -> str | None:
    """Of the roster's managers who take this tier at one of these branches and have room: the emptiest portfolio in
    proportion, then the smallest number."""
    rooms = []
    for entry in policy.portfolio.roster:
        capacity = entry.capacity or policy.portfolio.capacity
        owned = staff[entry.manager_id].owned if entry.manager_id in staff else 0
        fits = (not entry.branches or not branches.isdisjoint(entry.branches)) and (
            not entry.tiers or tier in entry.tiers
        )
        if fits and owned < capacity and not has_left(staff, entry.manager_id):
            rooms.append((owned * 1000 // capacity, entry.manager_id))
    return min(rooms)[1] if rooms else None


def _remember(chosen: _Chosen, before: _Chosen, decided: Decided, policy: Policy) -> Decided:
    notes = {**decided.notes, "owner_reason": chosen.reason}
    if chosen.assigned_at != BEGINNING:
        notes["assigned_at"] = chosen.assigned_at
    if chosen.assigned_to is not None:
        notes["assigned_to"] = chosen.assigned_to
    if chosen.owner != before.owner:
        change = {"from": before.owner, "to": chosen.owner, "at": chosen.since, "reason": chosen.reason}
        notes["handovers"] = [*decided.notes.get("handovers", ()), change][-policy.portfolio.handovers_kept :]
    return msgspec.structs.replace(
        decided, owner=chosen.owner, owner_since=chosen.since, former_owner=chosen.former, notes=notes
    )


def _shown(chosen: _Chosen, staff: Staff, decided: Decided, now: int) -> dict[str, Any] | None:
    if chosen.owner is None and chosen.former is None and chosen.reason == "not_needed":
        return None
    answers, delegate = answering(chosen.owner, staff, now)
    return {
        "manager_id": chosen.owner,
        "since": chosen.since,
        "reason": chosen.reason,
        "acting": answers,
        "delegate": delegate,
        "former": chosen.former,
        "handovers": decided.notes.get("handovers", []),
    }
