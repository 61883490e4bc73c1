"""Facts about money that crosses to and from other banks, told by the bank of the other side, and about who is paid
regularly. None stands for unknown."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from schemas.instants import DAY_MS
from services.profile.domain.customers.valuation import whole_of
from services.profile.domain.facts.picture import Facts, Picture
from services.profile.domain.reference.tables import PartyKind, Reference
from services.profile.domain.states.months import ReadableMonth
from services.profile.domain.states.periods import month_of
from services.profile.domain.states.state import MANY, Series

LONGEST_DAYS, MONTH_DAYS = 90, 30
_TO_KNOWN_UNKNOWN: Facts = dict.fromkeys(
    (
        "competitor_transfers_30d", "competitor_outflow_30d", "competitor_outflow_90d", "broker_transfers_90d",
        "lender_payments_60d", "short_term_loans_60d",
    )
)  # fmt: skip
_UNKNOWN: Facts = {
    **dict.fromkeys(("external_outflow_7d", "external_outflow_30d", "external_inflow_30d")), **_TO_KNOWN_UNKNOWN
}  # fmt: skip


class _Side(NamedTuple):
    """Which way money went, and what is known of the bank on the other side. `bank`: where none was told, the name.
    `is_known`: of a list, or of a kind that says as much; `is_here`: the bank's own code."""

    direction: str
    currency: str
    bank: str
    kind: PartyKind | None
    is_known: bool
    is_here: bool


class _Sent(NamedTuple):
    """A day's money to somebody who is known, `age` days ago; minor units of the home currency, None without a rate."""

    age: int
    day: int
    bank: str
    kind: PartyKind | None
    minor: int | None
    payments: int


@lru_cache(4096)
def _side(key: str, reference: Reference) -> _Side:
    direction, currency, where = key.split(":", 2)
    bank, _, word = where.partition("#")
    kind, is_listed, is_here = reference.party_kind(word), reference.is_listed(bank), reference.is_own_bank(bank)
    is_known = is_listed or (kind is not None and not is_here)
    return _Side(direction, currency, bank, None if is_here else kind, is_known, is_here)


def crossing_facts(seen: Picture) -> Facts:
    return crossing_of(seen.customer.state.months, seen.reference, seen.today)


def crossing_of(months: Mapping[int, ReadableMonth], reference: Reference, today: int) -> Facts:
    """Of the last month every other bank, before it those that are known. A day with too many banks to tell apart makes
    them all unknown, one with too many names those that ask who it was; a currency without a rate the sums that it is
    part of, and no count."""
    out_7, out_30, in_30 = list[int | None](), list[int | None](), list[int | None]()
    known: list[_Sent] = []
    are_told_apart = True
    for day, sides, are_banks in _days(months, today - LONGEST_DAYS):
        if MANY in sides:
            if are_banks:
                return _UNKNOWN
            are_told_apart = False
            continue
        age = today - day
        for key, cell in sides.items():
            direction, currency, bank, kind, is_known, is_here = _side(key, reference)
            if not is_known and (is_here or not are_banks or age >= MONTH_DAYS):
                continue
            minor = reference.home_minor(cell.total, currency, day)
            if age < MONTH_DAYS and direction in ("credit", "debit"):
                (in_30 if direction == "credit" else out_30).append(minor)
            if direction == "debit":
                if age < 7:
                    out_7.append(minor)
                if is_known:
                    known.append(_Sent(age, day, bank, kind, minor, cell.count))
    crossed: Facts = {
        "external_outflow_7d": _major(out_7, reference),
        "external_outflow_30d": _major(out_30, reference),
        "external_inflow_30d": _major(in_30, reference),
    }
    if not are_told_apart:
        return crossed | _TO_KNOWN_UNKNOWN
    return crossed | _to_known(reference, known) if known else crossed


def _to_known(reference: Reference, sent: list[_Sent]) -> Facts:
    brokers = [one for one in sent if reference.is_broker(one.bank, one.day, one.kind)]
    competitors = [one for one in sent if reference.is_competitor(one.bank, one.day, one.kind)]
    lenders = [one for one in sent if one.age < 60 and reference.is_lender(one.bank, one.day, one.kind)]
    recent = [one for one in competitors if one.age < MONTH_DAYS]
    return {
        "competitor_transfers_30d": sum([one.payments for one in recent]),
        "competitor_outflow_30d": _major([one.minor for one in recent], reference),
        "competitor_outflow_90d": _major([one.minor for one in competitors], reference),
        "broker_transfers_90d": sum([one.payments for one in brokers]),
        "lender_payments_60d": sum([one.payments for one in lenders]),
        "short_term_loans_60d": sum(
            [one.payments for one in lenders if reference.is_short_term_lender(one.bank, one.day, one.kind)]
        ),
    }


def _major(parts: Iterable[int | None], reference: Reference) -> float | None:
    whole = whole_of(parts)
    return None if whole is None else whole / reference.home_unit


def regular_party_facts(seen: Picture) -> Facts:
    """What months tell of the other side: who is paid regularly, and own accounts elsewhere."""
    behaviour = seen.behaviour
    is_known = "regular_payments" not in behaviour.missing
    to_lenders = [one for one in behaviour.regular if one.party_class == "lender"]
    monthly = whole_of(seen.reference.home_minor(one.median_minor, one.currency, seen.bank_day) for one in to_lenders)
    return {
        "pays_rent": behaviour.rent is not None if is_known else None,
        "rent_months_in_a_row": (behaviour.rent.in_a_row if behaviour.rent else 0) if is_known else None,
        "lender_monthly_payment": seen.major(monthly) if is_known else None,
        "own_elsewhere_transfers_2m": max(behaviour.own_elsewhere_count, _called_own(seen)) if is_known else None,
    }


def _called_own(seen: Picture) -> int:
    """Transfers to what the source calls an own account elsewhere, of the current month and the one before it."""
    months, this_month = seen.customer.state.months, month_of(seen.now)
    found = 0
    for number in (this_month - 1, this_month):
        month = months.get(number)
        for sides in (*month.banks.values(), *month.names.values()) if month is not None else ():
            for key, cell in sides.items():
                if "#" in key and key.startswith("debit") and _side(key, seen.reference).kind == "own":
                    found += cell.count
    return found


def _days(months: Mapping[int, ReadableMonth], since: int) -> Iterator[tuple[int, Series, bool]]:
    """The later days, and the other sides on each: those told by a bank, and apart from them those told by name."""
    for number in range(month_of(max(since, 0) * DAY_MS), max(months, default=0) + 1):
        month = months.get(number)
        if month is None:
            continue
        for days, are_banks in ((month.banks, True), (month.names, False)):
            for day, sides in days.items():
                if day > since:
                    yield day, sides, are_banks
