"""Places a customer: tier, owner, band of assets. Each change is kept with its time, because a backtest could not
choose the same again: staff, capacity and policy were different then."""

from collections.abc import Callable

import msgspec

from services.profile.domain.customers.assets import Assets, note_band
from services.profile.domain.customers.customer import Customer, Decided
from services.profile.domain.value.apart import standing
from services.profile.domain.value.owners import assign
from services.profile.domain.value.policy import Policy
from services.profile.domain.value.tiers import decide, is_provisional
from services.profile.domain.value.value import Judged

Placing = Callable[[Customer, Judged, Assets, Policy, int], Decided]
_NOTES = ("former_tier", "owner_reason", "band", "former_band")


def place(customer: Customer, judged: Judged, assets: Assets, policy: Policy, now: int) -> Decided:
    before = standing(customer)
    tier, decided = decide(judged, before, policy, now)
    decided = assign(customer, tier, _note_tier(before, decided, policy, now), policy, now)
    return note_band(customer, assets, decided, policy.reference, now)


def _note_tier(before: Decided, after: Decided, policy: Policy, now: int) -> Decided:
    """Keeps the former tier, for the moment that tells of the change. A correction of a provisional tier is no
    change."""
    if before.tier in (None, after.tier) or is_provisional(before, policy.reference, now):
        return after
    return msgspec.structs.replace(after, notes={**after.notes, "former_tier": before.tier})


def placement_of(decided: Decided) -> Decided:
    """The part of a decision that a placement keeps: nothing that only the next choice needs."""
    return Decided(
        tier=decided.tier, tier_since=decided.tier_since, owner=decided.owner, owner_since=decided.owner_since,
        former_owner=decided.former_owner, assets_since=decided.assets_since,
        notes={name: decided.notes[name] for name in _NOTES if name in decided.notes},
    )  # fmt: skip


def moved(before: Decided, after: Decided) -> Decided | None:
    """The new placement, if it differs from the one before."""
    if after is before:
        return None
    placed = placement_of(after)
    return None if placed == placement_of(before) else placed


def laid_over(placed: Decided, decided: Decided) -> Decided:
    """The decision with its placement replaced by an earlier one."""
    others = {name: told for name, told in decided.notes.items() if name not in _NOTES}
    return msgspec.structs.replace(placed, notes={**others, **placed.notes})
