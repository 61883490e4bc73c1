"""A subject whose link begins or ends: what happened when stays with whoever it belonged to."""

from schemas.instants import DAY_MS, HOUR_MS
from services.profile.domain.identity.links import BEGINNING, END
from services.profile.domain.states.periods import month_of
from services.profile.domain.states.segments import Segments, segments_between
from services.profile.domain.states.state import Cell
from tests.profile.domain.happenings import ACCOUNT, NOON, event, fold_of, product_fold, reversal
from tests.profile.domain.states.canonical import canonical_bytes, combine_all

CUT = NOON - 5 * DAY_MS


def test_an_event_at_the_cut_belongs_to_the_time_after_it() -> None:
    events = [event("login.failed", at, id=str(at)) for at in (CUT - 1, CUT)]
    before, after = Segments.of([CUT], events, product_fold()).states
    assert (before.head.newest_at, after.head.newest_at) == (CUT - 1, CUT)


def test_a_reversal_after_the_cut_cancels_before_it() -> None:
    original = event("cash.withdrawn", CUT - DAY_MS, minor=100, direction="debit")
    before, after = Segments.of([CUT], [original, reversal(original, NOON)], product_fold()).states
    assert before.months[month_of(CUT - DAY_MS)].totals["outflow:CNY"] == Cell(0, 0)
    assert "outflow:CNY" not in after.months[month_of(NOON)].totals


def test_only_the_segments_within_a_link_are_taken() -> None:
    events = [event("login.failed", at, ACCOUNT, id=str(at)) for at in (CUT - 1, NOON)]
    segments = Segments.of([CUT], events, product_fold())
    spans = [(BEGINNING, END), (CUT, END), (BEGINNING, CUT), (NOON, END)]
    found = [segments_between(segments.cuts, *span) for span in spans]
    newest = [[segments.heads[place].newest_at for place in places] for places in found]
    assert newest == [[CUT - 1, NOON], [NOON], [CUT - 1], []]


def test_what_a_reversal_took_from_a_segment_without_events_is_combined_too() -> None:
    original = event("transfer.sent", NOON - HOUR_MS, id="t", minor=9_000, direction="debit")
    cancelled = reversal(original, NOON, part=1_000)
    earlier, later = Segments.of([NOON], [cancelled], product_fold()).states
    assert not earlier.head.count
    for states in ([earlier, later], [later, earlier]):
        assert canonical_bytes(combine_all(states)) == canonical_bytes(fold_of([cancelled]))


def test_a_tombstone_in_a_segment_without_events_keeps_its_place() -> None:
    original = event("salary.credited", CUT - DAY_MS, minor=900_000, direction="credit")
    cancelled = reversal(original, NOON)
    earlier, later = Segments.of([CUT], [cancelled], product_fold()).states
    assert (earlier.head.count, earlier.head.hours) == (0, {})
    for states in ([earlier, later], [later, earlier]):
        assert canonical_bytes(combine_all(states)) == canonical_bytes(fold_of([cancelled]))
