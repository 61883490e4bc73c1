"""Adds one event to a state. Every event that has something to say of a thing has one short function in `describe`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from schemas.catalogue import EventType
from schemas.events import ChannelEvent
from services.profile.domain.combine import DAY_MS, HOUR_MS, join_latest, later, month_of
from services.profile.domain.describe import DESCRIBE
from services.profile.domain.series import Counted, Counting, holds
from services.profile.domain.state import (
    HOURS_KEPT,
    KEYS_KEPT,
    MANY,
    MONTHS_KEPT,
    Activity,
    Candidate,
    Cell,
    Entry,
    Head,
    Month,
    Series,
    Stamp,
    State,
)

CODE_VERSION = 1
"""Raised whenever this code gives another state for the same events."""
_NO_ATTRIBUTES: dict[str, Any] = {}
_decode_attributes = msgspec.json.Decoder(dict[str, Any]).decode
REVERSED = "transaction.reversed"
MONEY_CANDIDATES = {"debit": ("large_debit", "charged_fee"), "credit": ("large_credit", "income")}


class Fold:
    """Folds events by the event-type catalogue and the declared series."""

    def __init__(self, catalogue: Mapping[str, EventType], counting: Counting, declared_version: int) -> None:
        self._catalogue, self._counting = catalogue, counting
        self.version = CODE_VERSION * 1000 + declared_version

    def add(self, state: State, event: ChannelEvent) -> None:
        """Changes `state`, which must be the caller's own copy."""
        declared = self._catalogue.get(event.type)
        attributes = _NO_ATTRIBUTES if event.attributes == b"{}" else _decode_attributes(event.attributes)
        sequence = -1 if event.sequence is None else event.sequence
        stamp = (event.occurred_at, sequence, declared.rank if declared else 0, event.source, event.id)
        head = state.head
        _note_activity(head, event)
        month = _month(state, event.occurred_at)
        describe = DESCRIBE.get(event.type)
        if describe is not None:
            describe(head, month, event, stamp, attributes)
        flow = attributes.get("purpose") or (declared.flow if declared else None)
        self._count(state, month, event, stamp, flow, attributes)

    def _count(
        self, state: State, month: Month | None, event: ChannelEvent, stamp: Stamp, flow: str | None, attributes: Any
    ) -> None:
        moves = event.of_record and event.amount is not None and event.direction is not None
        counted = self._counting.of(event.type, flow, event.direction if moves else None, event.channel)
        if event.type == REVERSED:
            if moves:
                _reverse(state, event, counted, attributes)
            return
        _count_at(state.head, month, event, event.occurred_at, counted, 1, attributes)
        if moves:
            _note_party(month, event, 1)
            _note_balance(state.head, month, event, stamp)
        for rule in counted.candidates:
            if _is_kept(rule.floor_minor, rule.share_percent, event):
                candidate = Candidate(event.occurred_at, event.id, _values(event, flow, attributes))
                state.head.latest[rule.name] = join_latest(state.head.latest.get(rule.name, []), [candidate])


def _note_activity(head: Head, event: ChannelEvent) -> None:
    at = event.occurred_at
    if not head.count:
        head.first_at = head.newest_at = at
    elif at > head.newest_at:
        if head.hours and at // HOUR_MS != head.newest_at // HOUR_MS:
            oldest = at // HOUR_MS - HOURS_KEPT
            head.hours = {hour: series for hour, series in head.hours.items() if hour > oldest}
        head.newest_at = at
    elif at < head.first_at:
        head.first_at = at
    head.count += 1
    channels = head.activity.setdefault(event.actor or "", {})
    known = channels.get(event.channel)
    if known is None:
        channels[event.channel] = Activity(at, at, 1)
    else:
        known.first_at, known.last_at = min(known.first_at, at), max(known.last_at, at)
        known.count += 1


def _month(state: State, at: int) -> Month | None:
    """The month's part, made where missing; None when it lies before the horizon. Older parts fall away."""
    number, newest = month_of(at), month_of(state.head.newest_at)
    month = state.months.get(number)
    if month is None and number > newest - MONTHS_KEPT:
        if state.months and number == newest:
            state.months = {kept: part for kept, part in state.months.items() if kept > newest - MONTHS_KEPT}
        month = state.months[number] = Month()
    return month


