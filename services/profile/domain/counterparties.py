"""Whom a customer deals with, by month: the usual ones, the regular payments, own accounts elsewhere, competitors."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from services.profile.domain.combine import month_of
from services.profile.domain.customer import Whole
from services.profile.domain.reference import PartyClass, Reference, parse_party
from services.profile.domain.rhythm import median
from services.profile.domain.state import MANY, Cell

MONTHS_LOOKED_AT = 6
RECENT_MONTHS = 3
USUAL_KEPT = 5
REGULAR_KEPT = 8
REGULAR_MONTHS = 3
RENT_MONTHS = 5
RENT_SHARE_PERCENT = 10
ALIKE_PERCENT = 80
"""Regular payments differ by less than a fifth."""


class Counterparty(msgspec.Struct, frozen=True):
    """Over the last six months (UTC), the current one included. `total_minor` in `currency`."""

    party: str
    direction: str
    party_class: PartyClass
    months: int
    count: int
    total_minor: int
    currency: str


class Regular(msgspec.Struct, frozen=True):
    """Paid once a month, about the same each time. `in_a_row`: months up to the last full one."""

    party: str
    party_class: PartyClass
    median_minor: int
    currency: str
    in_a_row: int


class Counterparties(NamedTuple):
    """The sums are of the current and the two months before it, in minor units of the home currency."""

    usual: tuple[Counterparty, ...]
    regular: tuple[Regular, ...]
    rent: Regular | None
    own_parties: tuple[str, ...]
    own_in_minor: int
    own_out_minor: int
    competitor_out_minor: int
    lender_out_minor: int
    missing: tuple[str, ...]


class _Dealing(NamedTuple):
    direction: str
    currency: str
    party: str
    cells: dict[int, Cell]


def counterparties_of(whole: Whole, reference: Reference, now: int) -> Counterparties:
    this_month, today = month_of(now), reference.day_of(now)
    dealings, many = _dealings(whole, this_month)
    own = _own_parties(whole, dealings)
    sums = {"own_in": 0, "own_out": 0, "competitor": 0, "broker": 0, "lender": 0}
    usual, regular = [], []
    for one in dealings:
        party_class = reference.classify(one.party, today)
        usual.append(_counterparty(one, party_class))
        name = ("own_in" if one.direction == "credit" else "own_out") if one.party in own else party_class
        if name in sums and (one.direction == "debit" or name == "own_in"):
            recent = sum(cell.total for number, cell in one.cells.items() if number > this_month - RECENT_MONTHS)
            sums[name] += reference.home_minor(recent, one.currency, today) or 0
        if one.direction == "debit" and one.party not in own and len(one.cells) >= REGULAR_MONTHS:
            found = _regular(one, party_class, this_month)
            if found is not None:
                regular.append(found)
    usual.sort(key=lambda one: (-one.months, -one.total_minor, one.party, one.direction))
    regular.sort(key=lambda one: (-one.median_minor, one.party))
    return Counterparties(
        tuple(usual[:USUAL_KEPT]), tuple(regular[:REGULAR_KEPT]), _rent(regular, dealings), tuple(sorted(own)),
        sums["own_in"], sums["own_out"], sums["competitor"] + sums["broker"], sums["lender"],
        ("counterparties", "own_transfers", "regular_payments") if many else (),
    )  # fmt: skip


def _dealings(whole: Whole, this_month: int) -> tuple[list[_Dealing], bool]:
    """Cells by month number; and whether a month had too many to tell apart."""
    found: dict[tuple[str, str], _Dealing] = {}
    many = False
    for number, month in whole.state.months.items():
        if not this_month - MONTHS_LOOKED_AT < number <= this_month:
            continue
        for series, parties in month.parties.items():
            if MANY in parties:
                many = True
                continue
            direction, _, currency = series.partition(":")
            for party, cell in parties.items():
                dealing = found.get((series, party))
                if dealing is None:
                    dealing = found[series, party] = _Dealing(direction, currency, party, {})
                dealing.cells[number] = cell
    return list(found.values()), many


def _own_parties(whole: Whole, dealings: list[_Dealing]) -> frozenset[str]:
    """Counterparties that are the customer: an own account, or the own name (compared by reference)."""
    subjects = whole.subjects
    names = {
        part.things[part.subject]["name"].value
        for part in whole.parts
        if part.role == "self" and "name" in part.things.get(part.subject, {})
    }
    own = set()
    for one in dealings:
        party = parse_party(one.party)
        if f"account:{party.account_no}" in subjects or party.name in names:
            own.add(one.party)
    return frozenset(own)


def _counterparty(one: _Dealing, party_class: PartyClass) -> Counterparty:
    count = total = 0
    for cell in one.cells.values():
        count, total = count + cell.count, total + cell.total
    return Counterparty(one.party, one.direction, party_class, len(one.cells), count, total, one.currency)


def _regular(one: _Dealing, party_class: PartyClass, this_month: int) -> Regular | None:
    totals = []
    for number in range(this_month - 1, this_month - MONTHS_LOOKED_AT, -1):
        cell = one.cells.get(number)
        if cell is None or cell.count != 1:
            break
        totals.append(cell.total)
    if len(totals) < REGULAR_MONTHS or min(totals) * 100 < max(totals) * ALIKE_PERCENT:
        return None
    return Regular(one.party, party_class, median(totals), one.currency, len(totals))


def _rent(regular: list[Regular], dealings: list[_Dealing]) -> Regular | None:
    """The largest regular payment that goes neither to a lender nor to a competitor, if it is a fair share of what
    goes out: most likely the home."""
    candidates = [
        one for one in regular if one.in_a_row >= RENT_MONTHS and one.party_class in ("bank", "own_bank", "other")
    ]
    if not candidates:
        return None
    largest = candidates[0]
    went = sum(_debits(dealings, largest.currency))
    return largest if largest.median_minor * MONTHS_LOOKED_AT * 100 >= went * RENT_SHARE_PERCENT else None


def _debits(dealings: list[_Dealing], currency: str) -> Iterator[int]:
    for one in dealings:
        if one.direction == "debit" and one.currency == currency:
            yield from (cell.total for cell in one.cells.values())
