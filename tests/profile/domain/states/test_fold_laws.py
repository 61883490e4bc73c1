"""The laws that everything rests on: order and grouping of events do not matter."""

from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import ChannelEvent
from services.profile.domain.states.combine import combine
from services.profile.domain.states.segments import Segments
from services.profile.domain.states.state import State
from tests.profile.domain.happenings import TIMES, fold_of, histories, product_fold
from tests.profile.domain.states.canonical import canonical_bytes, combine_all

LAW = settings(max_examples=60, deadline=None)

_decode_state = msgspec.msgpack.Decoder(State).decode


@LAW
@given(histories(), st.randoms(use_true_random=False))
def test_any_order_of_events_gives_the_same_state(events: list[ChannelEvent], chance: Random) -> None:
    shuffled = events.copy()
    chance.shuffle(shuffled)
    assert canonical_bytes(fold_of(shuffled)) == canonical_bytes(fold_of(events))


@LAW
@given(histories(), st.integers(1, 5), st.randoms(use_true_random=False))
def test_any_grouping_of_events_gives_the_same_state(events: list[ChannelEvent], groups: int, chance: Random) -> None:
    dealt: list[list[ChannelEvent]] = [[] for _ in range(groups)]
    for one in events:
        chance.choice(dealt).append(one)
    chance.shuffle(dealt)
    joined = combine_all(fold_of(group) for group in dealt)
    assert canonical_bytes(joined) == canonical_bytes(fold_of(events))


@LAW
@given(histories(12), histories(12), histories(12))
def test_combine_is_associative_and_commutative(
    first: list[ChannelEvent], second: list[ChannelEvent], third: list[ChannelEvent]
) -> None:
    a, b, c = fold_of(_named("a", first)), fold_of(_named("b", second)), fold_of(_named("c", third))
    assert canonical_bytes(combine(combine(a, b), c)) == canonical_bytes(combine(a, combine(b, c)))
    assert canonical_bytes(combine(a, b)) == canonical_bytes(combine(b, a))


def _named(prefix: str, events: list[ChannelEvent]) -> list[ChannelEvent]:
    """Two histories share no event: the ledger keeps repeats out."""
    return [msgspec.structs.replace(one, id=prefix + one.id, source=prefix + one.source) for one in events]


@LAW
@given(histories())
def test_the_empty_state_is_the_identity(events: list[ChannelEvent]) -> None:
    state = fold_of(events)
    assert canonical_bytes(combine(state, State())) == canonical_bytes(state)
    assert canonical_bytes(combine(State(), state)) == canonical_bytes(state)


@LAW
@given(histories(12), histories(12))
def test_combine_changes_neither_of_its_arguments(left: list[ChannelEvent], right: list[ChannelEvent]) -> None:
    a, b = fold_of(left), fold_of(_named("b", right))
    before = canonical_bytes(a), canonical_bytes(b)
    combine(a, b)
    assert (canonical_bytes(a), canonical_bytes(b)) == before


@LAW
@given(histories(), st.lists(TIMES, max_size=3, unique=True).map(sorted), st.randoms(use_true_random=False))
def test_the_segments_of_a_subject_together_are_its_whole_state(
    events: list[ChannelEvent], cuts: list[int], chance: Random
) -> None:
    shuffled = events.copy()
    chance.shuffle(shuffled)
    segments = Segments.of(cuts, shuffled, product_fold())
    assert canonical_bytes(combine_all(segments.states)) == canonical_bytes(fold_of(events))


@LAW
@given(histories(), st.lists(TIMES, min_size=1, max_size=3, unique=True).map(sorted), st.randoms(use_true_random=False))
def test_every_segment_is_the_same_in_any_order(events: list[ChannelEvent], cuts: list[int], chance: Random) -> None:
    shuffled = events.copy()
    chance.shuffle(shuffled)
    one, other = Segments.of(cuts, events, product_fold()), Segments.of(cuts, shuffled, product_fold())
    assert [canonical_bytes(state) for state in one.states] == [canonical_bytes(state) for state in other.states]


@LAW
@given(histories(), st.integers(0, 25), st.lists(TIMES, max_size=2, unique=True).map(sorted))
def test_a_state_may_be_stored_and_folded_on(events: list[ChannelEvent], place: int, cuts: list[int]) -> None:
    first = Segments.of(cuts, events[:place], product_fold())
    heads = [_stored(State(head)).head for head in first.heads]
    months = {number: [_stored(State(months={0: month})).months[0] for month in parts]
              for number, parts in first.months.items()}  # fmt: skip
    taken_up = Segments(cuts, heads, months)
    for one in events[place:]:
        taken_up.add(one, product_fold())
    whole = Segments.of(cuts, events, product_fold())
    assert [canonical_bytes(one) for one in taken_up.states] == [canonical_bytes(one) for one in whole.states]


def _stored(state: State) -> State:
    return _decode_state(msgspec.msgpack.encode(state))


@LAW
@given(histories(), st.randoms(use_true_random=False))
def test_totals_of_a_month_are_those_of_its_days(events: list[ChannelEvent], chance: Random) -> None:
    chance.shuffle(events)
    for month in fold_of(events).months.values():
        summed: dict[str, tuple[int, int]] = {}
        for series in month.days.values():
            for name, cell in series.items():
                count, total = summed.get(name, (0, 0))
                summed[name] = count + cell.count, total + cell.total
        assert {name: (cell.count, cell.total) for name, cell in month.totals.items()} == summed
