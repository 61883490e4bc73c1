"""Whom a customer deals with, by month: the usual ones, the regular payments, own accounts elsewhere, competitors."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from services.profile.domain.customers.customer import Customer
from services.profile.domain.customers.rhythm import median
from services.profile.domain.customers.valuation import money_told, whole_of
from services.profile.domain.reference.tables import PartyClass, Reference, parse_party
from services.profile.domain.states.periods import month_of
from services.profile.domain.states.state import MANY, Cell

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
    """Paid once a month, about the same each time. `in_a_row`: months without a gap, the current one where it is paid
    already."""

    party: str
    party_class: PartyClass
    median_minor: int
    currency: str
    in_a_row: int


class Counterparties(NamedTuple):
    """The sums are of the current and the two months before it, in minor units of the home currency, None where a part
    of one has no rate; `own_elsewhere_count`: transfers to the own name at other banks, of the current month and the
    one before it."""

    usual: tuple[Counterparty, ...]
    regular: tuple[Regular, ...]
    rent: Regular | None
    own_parties: tuple[str, ...]
    own_in_minor: int | None
    own_out_minor: int | None
    own_elsewhere_count: int
    competitor_out_minor: int | None
    lender_out_minor: int | None
    missing: tuple[str, ...]


class _Dealing(msgspec.Struct, frozen=True, gc=False):
    """`cells` by month number, the newest month first."""

    direction: str
    currency: str
    party: str
    cells: dict[int, Cell]


def counterparties_of(customer: Customer, reference: Reference, now: int) -> Counterparties:
    this_month, today = month_of(now), reference.day_of(now)
    dealings, many = _dealings(customer, this_month)
    accounts, names = _own_names(customer)
    own: set[str] = set()
    sums: dict[str, list[int | None]] = {"own_in": [], "own_out": [], "competitor": [], "broker": [], "lender": []}
    regular, elsewhere = [], 0
    for one in dealings:
        party = parse_party(one.party)
        is_held = party.account_no in accounts and not reference.is_other_bank(party.bank)
        if is_held or party.name in names:
            own.add(one.party)
            name = "own_in" if one.direction == "credit" else "own_out"
            sums[name].append(_recently(one, this_month, reference, today))
            if one.direction == "debit" and not is_held and not reference.is_own_bank(party.bank):
                elsewhere += sum([cell.count for number, cell in one.cells.items() if number >= this_month - 1])
        elif one.direction == "debit":
            if reference.may_be_listed(party):
                party_class = reference.classify(one.party, today)
                if party_class in sums:
                    sums[party_class].append(_recently(one, this_month, reference, today))
            found = _regular(one, this_month, reference, today) if len(one.cells) >= REGULAR_MONTHS else None
            if found is not None:
                regular.append(found)
    regular.sort(key=lambda one: (-one.median_minor, one.party))
    return Counterparties(
        _usual(dealings, reference, today), tuple(regular[:REGULAR_KEPT]),
        _rent(regular, dealings, _instalments(customer)), tuple(sorted(own)),
        whole_of(sums["own_in"]), whole_of(sums["own_out"]), elsewhere,
        whole_of(sums["competitor"] + sums["broker"]), whole_of(sums["lender"]),
        ("counterparties", "own_transfers", "regular_payments") if many else (),
    )  # fmt: skip


def _dealings(customer: Customer, this_month: int) -> tuple[list[_Dealing], bool]:
    """Those of the last months; and whether a month had too many to tell apart."""
    found: dict[tuple[str, str], dict[int, Cell]] = {}
    many = False
    for number in range(this_month, this_month - MONTHS_LOOKED_AT, -1):
        month = customer.state.months.get(number)
        for series, parties in month.parties.items() if month is not None else ():
            if MANY in parties:
                many = True
                continue
            for party, cell in parties.items():
                if not cell.count:
                    continue  # all of it was taken back
                cells = found.get((series, party))
                if cells is None:
                    found[series, party] = {number: cell}
                else:
                    cells[number] = cell
    return [_dealing(series, party, cells) for (series, party), cells in found.items()], many


def _dealing(series: str, party: str, cells: dict[int, Cell]) -> _Dealing:
    direction, _, currency = series.partition(":")
    return _Dealing(direction, currency, party, cells)


def _own_names(customer: Customer) -> tuple[frozenset[str], frozenset[str]]:
    """By what a counterparty is the customer: the numbers of the own accounts, and the own names, also the one before a
    change (by reference)."""
    accounts, names = set(), set()
    for part in customer.parts:
        if part.kind == "account" and part.counts:
            accounts.add(part.subject.partition(":")[2])
        elif part.kind == "party" and part.role == "self":
            told = part.things.get(part.subject, {})
            names |= {str(told[field].value) for field in ("name", "former_name") if field in told}
    return frozenset(accounts), frozenset(names)


def _instalments(customer: Customer) -> frozenset[int]:
    """Of the loans that were granted here, in minor units of whatever currency."""
    loans = (part.things.get(part.subject, {}) for part in customer.parts if part.kind == "loan")
    told = [money_told(loan["instalment"].value) for loan in loans if "instalment" in loan]
    return frozenset(one[0] for one in told if one is not None)


def _recently(one: _Dealing, this_month: int, reference: Reference, today: int) -> int | None:
    minor = sum(cell.total for number, cell in one.cells.items() if number > this_month - RECENT_MONTHS)
    return reference.home_minor(minor, one.currency, today)


def _usual(dealings: list[_Dealing], reference: Reference, today: int) -> tuple[Counterparty, ...]:
    lengths = sorted([len(one.cells) for one in dealings], reverse=True)[:USUAL_KEPT]
    least = lengths[-1] if len(lengths) == USUAL_KEPT else 0
    often = [(one, sum([cell.total for cell in one.cells.values()])) for one in dealings if len(one.cells) >= least]
    often.sort(key=_most_first)
    return tuple([_counterparty(one, total, reference, today) for one, total in often[:USUAL_KEPT]])


def _most_first(found: tuple[_Dealing, int]) -> tuple[int, int, str, str]:
    one, total = found
    return -len(one.cells), -total, one.party, one.direction


def _counterparty(one: _Dealing, total: int, reference: Reference, today: int) -> Counterparty:
    count = sum([cell.count for cell in one.cells.values()])
    party_class = reference.classify(one.party, today)
    return Counterparty(one.party, one.direction, party_class, len(one.cells), count, total, one.currency)


def _regular(one: _Dealing, this_month: int, reference: Reference, today: int) -> Regular | None:
    totals: list[int] = []
    for number in range(this_month - 1, this_month - MONTHS_LOOKED_AT, -1):
        cell = one.cells.get(number)
        if cell is None or cell.count != 1:
            break
        totals.append(cell.total)
    if len(totals) < REGULAR_MONTHS or not _alike(totals):
        return None
    now = one.cells.get(this_month)
    is_paid = now is not None and now.count == 1 and _alike([*totals, now.total])
    party_class = reference.classify(one.party, today)
    return Regular(one.party, party_class, median(totals), one.currency, len(totals) + is_paid)


def _alike(totals: list[int]) -> bool:
    return min(totals) * 100 >= max(totals) * ALIKE_PERCENT


def _rent(regular: list[Regular], dealings: list[_Dealing], instalments: frozenset[int]) -> Regular | None:
    """The largest regular payment that goes neither to a lender nor to a competitor and pays no loan of the bank's
    own (told rounded, so within 1 %), if it is a fair share of what goes out: most likely the home."""
    candidates = [
        one
        for one in regular
        if one.in_a_row >= RENT_MONTHS
        and one.party_class in ("bank", "own_bank", "other")
        and not any(abs(one.median_minor - told) * 100 <= told for told in instalments)
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
