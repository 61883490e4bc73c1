"""state = base + fold(timeline): whenever events age, nothing that is folded changes."""

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import ChannelEvent
from schemas.instants import DAY_MS
from services.profile.domain.identity.links import BEGINNING, END
from services.profile.domain.states.base import (
    MIGRATIONS,
    Piece,
    aged,
    decode_base,
    encode_base,
    expired,
    horizon,
    laid,
)
from services.profile.domain.states.combine import combine
from services.profile.domain.states.fold import CODE_VERSION, VERSIONS_APART
from services.profile.domain.states.periods import first_day_of, month_of
from services.profile.domain.states.segments import Segments
from services.profile.domain.states.state import Cell, Head, Month, State
from tests.profile.domain.happenings import NOON, TIMES, event, histories, product_fold, reversal
from tests.profile.domain.states.canonical import canonical_bytes

LAW = settings(max_examples=60, deadline=None)
CUTS = st.lists(TIMES, max_size=2, unique=True).map(sorted)
THIS_VERSION = CODE_VERSION * VERSIONS_APART
CUT = NOON - 100 * DAY_MS


def folded_upon(base: Sequence[Piece], cuts: list[int], events: Sequence[ChannelEvent]) -> list[bytes]:
    stored = decode_base(encode_base(base), THIS_VERSION)
    segments = laid(stored, cuts)
    for one in events:
        segments.add(one, product_fold())
    return [canonical_bytes(state) for state in segments.states]


def folded_whole(cuts: list[int], events: Sequence[ChannelEvent]) -> list[bytes]:
    return [canonical_bytes(state) for state in Segments.of(cuts, events, product_fold()).states]


@LAW
@given(histories(), CUTS, st.lists(st.integers(0, 25), max_size=3), st.randoms(use_true_random=False))
def test_events_may_age_at_any_moment(
    events: list[ChannelEvent], cuts: list[int], moments: list[int], chance: Random
) -> None:
    """Whichever events stood in the timeline then: a history may be told late, and in any order."""
    waiting, base = list(events), list[Piece]()
    chance.shuffle(waiting)
    for many in moments:
        going, waiting = waiting[:many], waiting[many:]
        base = aged(decode_base(encode_base(base), THIS_VERSION), cuts, going, product_fold())
    assert folded_upon(base, cuts, waiting) == folded_whole(cuts, events)


@LAW
@given(histories(), CUTS, TIMES, st.integers(0, 25))
def test_a_cut_that_parts_no_piece_gives_what_it_would_have_given(
    events: list[ChannelEvent], cuts: list[int], added: int, many: int
) -> None:
    base = aged([], cuts, events[:many], product_fold())
    parted = any(span_of(piece.state)[0] < added <= span_of(piece.state)[1] for piece in base)
    wanted = sorted({*cuts, added})
    if not parted and not any(one.type == "transaction.reversed" for one in events):
        assert folded_upon(base, wanted, events[many:]) == folded_whole(wanted, events)


def span_of(state: State) -> tuple[int, int]:
    return state.head.first_at, state.head.newest_at


@LAW
@given(histories(), CUTS, CUTS, st.integers(0, 25))
def test_a_cut_that_is_undone_leaves_what_would_have_been_without_it(
    events: list[ChannelEvent], cuts: list[int], fewer: list[int], many: int
) -> None:
    """What aged in finer segments can be put together again; with no cut at all, always."""
    base = aged([], sorted({*cuts, *fewer}), events[:many], product_fold())
    assert folded_upon(base, [], events[many:]) == folded_whole([], events)


def test_what_a_cut_cannot_part_stays_whole_on_the_side_of_its_newest_event() -> None:
    told = [event("login.failed", at, id=str(at)) for at in (CUT - DAY_MS, CUT + DAY_MS)]
    base = aged([], [], told, product_fold())
    before, after = laid(base, [CUT]).states
    assert (before.head.count, after.head.count) == (0, 2)
    before, after = laid(base, [CUT + 2 * DAY_MS]).states
    assert (before.head.count, after.head.count) == (2, 0)


@pytest.mark.parametrize("ages_first", [0, 1])
def test_a_piece_that_grows_stands_on_the_side_of_the_newest_that_ever_went_into_it(ages_first: int) -> None:
    told = [event("login.failed", at, id=str(at)) for at in (CUT - DAY_MS, CUT + DAY_MS)]
    base = aged([], [], [told[ages_first]], product_fold())
    base = aged(base, [], [told[1 - ages_first]], product_fold())
    assert [state.head.count for state in laid(base, [CUT]).states] == [0, 2]


