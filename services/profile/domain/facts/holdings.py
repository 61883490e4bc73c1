"""Facts about what the customer holds: accounts, loans, deposits, mandates."""

from collections.abc import Iterable
from datetime import date

from schemas.instants import DAY_MS
from services.profile.domain.customers.holdings import HeldThing, value
from services.profile.domain.customers.valuation import money_told, whole_of
from services.profile.domain.facts.picture import Facts, Picture
from services.profile.domain.reference.calendar import day_number
from services.profile.domain.states.months import joined
from services.profile.domain.states.periods import months_after
from services.profile.domain.states.state import Thing

MATURING_DAYS, MATURED_DAYS = 30, 7
_SET_UP, _CANCELLED = "mandates_set_up", "mandates_cancelled"
_CLOSED = frozenset({"closed", "repaid", "cancelled", "blocked"})


def holding_facts(seen: Picture) -> Facts:
    return {
        "accounts_open": sum([one.key == one.part.subject for one in _standing(seen, "account")]),
        "product_families": len(seen.judged.families),
        "products_closed_90d": _closed(seen),
        "cards_active": sum(
            ["issued_at" in one.thing and not is_expired(one.thing, seen.bank_day) for one in _standing(seen, "card")]
        ),
        "mandates_active": sum([not _has_ended(one.thing, seen.bank_day) for one in _standing(seen, "mandate")]),
        "mandates_active_30d_ago": _mandates_at(seen, seen.now - 30 * DAY_MS),
        "mandates_cancelled_30d": _mandates_cancelled(seen),
        **_loans(seen, [one.thing for one in _standing(seen, "loan") if one.thing]),
        **_deposits(seen, [one.thing for one in _standing(seen, "contract") if one.thing]),
    }


def _standing(seen: Picture, kind: str) -> list[HeldThing]:
    return [
        one
        for one in seen.basics.things.get(kind, ())
        if one.part.counts and one.part.current and value(one.thing, "status") not in _CLOSED
    ]


def is_expired(card: Thing, day: int) -> bool:
    """Its last day is over; nobody tells of that."""
    last = day_of(card, "expires_on")
    return last is not None and last < day


def _has_ended(mandate: Thing, day: int) -> bool:
    """The same of a mandate that was set up until a day, and not anew since without one."""
    last, set_up = day_of(mandate, "ends_on"), mandate.get("set_up_at")
    return last is not None and last < day and (set_up is None or mandate["ends_on"].stamp >= set_up.stamp)


def _mandates_at(seen: Picture, at: int) -> int:
    """How many were in force then."""
    day, mandates = seen.reference.day_of(at), seen.basics.things.get("mandate", ())
    return sum([_was_in_force(one, at) for one in mandates if one.part.counts and not _has_ended(one.thing, day)])


