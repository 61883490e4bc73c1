"""What was decided of a customer before others were merged with it, kept so that the undoing of a merge finds it again:
nobody's tier, owner or band changes by a mistake that was put right."""

from collections.abc import Sequence

import msgspec

from services.profile.domain.customers.customer import Customer, Decided

_ROOTS, _BEFORE = "roots", "before_merge"


def standing(customer: Customer) -> Decided:
    """The decision to go on from. Once the roots of a merge are parted, that is the last one taken of none but those
    that are left."""
    decided, roots = customer.decided, list(customer.roots)
    while not _roots(decided, customer.lead) <= {*roots} and _BEFORE in decided.notes:
        decided = msgspec.convert(decided.notes[_BEFORE], Decided)
    known = _roots(decided, customer.lead)
    return decided if known == {*roots} else _noted(decided, roots, is_merged=known < {*roots})


def _roots(decided: Decided, lead: str) -> set[str]:
    return {*decided.notes.get(_ROOTS, [lead])}


def _noted(decided: Decided, roots: Sequence[str], *, is_merged: bool) -> Decided:
    notes = {**decided.notes, _ROOTS: [*roots]}
    if is_merged:
        notes[_BEFORE] = msgspec.to_builtins(decided)
    return msgspec.structs.replace(decided, notes=notes)
