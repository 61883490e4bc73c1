"""Facts about what the customer holds: accounts, loans, deposits, mandates."""

from collections.abc import Iterable
from datetime import date

from services.profile.domain.customers.held import money_told
from services.profile.domain.customers.holdings import Held, value
from services.profile.domain.facts.money import Facts
from services.profile.domain.facts.picture import Picture
from services.profile.domain.reference.calendar import date_of, day_number
from services.profile.domain.states.periods import DAY_MS
from services.profile.domain.states.state import Thing

MATURING_DAYS, MATURED_DAYS = 30, 7
_CLOSED = frozenset({"closed", "repaid", "cancelled", "blocked"})


def holding_facts(seen: Picture) -> Facts:
    return {
        "accounts_open": sum([one.key == one.part.subject for one in _standing(seen, "account")]),
        "product_families": len(seen.judged.families),
        "products_closed_90d": _closed(seen),
        "cards_active": sum(["issued_at" in one.thing for one in _standing(seen, "card")]),
        "mandates_active": len(_standing(seen, "mandate")),
        "mandates_active_30d_ago": _mandates_at(seen, seen.now - 30 * DAY_MS),
        **_loans(seen, [one.thing for one in _standing(seen, "loan") if one.thing]),
        **_deposits(seen, [one.thing for one in _standing(seen, "contract") if one.thing]),
    }


def _standing(seen: Picture, kind: str) -> list[Held]:
    return [
        one
        for one in seen.read.things.get(kind, ())
        if one.part.counts and one.part.current and value(one.thing, "status") not in _CLOSED
    ]


def _mandates_at(seen: Picture, at: int) -> int:
    """How many were in force then; of one whose beginning nobody told, it is long ago."""
    counted = [one.thing for one in seen.read.things.get("mandate", ()) if one.part.counts]
    return sum(
        [(value(thing, "set_up_at") or 0) <= at < (value(thing, "cancelled_at") or seen.now + 1) for thing in counted]
    )


def _closed(seen: Picture) -> int:
    since = seen.now - 90 * DAY_MS
    candidates = seen.customer.state.head.latest.get("closed", ())
    return sum([one.at > since and not one.cancelled for one in candidates])


def _loans(seen: Picture, loans: list[Thing]) -> Facts:
    if not loans:
        return {}
    owed = [minor_of(seen, loan, "outstanding") for loan in loans]
    granted = [minor_of(seen, loan, "principal") for loan in loans]
    both = [(left, whole) for left, whole in zip(owed, granted, strict=True) if left is not None and whole]
    repaid = 100 - sum(left for left, _ in both) * 100 // sum(whole for _, whole in both) if both else 0
    return {
        "loans_open": len(loans),
        "loan_outstanding": seen.major(
            sum((left if left is not None else whole) or 0 for left, whole in zip(owed, granted, strict=True))
        ),
        "loan_repaid_percent": repaid,
        "loan_arrears": any(bool(value(loan, "arrears")) for loan in loans),
        "loan_instalment": seen.major(sum(minor_of(seen, loan, "instalment") or 0 for loan in loans)),
        "loan_ends_in_days": _soonest(seen, (_loan_ends(seen, loan) for loan in loans)),
        "mortgages_open": sum(value(loan, "loan_kind") == "mortgage" for loan in loans),
        "fixed_rate_ends_in_days": _soonest(seen, (day_of(loan, "fixed_until") for loan in loans)),
    }


def _loan_ends(seen: Picture, loan: Thing) -> int | None:
    """As told, else when its term is over."""
    told, granted, months = day_of(loan, "ends_on"), value(loan, "granted_at"), value(loan, "term_months")
    if told is not None or not isinstance(granted, int) or not isinstance(months, int):
        return told
    begun = date_of(seen.reference.day_of(granted))
    last = begun.year * 12 + begun.month - 1 + months
    return day_number(date(last // 12, last % 12 + 1, min(begun.day, 28)))


def _soonest(seen: Picture, dates: Iterable[int | None]) -> int:
    """Days until the first of these dates that is not past; 0 without one."""
    ahead = [day - seen.bank_day for day in dates if day is not None]
    return min((days for days in ahead if days >= 0), default=0)


def _deposits(seen: Picture, deposits: list[Thing]) -> Facts:
    if not deposits:
        return {}
    dated = [(day - seen.bank_day, one) for one in deposits if (day := day_of(one, "matures_on")) is not None]
    uninstructed = [(days, deposit) for days, deposit in dated if value(deposit, "instruction") is None]
    maturing = [deposit for days, deposit in uninstructed if 0 <= days <= MATURING_DAYS]
    matured = [deposit for days, deposit in uninstructed if -MATURED_DAYS <= days < 0]
    return {
        "deposits_open": sum(days >= 0 for days, _ in dated),
        "deposit_matures_in_days": min((days for days, _ in uninstructed if days >= 0), default=0),
        "deposit_maturing_uninstructed": bool(maturing),
        "deposit_maturing_amount": seen.major(sum(minor_of(seen, deposit, "amount") or 0 for deposit in maturing)),
        "deposit_matured_uninstructed": bool(matured),
        "deposit_matured_amount": seen.major(sum(minor_of(seen, deposit, "amount") or 0 for deposit in matured)),
    }


def minor_of(seen: Picture, thing: Thing, name: str) -> int | None:
    """In minor units of the home currency."""
    told = money_told(value(thing, name))
    return None if told is None else seen.reference.home_minor(*told, seen.bank_day)


def day_of(thing: Thing, name: str) -> int | None:
    """A date attribute as a day since 1970; None where it is absent or no date."""
    told = value(thing, name)
    try:
        return day_number(date.fromisoformat(told)) if isinstance(told, str) else None
    except ValueError:
        return None
