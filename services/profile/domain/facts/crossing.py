"""Facts about money that crosses to and from other banks, told by the bank of the other side, and about who is paid
regularly. None stands for unknown."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from services.profile.domain.facts.money import Facts
from services.profile.domain.facts.picture import Picture
from services.profile.domain.reference.tables import Reference
from services.profile.domain.states.combine import DAY_MS, month_of
from services.profile.domain.states.months import AMonth
from services.profile.domain.states.state import MANY

LONGEST_DAYS, MONTH_DAYS = 90, 30
_NOTHING: Facts = dict.fromkeys(
    (
        "external_outflow_7d", "external_outflow_30d", "external_inflow_30d", "competitor_transfers_30d",
        "competitor_outflow_30d", "competitor_outflow_90d", "broker_transfers_90d", "lender_payments_60d",
        "short_term_loans_60d",
    ),
    0,
)  # fmt: skip


class _Crossed(NamedTuple):
    """A day's money of one direction and bank, `age` days ago; minor units of the home currency."""

    age: int
    day: int
    direction: str
    bank: str
    minor: int
    payments: int


def crossing_facts(seen: Picture) -> Facts:
    return crossing_of(seen.whole.state.months, seen.reference, seen.today)


def crossing_of(months: Mapping[int, AMonth], reference: Reference, today: int) -> Facts:
    """A day with too many banks to tell apart makes them all unknown."""
    crossed = list(_crossed(months, reference, today))
    if not crossed:
        return _NOTHING
    sent = [one for one in crossed if one.direction == "debit"]
    listed = [one for one in sent if reference.is_listed(one.bank)]
    competitors = [one for one in listed if reference.is_competitor(one.bank, one.day)]
    brokers = [one for one in competitors if reference.is_broker(one.bank, one.day)]
    lenders = [one for one in listed if one.age < 60 and reference.is_lender(one.bank, one.day)]
    short_term = [one for one in lenders if reference.is_short_term_lender(one.bank, one.day)]
    facts: Facts = {
        "external_outflow_7d": _minor(sent, 7) / reference.home_unit,
        "external_outflow_30d": _minor(sent, 30) / reference.home_unit,
        "external_inflow_30d": _minor([one for one in crossed if one.direction == "credit"], 30) / reference.home_unit,
        "competitor_transfers_30d": sum([one.payments for one in competitors if one.age < 30]),
        "competitor_outflow_30d": _minor(competitors, 30) / reference.home_unit,
        "competitor_outflow_90d": _minor(competitors, 90) / reference.home_unit,
        "broker_transfers_90d": sum([one.payments for one in brokers]),
        "lender_payments_60d": sum([one.payments for one in lenders]),
        "short_term_loans_60d": sum([one.payments for one in short_term]),
    }
    return dict.fromkeys(facts) if any(one.bank == MANY for one in crossed) else facts


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


def _minor(crossed: list[_Crossed], days: int) -> int:
    return sum([one.minor for one in crossed if one.age < days])


def _crossed(months: Mapping[int, AMonth], reference: Reference, today: int) -> Iterator[_Crossed]:
    """What the facts look at: of the last month every other bank, before it those on a list."""
    since = today - LONGEST_DAYS
    for number in range(month_of(max(since, 0) * DAY_MS), max(months, default=0) + 1):
        month = months.get(number)
        for day, banks in month.banks.items() if month is not None else ():
            if day <= since:
                continue
            for key, cell in banks.items():
                if key == MANY:
                    yield _Crossed(today - day, day, "", MANY, 0, 0)
                    continue
                direction, currency, bank = key.split(":", 2)
                if (today - day < MONTH_DAYS and not reference.is_own_bank(bank)) or reference.is_listed(bank):
                    minor = reference.home_minor(cell.total, currency, day) or 0
                    yield _Crossed(today - day, day, direction, bank, minor, cell.count)
