"""Sums over windows are those of the days and hours within them, however the months are added up."""

from collections.abc import Iterator

from hypothesis import given, settings

from schemas.events import ChannelEvent
from schemas.instants import DAY_MS, HOUR_MS
from services.profile.domain.customers.buckets import Buckets
from services.profile.domain.customers.customer import Total
from services.profile.domain.states.months import joined
from services.profile.domain.states.state import Cell, State
from tests.profile.domain.happenings import NOON, event, fold_of, histories

TODAY = NOON // DAY_MS
LENGTHS = (1, 2, 7, 20, 21, 22, 30, 51, 52, 60, 90, 365)
"""With ends on either side of a month's first and last day."""


def of(*states: State) -> Buckets:
    numbers = {number for state in states for number in state.months}
    parts = {number: [one.months[number] for one in states if number in one.months] for number in numbers}
    head = states[0].head
    return Buckets(Total(head, {number: joined(parts[number]) for number in sorted(numbers, reverse=True)}))


def counted(states: tuple[State, ...], name: str) -> Iterator[tuple[int, Cell]]:
    for state in states:
        for month in state.months.values():
            for day, series in month.days.items():
                if name in series:
                    yield day, series[name]


def summed(states: tuple[State, ...], name: str, length: int) -> list[int]:
    within = [cell for day, cell in counted(states, name) if day > TODAY - length]
    return [sum(cell.count for cell in within), sum(cell.total for cell in within)]


@settings(max_examples=40, deadline=None)
@given(histories(), histories(most=8))
def test_a_window_holds_what_was_counted_on_its_days(events: list[ChannelEvent], others: list[ChannelEvent]) -> None:
    states = fold_of(events), fold_of(others)
    buckets = of(*states)
    names = buckets.names
    for length, sums in buckets.over_days([(length, names) for length in LENGTHS], TODAY):
        assert {name: sums[name] for name in names} == {name: summed(states, name, length) for name in names}


@settings(max_examples=40, deadline=None)
@given(histories(), histories(most=8))
def test_each_day_and_the_last_one_are_of_all_subjects_together(
    events: list[ChannelEvent], others: list[ChannelEvent]
) -> None:
    states = fold_of(events), fold_of(others)
    buckets = of(*states)
    for name in (*buckets.names, "never"):
        days: dict[int, list[int]] = {}
        for day, cell in counted(states, name):
            known = days.setdefault(day, [0, 0])
            days[day] = [known[0] + cell.count, known[1] + cell.total]
        for length in LENGTHS:
            within = {day: found for day, found in days.items() if day > TODAY - length}
            told = buckets.by_day(name, length, TODAY)
            assert {day: [cell.count, cell.total] for day, cell in told.items()} == within
        last = max((day for day, found in days.items() if found[0] > 0), default=None)
        assert (buckets.last_day(name), buckets.last_day(name)) == (last, last)


def test_what_two_subjects_counted_on_one_day_is_one_days_count() -> None:
    states = [fold_of([event("fee.charged", NOON, minor=minor, direction="debit")]) for minor in (5, 7)]
    assert of(*states).by_day("outflow:CNY", 1, TODAY) == {TODAY: Cell(2, 12)}


def test_the_running_hour_is_the_last_of_a_window_of_hours() -> None:
    hour = NOON // HOUR_MS
    told = [
        event("transfer.sent", (hour - ago) * HOUR_MS, id=f"{ago}", minor=10**ago, direction="debit")
        for ago in range(4)
    ]
    found = [of(fold_of(told)).over_hours("outflow:CNY", length, hour) for length in (1, 3)]
    assert found == [(1, 1), (3, 111)]


def test_each_day_counts_in_just_those_windows_that_it_lies_in() -> None:
    """Wherever in a month a window ends, and the one before it."""
    told = [event("fee.charged", NOON - ago * DAY_MS, id=f"{ago}", minor=1, direction="debit") for ago in range(70)]
    buckets = of(fold_of(told))
    asked = frozenset({"outflow:CNY"})
    for shorter in range(1, 63):
        for longer in range(shorter + 1, 64):
            found = buckets.over_days([(shorter, asked), (longer, asked)], TODAY)
            assert [list(sums["outflow:CNY"]) for _, sums in found] == [[shorter] * 2, [longer] * 2]
