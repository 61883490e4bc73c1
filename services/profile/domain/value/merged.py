"""What is decided of a customer when others are merged with it: the highest tier among them stands, and who has no
owner gets that of the others. What was decided before is kept, so that undoing a merge finds it again: nobody's tier,
owner or band changes by a mistake that was put right."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from services.profile.domain.customers.customer import Customer, Decided
from services.profile.domain.value.policy import TIERS

_ROOTS, _BEFORE = "roots", "before_merge"
_OF_TIER = ("tier", "tier_since", "candidate_tier", "candidate_since", "judged_day")
_OF_OWNER = ("owner", "owner_since", "former_owner")
_TIER_NOTES, _OWNER_NOTES = ("former_tier",), ("owner_reason", "assigned_at", "assigned_to", "handovers")


def standing(customer: Customer) -> Decided:
    """The decision to go on from. Once the roots of a merge are parted, that is the last one taken of none but those
    that are left."""
    decided, roots = customer.decided, list(customer.roots)
    while not _roots(decided, customer.lead) <= {*roots} and _BEFORE in decided.notes:
        decided = msgspec.convert(decided.notes[_BEFORE], Decided)
    known = _roots(decided, customer.lead)
    if known == {*roots}:
        return decided
    if not known < {*roots}:
        return _noted(decided, {_ROOTS: roots})
    others = [one for root, one in sorted(customer.merged.items()) if root not in known]
    return _noted(_highest(decided, others), {_ROOTS: roots, _BEFORE: msgspec.to_builtins(decided)})


def _highest(decided: Decided, others: Sequence[Decided]) -> Decided:
    by_tier = sorted([decided, *others], key=_rank, reverse=True)  # of equals the one that goes on
    if by_tier[0].tier != decided.tier:
        decided = _taken(decided, by_tier[0], _OF_TIER, _TIER_NOTES)
    owned = next((one for one in by_tier if one.owner is not None), decided)
    return decided if decided.owner is not None else _taken(decided, owned, _OF_OWNER, _OWNER_NOTES)


def _rank(decided: Decided) -> int:
    return TIERS.index(decided.tier) if decided.tier in TIERS else -1


def _taken(decided: Decided, other: Decided, fields: Sequence[str], notes: Sequence[str]) -> Decided:
    kept = {name: told for name, told in decided.notes.items() if name not in notes}
    kept |= {name: other.notes[name] for name in notes if name in other.notes}
    return msgspec.structs.replace(decided, **{name: getattr(other, name) for name in fields}, notes=kept)


def _roots(decided: Decided, lead: str) -> set[str]:
    return {*decided.notes.get(_ROOTS, [lead])}


def _noted(decided: Decided, more: Mapping[str, Any]) -> Decided:
    return msgspec.structs.replace(decided, notes={**decided.notes, **more})
