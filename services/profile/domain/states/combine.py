"""Joins two states: commutative, associative, with the empty state as identity. Neither argument is changed."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from schemas.instants import HOUR_MS
from services.profile.domain.states.latest import join_latest
from services.profile.domain.states.periods import month_of
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
    State,
    Thing,
    Undone,
)
from services.profile.domain.states.undone import GIVEN_BACK, times

K = TypeVar("K")
V = TypeVar("V")
Stamped = TypeVar("Stamped", Entry, Undone)


def combine(left: State, right: State) -> State:
    head = combine_heads(left.head, right.head)
    oldest = month_of(head.newest_at) - MONTHS_KEPT
    months = {
        number: combine_months(left.months.get(number, _NO_MONTH), right.months.get(number, _NO_MONTH))
        for number in left.months.keys() | right.months.keys()
        if number > oldest
    }
    whole = State(head, months)
    for number in left.months.keys() & right.months.keys() & months.keys():
        one, other = left.months[number].undone, right.months[number].undone
        for original in one.keys() & other.keys():
            add_undone(whole, number, later(one[original], other[original]), GIVEN_BACK)
    return whole


def add_undone(state: State, number: int, undone: Undone, sign: int) -> None:
    """Adds it to a month of the state. The parts that the month may share with others are left unchanged."""
    moved = times(undone, sign)
    state.months[number] = combine_months(state.months[number], moved.month)
    oldest_hour = state.head.newest_at // HOUR_MS - HOURS_KEPT
    recent = {hour: series for hour, series in moved.hours.items() if hour > oldest_hour}
    hours = merge_maps(state.head.hours, recent, join_series)
    state.head = msgspec.structs.replace(state.head, hours=hours)


def combine_heads(left: Head, right: Head) -> Head:
    if _is_empty(left):
        return right
    if _is_empty(right):
        return left
    head = combine_flows((left, right))
    head.things = merge_maps(left.things, right.things, join_things)
    return head


def _is_empty(head: Head) -> bool:
    """A head without events may still hold what a reversal in a later segment took out of it."""
    return not (head.count or head.hours or head.latest)


def combine_months(left: Month, right: Month) -> Month:
    return Month(
        days=merge_maps(left.days, right.days, join_series),
        totals=join_series(left.totals, right.totals),
        closing=merge_maps(left.closing, right.closing, join_closings),
        parties=merge_maps(left.parties, right.parties, join_parties),
        banks=merge_maps(left.banks, right.banks, join_banks),
        names=merge_maps(left.names, right.names, join_banks),
        contacts=merge_maps(left.contacts, right.contacts, join_things),
        undone=merge_maps(left.undone, right.undone, earlier),
    )


def merge_maps(left: dict[K, V], right: dict[K, V], join: Any) -> dict[K, V]:
    if not left:
        return right
    if not right:
        return left
    merged = dict(left)
    for key, value in right.items():
        known = merged.get(key)
        merged[key] = value if known is None else join(known, value)
    return merged


def join_all(maps: Sequence[dict[K, V]], join: Callable[[V, V], V]) -> dict[K, V]:
    """`merge_maps` of any number: as cheap as one where no key is in two of them."""
    if len(maps) < 2:
        return maps[0] if maps else {}
    merged = dict(maps[0])
    for one in maps[1:]:
        if merged.keys().isdisjoint(one):
            merged.update(one)
            continue
        for key, value in one.items():
            known = merged.get(key)
            merged[key] = value if known is None else join(known, value)
    return merged


def later(left: Stamped, right: Stamped) -> Stamped:
    return left if left.stamp >= right.stamp else right


def earlier(left: Stamped, right: Stamped) -> Stamped:
    return left if left.stamp < right.stamp else right


def join_things(left: Thing, right: Thing) -> Thing:
    return merge_maps(left, right, later)


def combine_flows(heads: Iterable[Head]) -> Head:
    """The counters and sums of several heads. Things are left out: they stay with their subjects."""
    filled = [head for head in heads if not _is_empty(head)]
    if not filled:
        return Head()
    newest_at = max(head.newest_at for head in filled)
    oldest_hour = newest_at // HOUR_MS - HOURS_KEPT
    hours = join_all([head.hours for head in filled if head.hours], join_series)
    return Head(
        first_at=min((head.first_at for head in filled if head.count), default=0),
        newest_at=newest_at,
        count=sum(head.count for head in filled),
        activity=join_all([head.activity for head in filled if head.activity], _join_actors),
        latest=join_all([head.latest for head in filled if head.latest], join_latest),
        hours={hour: series for hour, series in hours.items() if hour > oldest_hour},
    )


def _join_activity(left: Activity, right: Activity) -> Activity:
    return Activity(min(left.first_at, right.first_at), max(left.last_at, right.last_at), left.count + right.count)


def _join_actors(left: dict[str, Activity], right: dict[str, Activity]) -> dict[str, Activity]:
    return merge_maps(left, right, _join_activity)


def join_cells(left: Cell, right: Cell) -> Cell:
    return Cell(left.count + right.count, left.total + right.total)


def join_series(left: Series, right: Series) -> Series:
    return merge_maps(left, right, join_cells)


def join_closings(left: dict[int, Entry], right: dict[int, Entry]) -> dict[int, Entry]:
    return merge_maps(left, right, later)


def join_parties(left: Series, right: Series) -> Series:
    return _join_at_most(KEYS_KEPT, left, right)


def join_banks(left: Series, right: Series) -> Series:
    return _join_at_most(BANKS_KEPT, left, right)


def _join_at_most(most: int, left: Series, right: Series) -> Series:
    if MANY in left or MANY in right:
        return {MANY: Cell()}
    merged = merge_maps(left, right, join_cells)
    return merged if len(merged) <= most else {MANY: Cell()}


_NO_MONTH = Month()
