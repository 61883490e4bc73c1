"""The closing balances of one account over the days, and from when on they are known."""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.instants import DAY_MS
from services.profile.domain.customers.empty import balance_now, emptied_on, empty_since
from services.profile.domain.customers.parts import Part, is_closed
from services.profile.domain.states.months import LastClosing, ReadableState, last_closings
from services.profile.domain.states.periods import month_of
from services.profile.domain.states.state import Thing


class Floor(NamedTuple):
    """The oldest month whose closings are looked at, and a day before all of them."""

    month: int
    day: int


class Past(NamedTuple):
    """`since`: before this day (UTC) it is unknown what lay there; None for an account on which nothing did."""

    known: Sequence[LastClosing]
    since: int | None


def past_of(part: Part, begun: Part, closings: Sequence[LastClosing], state: ReadableState, floor: Floor) -> Past:
    """`begun`: the part with which the present link began."""
    thing = part.things.get(part.subject, {})
    now, emptied = balance_now(thing), emptied_on(thing)
    known = _under(begun, closings)
    if now is not None and not known:
        known = [(max(thing["balance"].stamp[0], begun.from_at) // DAY_MS, now)]
    if not known:
        return Past((), emptied if emptied is not None and part.moved_money else None)
    if before := _before(begun, known, state, floor):
        return Past(_emptied(thing, [*before, *known]), None)
    first = min(known)[0]
    opened = empty_since(part, state.head, first)
    if opened is None or opened > first:
        settled = _emptied(thing, known)
        return Past(settled, min(settled)[0])
    nothing = [] if opened == first else [(opened, (0, known[0][1][1]))]
    return Past(_emptied(thing, [*nothing, *known]), None)


def _under(part: Part, closings: Sequence[LastClosing]) -> Sequence[LastClosing]:
    """Without those from before the link, where it began with what lay there then."""
    since = part.from_at // DAY_MS
    return closings if part.opening is None else [one for one in closings if one[0] >= since]


def _before(part: Part, known: Sequence[LastClosing], state: ReadableState, floor: Floor) -> Sequence[LastClosing]:
    """What lay on the account before the first day that is known: it may have slept for longer than is looked at, or
    have been linked since."""
    first = min(known, default=(0, None))[0]
    if month_of(first * DAY_MS) <= floor.month:
        return []
    if any(head.count and month_of(head.first_at) < floor.month for head in part.flows.heads):
        for number, month in state.months.items():
            last = last_closings(month).get(part.subject) if number < floor.month else None
            if last is not None:
                return [(floor.day, last[1])]
    opening = part.opening if part.from_at // DAY_MS <= first else None
    return [] if opening is None else [(floor.day, opening.value)]


def _emptied(thing: Thing, known: Sequence[LastClosing]) -> Sequence[LastClosing]:
    """With nothing from the day on which the account was closed."""
    day = emptied_on(thing)
    if day is None or not known:
        return known
    later = [] if is_closed(thing) else [one for one in known if one[0] > day]
    return [*(one for one in known if one[0] < day), (day, (0, known[0][1][1])), *later]
