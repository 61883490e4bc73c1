"""Assets under management, over distinct accounts and contracts, now and 30 and 90 days ago.

What is owed (overdrafts, loans) is no asset and is not taken off.
"""

import hashlib
from collections.abc import Iterable
from typing import Literal

import msgspec

from schemas.money import EXPONENTS
from services.profile.domain.customers.customer import Customer, Decided
from services.profile.domain.customers.valuation import Holding, of_parts, of_wealth, whole_of
from services.profile.domain.identity.links import COLLECTIVES, kind_of
from services.profile.domain.reference.tables import Reference

HOUSEHOLD_FACT = "assets"
"""The fact of a household's own view, in major units of the home currency."""

STEADY_PERCENT = 2
"""A smaller change over 30 days is no direction."""

Band = Literal["below", "near", "above"]
Direction = Literal["rising", "falling", "steady", "unknown"]


class Assets(msgspec.Struct, frozen=True, kw_only=True):
    """Minor units of the home currency. `ago_*` and `change_*` are None where a past balance is not known.

    `household_minor` is the household's own total as of its last view. The band goes by the greater of the two
    totals; `to_threshold_minor` is negative above the threshold. `unconverted`: currencies without a rate, `untold`:
    accounts without a balance and deposits without an amount; `total_minor` leaves these holdings out. With one of
    them, there or in the household, whatever compares totals is unknown.
    """

    currency: str
    total_minor: int
    holdings: tuple[Holding, ...]
    household_subject: str | None
    household_minor: int | None
    ago_30_minor: int | None
    ago_90_minor: int | None
    change_30_minor: int | None
    change_90_minor: int | None
    direction: Direction
    threshold_minor: int
    to_threshold_minor: int | None
    band: Band | None
    unconverted: tuple[str, ...]
    untold: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        return not (self.unconverted or self.untold)

    @property
    def greater_minor(self) -> int | None:
        """Of the customer's own total and the household's."""
        return None if self.to_threshold_minor is None else self.threshold_minor - self.to_threshold_minor

    @property
    def percent_of_threshold(self) -> int | None:
        greater = self.greater_minor
        return None if greater is None else greater * 100 // max(self.threshold_minor, 1)


def assets_of(customer: Customer, reference: Reference, now: int) -> Assets:
    held = [*of_parts(customer, reference, now), *of_wealth(customer, reference, now)]
    total, whole = sum(one.holding.home_minor or 0 for one in held), whole_of(one.holding.home_minor for one in held)
    ago_30, ago_90 = whole_of(one.ago_30 for one in held), whole_of(one.ago_90 for one in held)
    household, household_minor = _household(customer, reference)
    is_known = whole is not None and (household is None or household_minor is not None)
    greater = max(total, household_minor or 0) if is_known else None
    threshold = reference.private_banking_threshold
    return Assets(
        currency=reference.home_currency,
        total_minor=total,
        holdings=tuple(one.holding for one in held),
        household_subject=household,
        household_minor=household_minor,
        ago_30_minor=ago_30,
        ago_90_minor=ago_90,
        change_30_minor=None if whole is None or ago_30 is None else whole - ago_30,
        change_90_minor=None if whole is None or ago_90 is None else whole - ago_90,
        direction=_direction(whole, ago_30),
        threshold_minor=threshold,
        to_threshold_minor=None if greater is None else threshold - greater,
        band=None if greater is None else _band(greater, reference),
        unconverted=_unconverted(one.holding for one in held),
        untold=tuple(sorted(one.holding.subject for one in held if one.holding.minor is None)),
    )


def _unconverted(holdings: Iterable[Holding]) -> tuple[str, ...]:
    return tuple(sorted({one.currency for one in holdings if one.home_minor is None and one.minor is not None}))


def _band(minor: int, reference: Reference) -> Band:
    threshold = reference.private_banking_threshold
    return "above" if minor >= threshold else "near" if minor >= threshold - reference.near_band else "below"


def note_band(customer: Customer, assets: Assets, decided: Decided, reference: Reference, now: int) -> Decided:
    """Remembers since when (ms) the customer has been in the present band, and which band it came from. A band that
    changed together with what is linked came from none, for no money has moved, unless all that is linked now was in
    the former band thirty days ago. While it is unknown it stays."""
    if assets.band is None:
        return decided
    known, linked = decided.notes.get("band"), linked_with(customer)
    is_the_same = linked == decided.notes.get("linked", "")
    if known == assets.band and is_the_same:
        return decided
    notes = {**decided.notes, "band": assets.band}
    if not is_the_same:
        notes["linked"] = linked
    if known == assets.band:
        return msgspec.structs.replace(decided, notes=notes)
    notes.pop("former_band", None)
    if known is not None and (is_the_same or _paid_across(assets, known, reference)):
        notes["former_band"] = known
    return msgspec.structs.replace(decided, assets_since=now, notes=notes)


def _paid_across(assets: Assets, known: Band, reference: Reference) -> bool:
    """Of the customer's own: a household's total tells nothing of what it was without the link."""
    ago, is_own = assets.ago_30_minor, _band(assets.total_minor, reference) == assets.band
    return is_own and ago is not None and _band(ago, reference) == known


def linked_with(customer: Customer) -> str:
    """A digest of what may change the assets though nobody paid: members, merged customers, households and how many
    they are, accounts that were linked with what lay there, and those whose link has ended. Empty for most."""
    if customer.kind in COLLECTIVES:
        found = {one.subject for one in customer.numbers}
    else:
        moved = (one for one in customer.parts if one.counts and one.kind in ("account", "contract"))
        found = {f"{one.subject} {one.current}" for one in moved if one.before or not one.current}
        found |= {f"{one} {facts.get('members', 0)}" for one, facts in customer.collectives.items()}
        found |= set(customer.roots) - {customer.lead}
    return hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()[:16] if found else ""


def _household(customer: Customer, reference: Reference) -> tuple[str | None, int | None]:
    """The richest household: a customer may belong to several. One that does not know what it holds may be that."""
    exponent = 10 ** EXPONENTS[reference.home_currency]
    found = []
    for subject, facts in customer.collectives.items():
        if kind_of(subject) == "household" and facts:  # without facts it was not summed up yet
            told = facts.get(HOUSEHOLD_FACT)
            if not isinstance(told, int | float):
                return subject, None
            found.append((round(told * exponent), subject))
    if not found:
        return None, None
    minor, subject = max(found)
    return subject, minor


def _direction(total: int | None, ago: int | None) -> Direction:
    if total is None or ago is None:
        return "unknown"
    change = total - ago
    if abs(change) * 100 <= max(ago, total) * STEADY_PERCENT:
        return "steady"
    return "rising" if change > 0 else "falling"