def _mandates_cancelled(seen: Picture) -> int:
    """Each once, whoever has told of it; one that was set up again stands."""
    mandates = [one.thing for one in seen.basics.things.get("mandate", ()) if one.part.counts]
    times = [value(thing, "cancelled_at") for thing in mandates if value(thing, "status") == "cancelled"]
    return sum([at // DAY_MS > seen.today - 30 for at in times])


def _was_in_force(mandate: HeldThing, at: int) -> bool:
    """As last told by then. Of one that was told of since, what came first says: nobody cancels what is not in force,
    and a mandate that was heard of before and not cancelled since is set up anew, for another amount."""
    set_up, cancelled = value(mandate.thing, "set_up_at"), value(mandate.thing, "cancelled_at")
    is_told_since = any(one is not None and one > at for one in (set_up, cancelled))
    if is_told_since and (was_set_up := _told_by(mandate, at // DAY_MS)) is not None:
        return was_set_up
    if set_up is not None and set_up <= at:
        return cancelled is None or cancelled > at or cancelled < set_up
    if cancelled is not None and cancelled <= at:
        return False
    firsts = [head.first_at for flows in mandate.part.all_flows for head in flows.heads if head.count]
    first = min(firsts, default=0) if mandate.key == mandate.part.subject else set_up
    was_there = first is not None and first <= at
    return was_there or (cancelled is not None and (set_up is None or cancelled == first))


def _told_by(mandate: HeldThing, day: int) -> bool | None:
    """What was said last before that day, or if nothing was, first after it: of each kind the mandate itself keeps the
    last word alone. None where both were said on one day, or something on the day itself, or what was first is kept no
    more."""
    if mandate.key != mandate.part.subject:
        return None
    flows = mandate.part.all_flows
    months = [joined(parts) for one in flows for parts in one.months.values()]
    said = {
        (on, series == _SET_UP)
        for month in months
        for days in month.days_by_part
        for on, counted in days.items()
        for series in (_SET_UP, _CANCELLED)
        if series in counted
    }
    before = max((on for on, _ in said if on <= day), default=None)
    first = min([head.first_at // DAY_MS for one in flows for head in one.heads if head.count], default=day)
    decides = first if before is None else before
    found = [is_set_up for on, is_set_up in said if on == decides]
    return found[0] == (decides < day) if decides != day and len(found) == 1 else None


def _closed(seen: Picture) -> int:
    since = seen.now - 90 * DAY_MS
    candidates = seen.customer.state.head.latest.get("closed", ())
    return sum([one.at > since and not one.cancelled for one in candidates])


def _loans(seen: Picture, loans: list[Thing]) -> Facts:
    if not loans:
        return {}
    return {
        "loans_open": len(loans),
        "loan_outstanding": _sum(seen, loans, "outstanding", "principal"),
        "loan_repaid_percent": _repaid_percent(seen, loans),
        "loan_arrears": any(bool(value(loan, "arrears")) for loan in loans),
        "loan_instalment": _sum(seen, loans, "instalment"),
        "loan_ends_in_days": _soonest(seen, (_loan_ends(seen, loan) for loan in loans)),
        "mortgages_open": sum(value(loan, "loan_kind") == "mortgage" for loan in loans),
        "fixed_rate_ends_in_days": _soonest(seen, (day_of(loan, "fixed_until") for loan in loans)),
    }


def _repaid_percent(seen: Picture, loans: list[Thing]) -> int | None:
    """Whole ones, of the principals of those that tell both; unknown where one has no rate."""
    both = [
        loan
        for loan in loans
        if value(loan, "outstanding") is not None and (whole := money_told(value(loan, "principal"))) and whole[0]
    ]
    left = whole_of(minor_of(seen, one, "outstanding") for one in both)
    granted = whole_of(minor_of(seen, one, "principal") for one in both)
    if left is None or granted is None:
        return None
    return (granted - left) * 100 // granted if granted else 0


def _sum(seen: Picture, things: Iterable[Thing], *names: str) -> float | None:
    """What each tells under the first of these names, where it does; unknown where one has no rate."""
    amounts = [money for thing in things if (money := _first_told(thing, names)) is not None]
    return seen.major(whole_of(seen.reference.home_minor(*money, seen.bank_day) for money in amounts))


def _first_told(thing: Thing, names: Iterable[str]) -> tuple[int, str] | None:
    return next((money for name in names if (money := money_told(value(thing, name))) is not None), None)


def _loan_ends(seen: Picture, loan: Thing) -> int | None:
    """As told, else when its term is over."""
    ends, granted, months = day_of(loan, "ends_on"), value(loan, "granted_at"), value(loan, "term_months")
    if ends is not None or not isinstance(granted, int) or not isinstance(months, int):
        return ends
    return months_after(seen.reference.day_of(granted), months)


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
        "deposit_maturing_amount": _sum(seen, maturing, "amount"),
        "deposit_matured_uninstructed": bool(matured),
        "deposit_matured_amount": _sum(seen, matured, "amount"),
    }


def minor_of(seen: Picture, thing: Thing, name: str) -> int | None:
    """In minor units of the home currency."""
    amount = money_told(value(thing, name))
    return None if amount is None else seen.reference.home_minor(*amount, seen.bank_day)


def day_of(thing: Thing, name: str) -> int | None:
    """A date attribute as a day since 1970; None where it is absent or no date."""
    text = value(thing, name)
    try:
        return day_number(date.fromisoformat(text)) if isinstance(text, str) else None
    except ValueError:
        return None
