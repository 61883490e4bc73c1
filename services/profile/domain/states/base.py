"""The base of a subject: what has aged out of its timeline. A state is its base and the fold of its timeline.

A base remembers into which segment its events fell when they aged. A later cut cannot divide what was summed up before
it: such a piece stays whole, on the side of its newest event.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from schemas.events import ChannelEvent
from schemas.instants import DAY_MS
from services.profile.domain.identity.links import BEGINNING, END
from services.profile.domain.states.combine import combine
from services.profile.domain.states.fold import CODE_VERSION, VERSIONS_APART, Fold
from services.profile.domain.states.periods import first_day_of, month_of
from services.profile.domain.states.segments import Segments
from services.profile.domain.states.state import MONTHS_KEPT, Month, State, any_of


class Piece(msgspec.Struct, frozen=True):
    """The fold of aged events of one segment. `from_at`, `until_at`: the segment's borders at that time; `at`: its
    newest event (ms)."""

    from_at: int
    until_at: int
    at: int
    state: State


Migration = Callable[[list[Any]], list[Any]]
"""Pieces as plain lists and maps, as one code version wrote them → as the next one would have. What it cannot give it
leaves out: the facts that need it are missing."""


def _as_it_was(plain: list[Any]) -> list[Any]:
    """Version 2 knows which contacts the bank began and when a consent ends; what aged before it tells neither. Version
    3 knows what was taken back of a candidate in parts; no candidate of a base is young enough to be a moment."""
    return plain


MIGRATIONS: Mapping[int, Migration] = {1: _as_it_was, 2: _as_it_was}
"""One for every `CODE_VERSION` that came before, keyed by it. Declared series need none: their windows end long before
events age out."""

_encode = msgspec.msgpack.Encoder().encode
_decode_state = msgspec.msgpack.Decoder(State).decode
_decode = msgspec.msgpack.Decoder(list[Piece]).decode


def encode_base(pieces: Sequence[Piece]) -> bytes:
    return _encode(pieces)


def decode_base(body: bytes, fold_version: int, migrations: Mapping[int, Migration] = MIGRATIONS) -> list[Piece]:
    """`fold_version`: of the fold that wrote it. Raises LookupError for a version without a migration."""
    written = fold_version // VERSIONS_APART
    if written == CODE_VERSION:
        return _decode(body)
    plain = msgspec.msgpack.decode(body)
    for version in range(written, CODE_VERSION):
        plain = migrations[version](plain)
    return msgspec.convert(plain, list[Piece])


def horizon(now: int, months_kept: int) -> int:
    """Events that both occurred and were accepted before this time (ms) age out; months age as a whole."""
    return first_day_of(month_of(now) - months_kept + 1) * DAY_MS


def aged(base: Iterable[Piece], cuts: list[int], events: Iterable[ChannelEvent], fold: Fold) -> list[Piece]:
    """The base with these events added. `cuts`: where the subject is cut now."""
    pieces = {(piece.from_at, piece.until_at): piece for piece in base}
    borders = [BEGINNING, *cuts, END]
    for place, state in enumerate(Segments.of(cuts, events, fold).states):
        span = (borders[place], borders[place + 1])
        if state.head.count or state.head.latest or state.months:
            piece = Piece(*span, _newest(state, span), state)
            pieces[span] = _join(pieces[span], piece) if span in pieces else piece
    return [pieces[span] for span in sorted(pieces)]


def _join(left: Piece, right: Piece) -> Piece:
    return Piece(left.from_at, left.until_at, max(left.at, right.at), combine(left.state, right.state))


def _newest(state: State, span: tuple[int, int]) -> int:
    """A state without events may tell of what later events took away from it."""
    if state.head.count:
        return state.head.newest_at
    told = [candidate.at for kept in state.head.latest.values() for candidate in kept]
    return max(told, default=span[0] if span[1] == END else span[1] - 1)


def laid(base: Iterable[Piece], cuts: list[int]) -> Segments:
    """The base laid out in the segments of today; the timeline is folded on top of it."""
    segments = Segments.empty(cuts)
    for piece in base:
        place = bisect_right(cuts, piece.at)
        segments.states[place] = combine(segments.states[place], piece.state)
    # what is combined shares its parts with others, and a fold changes the state it is given
    segments.states = [_decode_state(_encode(state)) for state in segments.states]
    return segments


def expired(heads: Sequence[Any], months: Mapping[int, Sequence[Month]]) -> set[int]:
    """Months that lie before the horizon of every segment that is not empty."""
    oldest = [month_of(head.newest_at) - MONTHS_KEPT for head in heads]
    return {
        number
        for number, parts in months.items()
        if not any(number > oldest[place] and any_of(part) for place, part in enumerate(parts))
    }
