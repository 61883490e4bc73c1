"""Adds one event to a state: the hot path of update. What an event type says about a thing is in `describe`."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from schemas.catalogue import EventType
from schemas.events import REVERSED, ChannelEvent
from schemas.instants import DAY_MS
from services.profile.domain.states.candidates import is_kept, reaches, values_of
from services.profile.domain.states.combine import add_undone, earlier, later
from services.profile.domain.states.describe import DESCRIBE, Folding
from services.profile.domain.states.latest import join_latest
from services.profile.domain.states.periods import month_of
from services.profile.domain.states.series import Counted, Counting, holds
from services.profile.domain.states.state import Candidate, Head, Month, Stamp, State, Undone
from services.profile.domain.states.tally import (
    DONE,
    UNDONE,
    UNDONE_IN_PART,
    count_at,
    month_part,
    note_activity,
    note_balance,
    note_party,
)
from services.profile.domain.states.undone import GIVEN_BACK, TAKEN

CODE_VERSION = 3
"""Raised whenever this code gives another state for the same events; `base.py` needs a migration then."""
VERSIONS_APART = 1000
_NO_ATTRIBUTES: dict[str, Any] = {}
_decode_attributes = msgspec.json.Decoder(dict[str, Any]).decode
_GENERAL_FLOWS = (None, "transfer")


class Fold:
    """Folds events by the event-type catalogue and the declared series."""

    def __init__(self, catalogue: Mapping[str, EventType], counting: Counting, declared_version: int) -> None:
        self._catalogue, self._counting = catalogue, counting
        self.version = CODE_VERSION * VERSIONS_APART + declared_version

    def add(self, state: State, event: ChannelEvent, original: State | None = None) -> bool:
        """Changes `state`, which must be the caller's own copy.

        `original`: for a reversal, the segment that holds the movement, if that is another one of the subject. Returns
        whether somebody should hear of the event at once: its type says so, or it moves much money.
        """
        declared = self._catalogue.get(event.type)
        attributes = _NO_ATTRIBUTES if event.attributes == b"{}" else _decode_attributes(event.attributes)
        sequence = -1 if event.sequence is None else event.sequence
        stamp = (event.occurred_at, sequence, declared.rank if declared else 0, event.source, event.id)
        head = state.head
        note_activity(state, event)
        month = month_part(state, event.occurred_at)
        describe = DESCRIBE.get(event.type)
        if describe is not None:
            describe(Folding(event, stamp, attributes, head, month))
        if event.of_record and event.balance_after is not None:
            note_balance(head, month, event.subject, event.balance_after, stamp)
        if event.type == REVERSED:
            self._reverse(original or state, event, stamp, attributes)
            return False
        moves_much = self._count(state, month, event, attributes)
        return moves_much or (declared is not None and declared.urgent)

    def _count(self, state: State, month: Month | None, event: ChannelEvent, attributes: dict[str, Any]) -> bool:
        """Whether it is a candidate for its amount alone, whatever the balance."""
        moves_much = False
        flow = self._flow(event.type, event, attributes)
        moves = _moves(event)
        counted = self._counting.of(event.type, flow, event.direction if moves else None, event.channel)
        count_at(state.head, month, event, event.occurred_at, counted, DONE, attributes)
        if moves:
            note_party(month, event, event.occurred_at, DONE)
        for rule in counted.candidates:
            floor = rule.floor_for(event)
            if is_kept(floor, rule.share_percent, event) and holds(rule.where, event, attributes):
                candidate = Candidate(event.occurred_at, event.id, values_of(event, flow, attributes))
                state.head.latest[rule.name] = join_latest(state.head.latest.get(rule.name, []), [candidate])
                moves_much = moves_much or reaches(floor, event)
        return moves_much

    def _flow(self, event_type: str, event: ChannelEvent, attributes: dict[str, Any]) -> str | None:
        """A purpose that is told says most, a type of its own more than the other side."""
        if purpose := attributes.get("purpose"):
            return str(purpose)
        declared = self._catalogue.get(event_type)
        flow = declared.flow if declared else None
        if flow in _GENERAL_FLOWS:
            return self._counting.flow_of_party(event) or flow
        return flow

    def _reverse(self, state: State, event: ChannelEvent, stamp: Stamp, attributes: dict[str, Any]) -> None:
        """Takes the original out of its own day, and leaves a tombstone in its place among the candidates. If only a
        part is cancelled, the original stays a movement and a candidate, of a smaller amount."""
        if not _moves(event):
            return
        original_type = str(attributes.get("original_type") or REVERSED)
        flow = self._flow(original_type, event, attributes)
        original = self._catalogue.get(original_type)
        moved = original is None or original.direction is not None  # else the money was told of elsewhere
        counted = self._counting.of(original_type, flow, event.direction if moved else None, event.channel)
        at, original_id = original_of(event, attributes)
        month = month_part(state, at)
        is_part = _is_part(event, attributes)
        if is_part:
            count_at(state.head, month, event, at, counted, UNDONE_IN_PART, attributes)
            if moved:
                note_party(month, event, at, UNDONE_IN_PART)
        elif month is not None:
            _undo_once(state, month_of(at), original_id, _undone(event, at, stamp, counted, attributes, moved=moved))
        if moved:
            self._mark_candidates(state.head, event, at, original_id, is_part=is_part)

    def _mark_candidates(self, head: Head, event: ChannelEvent, at: int, original_id: str, *, is_part: bool) -> None:
        taken_back = event.amount.minor if is_part and event.amount is not None else 0
        for name in self._counting.candidates_of(event.direction):
            marked = Candidate(at, original_id, {}, not is_part, taken_back)
            head.latest[name] = join_latest(head.latest.get(name, []), [marked])


def _undone(
    event: ChannelEvent, at: int, stamp: Stamp, counted: Counted, attributes: dict[str, Any], *, moved: bool
) -> Undone:
    head, month = Head(), Month()
    count_at(head, month, event, at, counted, UNDONE, attributes)
    if moved:
        note_party(month, event, at, UNDONE)
    return Undone(stamp, month, head.hours)


def _undo_once(state: State, number: int, original_id: str, undone: Undone) -> None:
    """Of several whole reversals of a movement one counts: the earliest. What the others took is given back."""
    known = state.months[number].undone.get(original_id)
    add_undone(state, number, undone, TAKEN)
    if known is not None:
        add_undone(state, number, later(known, undone), GIVEN_BACK)
    stands = undone if known is None else earlier(known, undone)
    state.months[number].undone = state.months[number].undone | {original_id: stands}


def _moves(event: ChannelEvent) -> bool:
    return event.of_record and event.amount is not None and event.direction is not None


def _is_part(event: ChannelEvent, attributes: Mapping[str, Any]) -> bool:
    """Whether the original was larger than what is cancelled of it."""
    told = attributes.get("original_amount")
    return isinstance(told, dict) and event.amount is not None and told["minor"] > event.amount.minor


def original_of(event: ChannelEvent, attributes: Mapping[str, Any]) -> tuple[int, str]:
    """When the reversed movement happened, and its id. Without a time, or with one later than a day after the reversal
    (clocks differ by less), the reversal's own time is taken."""
    told = attributes.get("original_occurred_at")
    at = told if isinstance(told, int) and 0 <= told <= event.occurred_at + DAY_MS else event.occurred_at
    return at, str(attributes.get("original_id"))


def cancels(event: ChannelEvent) -> tuple[str, int, str] | None:
    """For a whole reversal: subject, month and id of the movement, which can be cancelled only once. None for anything
    else."""
    if event.type != REVERSED or not _moves(event):
        return None
    attributes = _decode_attributes(event.attributes)
    at, original_id = original_of(event, attributes)
    return None if _is_part(event, attributes) else (event.subject, month_of(at), original_id)


def months_touched(event: ChannelEvent) -> frozenset[int]:
    """The months that folding this event reads and writes."""
    own = _alone(month_of(event.occurred_at))
    return own if event.type != REVERSED else own | {month_of(original_at(event))}


@lru_cache(512)
def _alone(month: int) -> frozenset[int]:
    return frozenset((month,))


def effective_at(event: ChannelEvent) -> int:
    """The time to which the event counts (ms): for a reversal, that of the movement it cancels."""
    return original_at(event) if event.type == REVERSED else event.occurred_at


def original_at(event: ChannelEvent) -> int:
    """When the movement happened that a reversal cancels (ms)."""
    return original_of(event, _decode_attributes(event.attributes))[0]
