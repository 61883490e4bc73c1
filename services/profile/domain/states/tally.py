"""What one event adds to a state: its activity, its counts and sums, its counterparty, the balance after it."""

from typing import Any, NamedTuple

from schemas.events import ChannelEvent, Counterparty, Money
from schemas.instants import DAY_MS, HOUR_MS
from services.profile.domain.states.combine import later
from services.profile.domain.states.periods import month_of
from services.profile.domain.states.series import Counted
from services.profile.domain.states.state import (
    BANKS_KEPT,
    HOURS_KEPT,
    KEYS_KEPT,
    MANY,
    MONTHS_KEPT,
    Activity,
    Cell,
    Entry,
    Head,
    Month,
    Series,
    Stamp,
    State,
)


class Moved(NamedTuple):
    """How many movements an event adds, and whether it adds its amount (1) or takes it away (-1)."""

    many: int
    sign: int


DONE, UNDONE, UNDONE_IN_PART = Moved(1, 1), Moved(-1, -1), Moved(0, -1)


def note_activity(state: State, event: ChannelEvent) -> None:
    head, at = state.head, event.occurred_at
    head.first_at = min(head.first_at, at) if head.count else at
    if at > head.newest_at or not head.count:
        _prune(state, head.newest_at if head.count else 0, at)
        head.newest_at = at
    head.count += 1
    channels = head.activity.setdefault(event.actor or "", {})
    known = channels.get(event.channel)
    if known is None:
        channels[event.channel] = Activity(at, at, 1)
    else:
        known.first_at, known.last_at = min(known.first_at, at), max(known.last_at, at)
        known.count += 1


def _prune(state: State, before: int, at: int) -> None:
    """Drops hours and months that the newest event leaves behind the horizon."""
    hour = at // HOUR_MS
    if state.head.hours and hour != before // HOUR_MS:
        state.head.hours = {kept: series for kept, series in state.head.hours.items() if kept > hour - HOURS_KEPT}
    if state.months and at // DAY_MS != before // DAY_MS:
        oldest = month_of(at) - MONTHS_KEPT
        if any(number <= oldest for number in state.months):
            state.months = {number: part for number, part in state.months.items() if number > oldest}


def month_part(state: State, at: int) -> Month | None:
    """The part of that month, made if missing; None if the month lies before the horizon."""
    number = month_of(at)
    month = state.months.get(number)
    if month is None and number > month_of(state.head.newest_at) - MONTHS_KEPT:
        month = state.months[number] = Month()
    return month


def count_at(
    head: Head, month: Month | None, event: ChannelEvent, at: int, counted: Counted, moved: Moved, attributes: Any
) -> None:
    rules = counted.for_event(event, attributes)
    if not rules:
        return
    day = month.days.setdefault(at // DAY_MS, {}) if month is not None else None
    recent = at // HOUR_MS > head.newest_at // HOUR_MS - HOURS_KEPT
    minor, currency = (event.amount.minor, event.amount.currency) if event.amount else (0, "")
    many, sign = moved
    for rule in rules:
        name, summed = (f"{rule.name}:{currency}", minor * sign) if rule.sums else (rule.name, 0)
        if month is not None and day is not None:
            _add(day, name, many, summed)
            _add(month.totals, name, many, summed)
        if rule.hours and recent:
            _add(head.hours.setdefault(at // HOUR_MS, {}), name, many, summed)


def _add(series: Series, name: str, count: int, total: int) -> None:
    cell = series.get(name)
    if cell is None:
        series[name] = Cell(count, total)
    else:
        cell.count += count
        cell.total += total


def note_party(month: Month | None, event: ChannelEvent, at: int, moved: Moved) -> None:
    other = event.counterparty
    if month is None or other is None or event.amount is None:
        return
    minor = event.amount.minor * moved.sign
    series = f"{event.direction}:{event.amount.currency}"
    key = party_key(other)
    if key:
        _add_at_most(KEYS_KEPT, month.parties.setdefault(series, {}), key, moved.many, minor)
    where = _bank_key(other, event.direction)
    if where:
        days = month.banks if other.bank else month.names
        _add_at_most(BANKS_KEPT, days.setdefault(at // DAY_MS, {}), f"{series}:{where}", moved.many, minor)


def _add_at_most(most: int, cells: Series, key: str, count: int, total: int) -> None:
    """Beyond `most` keys the map becomes `many` for good, since what was left out is lost."""
    if MANY in cells:
        return
    _add(cells, key, count, total)
    if len(cells) > most:
        cells.clear()
        cells[MANY] = Cell()


def note_balance(head: Head, month: Month | None, account: str, balance: Money, stamp: Stamp) -> None:
    entry = Entry(stamp, [balance.minor, balance.currency])
    thing = head.things.setdefault(account, {})
    known = thing.get("balance")
    thing["balance"] = entry if known is None else later(known, entry)
    if month is not None:
        days, day = month.closing.setdefault(account, {}), stamp[0] // DAY_MS
        closing = days.get(day)
        days[day] = entry if closing is None else later(closing, entry)


def _bank_key(other: Counterparty, direction: str | None) -> str:
    """`bank#kind`: the source's word for the other side, where it has one. What goes out without a bank is kept by the
    name's reference, for lists know some by name; who pays in may be too many."""
    goes_out = direction == "debit"
    where = other.bank or (other.name if goes_out else "")
    return f"{where}#{other.kind}" if other.kind and (where or goes_out) else where


def party_key(other: Counterparty) -> str:
    """`bank/account_no#name` where bank or account are told, else the name's reference, else the source's word for it;
    empty where nothing is told."""
    if other.account_no or other.bank:
        return f"{other.bank}/{other.account_no}#{other.name}" if other.name else f"{other.bank}/{other.account_no}"
    return other.name or other.kind
