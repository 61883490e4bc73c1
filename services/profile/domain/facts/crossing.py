"""Facts about money that crosses to and from other banks, told by the bank of the other side, and about who is paid
regularly. None stands for unknown."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from services.profile.domain.facts.money import Facts
from services.profile.domain.facts.picture import Picture
from services.profile.domain.reference.tables import Reference
from services.profile.domain.states.months import AMonth
from services.profile.domain.states.periods import DAY_MS, month_of
from services.profile.domain.states.state import MANY, Series

LONGEST_DAYS, MONTH_DAYS = 90, 30
_UNKNOWN: Facts = dict.fromkeys(
    (
        "external_outflow_7d", "external_outflow_30d", "external_inflow_30d", "competitor_transfers_30d",
        "competitor_outflow_30d", "competitor_outflow_90d", "broker_transfers_90d", "lender_payments_60d",
        "short_term_loans_60d",
    )
)  # fmt: skip


class _Side(NamedTuple):
    """Which way money went, and what is known of the bank on the other side."""

    direction: str
    currency: str
    bank: str
    is_own: bool
    is_listed: bool


class _Sent(NamedTuple):
    """A day's money to a bank on a list, `age` days ago; minor units of the home currency."""

    age: int
    day: int
    bank: str
    minor: int
    payments: int


@lru_cache(4096)
def _side(key: str, reference: Reference) -> _Side:
    direction, currency, bank = key.split(":", 2)
    return _Side(direction, currency, bank, reference.is_own_bank(bank), reference.is_listed(bank))


def crossing_facts(seen: Picture) -> Facts:
    return crossing_of(seen.whole.state.months, seen.reference, seen.today)


def crossing_of(months: Mapping[int, AMonth], reference: Reference, today: int) -> Facts:
    """Of the last month every other bank, before it those on a list. A day with too many banks to tell apart makes them
    all unknown."""
    out_7 = out_30 = in_30 = 0
    listed: list[_Sent] = []
    for day, banks in _days(months, today - LONGEST_DAYS):
        if MANY in banks:
            return _UNKNOWN
        age = today - day
        for key, cell in banks.items():
            direction, currency, bank, is_own, is_listed = _side(key, reference)
            if not is_listed and (is_own or age >= MONTH_DAYS):
                continue
            minor = reference.home_minor(cell.total, currency, day) or 0
            if direction == "credit":
                in_30 += minor if age < MONTH_DAYS else 0
            elif direction == "debit":
                out_7 += minor if age < 7 else 0
                out_30 += minor if age < MONTH_DAYS else 0
                if is_listed:
                    listed.append(_Sent(age, day, bank, minor, cell.count))
    crossed: Facts = {
        "external_outflow_7d": out_7 / reference.home_unit,
        "external_outflow_30d": out_30 / reference.home_unit,
        "external_inflow_30d": in_30 / reference.home_unit,
    }
    return crossed | _to_listed(reference, listed) if listed else crossed


def _to_listed(reference: Reference, sent: list[_Sent]) -> Facts:
    competitors = [one for one in sent if reference.is_competitor(one.bank, one.day)]
    lenders = [one for one in sent if one.age < 60 and reference.is_lender(one.bank, one.day)]
    recent = [one for one in competitors if one.age < MONTH_DAYS]
    return {
        "competitor_transfers_30d": sum([one.payments for one in recent]),
        "competitor_outflow_30d": sum([one.minor for one in recent]) / reference.home_unit,
        "competitor_outflow_90d": sum([one.minor for one in competitors]) / reference.home_unit,
        "broker_transfers_90d": sum([one.payments for one in competitors if reference.is_broker(one.bank, one.day)]),
        "lender_payments_60d": sum([one.payments for one in lenders]),
        "short_term_loans_60d": sum(
            [one.payments for one in lenders if reference.is_short_term_lender(one.bank, one.day)]
        ),
    }


def regular_party_facts(seen: Picture) -> Facts:
    """What months tell of the other side: who is paid regularly, and own accounts elsewhere."""
    behaviour = seen.behaviour
    is_known = "regular_payments" not in behaviour.missing
    to_lenders = [one for one in behaviour.regular if one.party_class == "lender"]
    monthly = sum(seen.reference.home_minor(one.median_minor, one.currency, seen.bank_day) or 0 for one in to_lenders)
    return {
        "pays_rent": behaviour.rent is not None if is_known else None,
        "rent_months_in_a_row": (behaviour.rent.in_a_row if behaviour.rent else 0) if is_known else None,
        "lender_monthly_payment": seen.major(monthly) if is_known else None,
        "own_elsewhere_transfers_2m": behaviour.own_elsewhere_count if is_known else None,
    }


def _days(months: Mapping[int, AMonth], since: int) -> Iterator[tuple[int, Series]]:
    """The later days, and the banks of the other side on each."""
    for number in range(month_of(max(since, 0) * DAY_MS), max(months, default=0) + 1):
        month = months.get(number)
        for day, banks in month.banks.items() if month is not None else ():
            if day > since:
                yield day, banks