def test_folding_upon_a_base_changes_nothing_else() -> None:
    told = [event("transfer.sent", NOON, minor=5, direction="debit", balance=70, id=name) for name in "ab"]
    base = aged([], [], told[:1], product_fold())
    before = folded_upon(base, [], [])
    for _ in range(2):
        laid(base, []).add(told[1], product_fold())
        assert folded_upon(base, [], []) == before
    assert combine(State(), State(months={24_000: Month()})).months[24_000] == Month()


def test_pieces_of_different_segments_never_become_one() -> None:
    told = [event("login.failed", at, id=str(at)) for at in (CUT - DAY_MS, CUT + DAY_MS)]
    base = aged([], [CUT], told, product_fold())
    base = aged(base, [], [event("login.failed", CUT + 3 * DAY_MS)], product_fold())
    assert [(piece.from_at, piece.until_at) for piece in base] == [(BEGINNING, CUT), (BEGINNING, END), (CUT, END)]
    assert [state.head.count for state in laid(base, [CUT]).states] == [1, 2]


@pytest.mark.parametrize(("part", "taken"), [(None, Cell(-1, -100)), (40, Cell(0, -40))])
def test_what_a_reversal_took_away_ages_with_the_time_it_was_taken_from(part: int | None, taken: Cell) -> None:
    original = event("cash.withdrawn", CUT - DAY_MS, minor=100, direction="debit")
    cancelled = reversal(original, CUT + DAY_MS, part)
    base = aged([], [CUT], [cancelled], product_fold())
    before, _ = laid(base, [CUT]).states
    assert before.months[month_of(CUT - DAY_MS)].totals["outflow:CNY"] == taken
    assert folded_upon(base, [CUT], [original]) == folded_whole([CUT], [original, cancelled])


def test_a_base_of_an_older_release_goes_through_every_migration_on_its_way() -> None:
    piece = Piece(BEGINNING, END, 5, State(Head(count=7)))

    def doubled(plain: list[Any]) -> list[Any]:
        for one in plain:
            one["state"]["head"]["count"] *= 2
        return plain

    older = dict.fromkeys(range(CODE_VERSION - 2, CODE_VERSION), doubled)
    migrated = decode_base(encode_base([piece]), (CODE_VERSION - 2) * VERSIONS_APART + 3, older)
    assert migrated == [Piece(BEGINNING, END, 5, State(Head(count=28)))]
    with pytest.raises(LookupError):
        decode_base(encode_base([piece]), (CODE_VERSION - 3) * VERSIONS_APART, older)


def test_a_migrated_base_keeps_every_register_and_bucket() -> None:
    told = [event("transfer.sent", NOON, minor=5, direction="debit", balance=70), event("login.failed", NOON)]
    base = aged([], [], told, product_fold())
    older = {CODE_VERSION - 1: lambda plain: plain}
    assert decode_base(encode_base(base), (CODE_VERSION - 1) * VERSIONS_APART, older) == base


def test_every_code_version_before_this_one_has_its_migration() -> None:
    assert set(MIGRATIONS) == set(range(1, CODE_VERSION))


def test_whole_months_age_and_the_running_one_counts() -> None:
    running = month_of(NOON)
    assert horizon(NOON, 25) == first_day_of(running - 24) * DAY_MS
    assert horizon(NOON, 1) == first_day_of(running) * DAY_MS


def test_a_month_expires_once_no_segment_can_show_it() -> None:
    now = month_of(NOON)
    heads = [Head(count=1, newest_at=NOON), Head()]
    something = Month(days={1: {"x": Cell(1, 0)}})
    months = {number: [something, Month()] for number in (now - 25, now - 24, now)}
    assert expired(heads, months) == {now - 25}
    assert expired(heads[:1], {now - 25: [Month()], now: [Month()]}) == {now - 25, now}


def test_a_month_of_somebody_silent_for_long_stays() -> None:
    long_ago = NOON - 900 * DAY_MS
    heads = [Head(count=1, newest_at=long_ago), Head(count=1, newest_at=NOON)]
    old = [Month(days={1: {"x": Cell(1, 0)}}), Month()]
    assert expired(heads, {month_of(long_ago): old}) == set()
