"""Places a customer: tier, owner, band of assets. Each change is kept with its time, because a backtest could not
choose the same again: staff, capacity and policy were different then."""

from collections.abc import Callable

import msgspec

from services.profile.domain.customers.assets import Assets, linked_with, note_band
from services.profile.domain.customers.customer import Customer, Decided
from services.profile.domain.value.merged import standing
from services.profile.domain.value.owners import assign
from services.profile.domain.value.policy import Policy
from services.profile.domain.value.tiers import decide, is_provisional
from services.profile.domain.value.value import Judged

Placing = Callable[[Customer, Judged, Assets, Policy, int], Decided]
_LINKED = "tier_linked"
"""With what the tier was judged to fit last."""
_NOTES = ("former_tier", "owner_reason", "band", "former_band")


def place(customer: Customer, judged: Judged, assets: Assets, policy: Policy, now: int) -> Decided:
    before = standing(customer)
    tier, decided = decide(judged, before, policy, now)
    decided = assign(customer, tier, _note_tier(customer, before, decided, policy, now), policy, now)
    return note_band(customer, assets, decided, policy.reference, now)


def _note_tier(customer: Customer, before: Decided, after: Decided, policy: Policy, now: int) -> Decided:
    """Keeps the former tier, for the moment that tells of the change. A correction of a provisional tier is no change,
    and a tier that changes after what is linked has changed came from none: who leaves a household takes money along
    that was never the others'."""
    if (after.tier, after.judged_day) == (before.tier, before.judged_day) or after.candidate_tier is not None:
        return after
    linked = linked_with(customer)
    is_the_same = linked == after.notes.get(_LINKED, "")
    if after.tier == before.tier and is_the_same:
        return after
    notes = after.notes if is_the_same else {**after.notes, _LINKED: linked}
    if before.tier not in (None, after.tier) and not is_provisional(before, policy.reference, now):
        notes = {name: told for name, told in notes.items() if name != "former_tier"}
        if is_the_same:
            notes["former_tier"] = before.tier
    return msgspec.structs.replace(after, notes=notes)


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