def _count_at(
    head: Head, month: Month | None, event: ChannelEvent, at: int, counted: Counted, sign: int, attributes: Any
) -> None:
    rules = counted.series
    if counted.conditional:
        rules += tuple(rule for rule in counted.conditional if holds(rule.where.attributes, attributes))
    if not rules:
        return
    day = month.days.setdefault(at // DAY_MS, {}) if month is not None else None
    recent = at // HOUR_MS > head.newest_at // HOUR_MS - HOURS_KEPT
    minor, currency = (event.amount.minor, event.amount.currency) if event.amount else (0, "")
    for rule in rules:
        name, summed = (f"{rule.name}:{currency}", minor * sign) if rule.sums else (rule.name, 0)
        if day is not None:
            _add(day, name, sign, summed)
        if rule.hours and recent:
            _add(head.hours.setdefault(at // HOUR_MS, {}), name, sign, summed)


def _add(series: Series | dict[str, Cell], name: str, count: int, total: int) -> None:
    cell = series.get(name)
    if cell is None:
        series[name] = Cell(count, total)
    else:
        cell.count += count
        cell.total += total


def _note_party(month: Month | None, event: ChannelEvent, sign: int) -> None:
    other = event.counterparty
    if month is None or other is None or event.amount is None or event.direction is None:
        return
    key = f"{other.bank}/{other.account_no}" if other.account_no else other.name or other.kind
    if not key:
        return
    parties = month.parties.setdefault(f"{event.direction}:{event.amount.currency}", {})
    if MANY in parties:
        return
    _add(parties, key, sign, event.amount.minor * sign)
    if len(parties) > KEYS_KEPT:
        parties.clear()
        parties[MANY] = Cell()


def _note_balance(head: Head, month: Month | None, event: ChannelEvent, stamp: Stamp) -> None:
    if event.balance_after is None:
        return
    entry = Entry(stamp, [event.balance_after.minor, event.balance_after.currency])
    thing = head.things.setdefault(event.subject, {})
    known = thing.get("balance")
    thing["balance"] = entry if known is None else later(known, entry)
    if month is not None:
        days, day = month.closing.setdefault(event.subject, {}), event.occurred_at // DAY_MS
        closing = days.get(day)
        days[day] = entry if closing is None else later(closing, entry)


def _is_kept(floor_minor: int, share_percent: int, event: ChannelEvent) -> bool:
    if not floor_minor and not share_percent:
        return True
    if event.amount is None:
        return False
    if floor_minor and event.amount.minor >= floor_minor:
        return True
    before = _balance_before(event)
    return bool(share_percent and before and before > 0 and event.amount.minor * 100 >= before * share_percent)


def _balance_before(event: ChannelEvent) -> int | None:
    if event.balance_after is None or event.amount is None:
        return None
    return event.balance_after.minor + (event.amount.minor if event.direction == "debit" else -event.amount.minor)


def _values(event: ChannelEvent, flow: str | None, attributes: dict[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in attributes.items() if isinstance(value, str | int | bool)}
    values |= {"type": event.type, "channel": event.channel, "subject": event.subject}
    if flow:
        values["flow"] = flow
    if event.amount is not None:
        values |= {"minor": event.amount.minor, "currency": event.amount.currency}
        before = _balance_before(event)
        if before is not None:
            values["before_minor"] = before
    if event.counterparty is not None:
        other = event.counterparty
        values["party"] = f"{other.bank}/{other.account_no}" if other.account_no else other.name or other.kind
        values["bank"] = other.bank
    return values


def _reverse(state: State, event: ChannelEvent, counted: Counted, attributes: dict[str, Any]) -> None:
    """Takes the original out of its own day, and leaves a tombstone in its place among the candidates."""
    at, original = original_of(event, attributes)
    month = _month(state, at)
    _count_at(state.head, month, event, at, counted, -1, attributes)
    _note_party(month, event, -1)
    for name in MONEY_CANDIDATES[event.direction or "debit"]:
        tombstone = Candidate(at, original, {}, cancelled=True)
        state.head.latest[name] = join_latest(state.head.latest.get(name, []), [tombstone])


def original_of(event: ChannelEvent, attributes: Mapping[str, Any]) -> tuple[int, str]:
    """When and what a reversal reverses; where it does not say when, its own time stands."""
    told = attributes.get("original_occurred_at")
    at = int(datetime.fromisoformat(told).timestamp() * 1000) if told else event.occurred_at
    return at, str(attributes["original_id"])


def months_touched(event: ChannelEvent) -> tuple[int, ...]:
    """The parts that folding this event reads and writes."""
    own = month_of(event.occurred_at)
    if event.type != REVERSED:
        return (own,)
    return own, month_of(original_of(event, _decode_attributes(event.attributes))[0])
