"""When an account is known to hold nothing: before anything was booked on it, and from when it was closed."""

from schemas.instants import DAY_MS
from services.profile.domain.customers.parts import Part, is_closed, is_told_late, moves_money
from services.profile.domain.states.months import joined
from services.profile.domain.states.periods import month_of, month_of_day
from services.profile.domain.states.state import MONTHS_KEPT, Head, Thing


def balance_now(thing: Thing) -> tuple[int, str] | None:
    """Minor units and currency; nothing on an account that is closed, or on which nothing was booked since it was.
    None where nobody told."""
    balance = thing.get("balance")
    if balance is None:
        return None
    minor, currency = balance.value
    return (minor if emptied_on(thing) is None or _is_booked_since(thing) else 0), currency


def emptied_on(thing: Thing) -> int | None:
    """The day (UTC) from which a closed account holds nothing, until something is booked on it after it was opened
    again. None for one that was never closed, or of which that all happened on one day."""
    closed, opened = thing.get("closed_at"), thing.get("opened_at")
    if closed is None:
        return None
    day: int = closed.value // DAY_MS
    is_over = _is_booked_since(thing) and opened is not None and opened.value // DAY_MS <= day
    return None if is_over else day


def _is_booked_since(thing: Thing) -> bool:
    balance = thing.get("balance")
    return not is_closed(thing) and balance is not None and balance.stamp > thing["closed_at"].stamp


def empty_since(part: Part, head: Head, until: int) -> int | None:
    """The day (UTC) on which an account was opened that is empty until that other day. None where something moved
    before, or may have: of one that was opened before the months kept, or of which something was told before it was
    opened, a balance from then is forgotten, not nothing. `head` counts all of the customer's events."""
    thing = part.things.get(part.subject, {})
    opened = thing.get("opened_at")
    if opened is None or is_told_late(thing) or month_of(opened.value) <= month_of(head.newest_at) - MONTHS_KEPT:
        return None
    told_before = any(one.count and one.first_at < opened.value for flows in part.all_flows for one in flows.heads)
    return None if told_before or _moved_before(part, until) else opened.value // DAY_MS


def _moved_before(part: Part, day: int) -> bool:
    last = month_of_day(day)
    months = [(number, parts) for flows in part.all_flows for number, parts in flows.months.items()]
    return any(number < last and any(moves_money(one.totals) for one in parts) for number, parts in months) or any(
        told < day and moves_money(series)
        for number, parts in months
        if number == last
        for days in joined(parts).days_by_part
        for told, series in days.items()
    )
