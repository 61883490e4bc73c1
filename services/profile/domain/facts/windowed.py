"""Facts that are counted over a window of time, and back from each to the events that it was counted from.

What an event brings to a fact is what the fact comes to over a state in which nothing but that event was folded: so
series, windows and their borders are those of the facts themselves, and cannot come to differ.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from schemas.events import ChannelEvent
from schemas.instants import DAY_MS, HOUR_MS
from services.profile.domain.customers.buckets import Buckets
from services.profile.domain.customers.contacts import Contact
from services.profile.domain.customers.measures import MeasureRule, Measures, counted
from services.profile.domain.facts.crossing import crossing_of
from services.profile.domain.facts.relation import most_told_reason
from services.profile.domain.reference.tables import Reference
from services.profile.domain.states.combine import join_all, join_things
from services.profile.domain.states.fold import Fold, cancels, effective_at
from services.profile.domain.states.state import State, Thing

_CROSSING_DAYS: Mapping[str, int] = {
    "external_outflow_7d": 7, "external_outflow_30d": 30, "external_inflow_30d": 30, "competitor_transfers_30d": 30,
    "competitor_outflow_30d": 30, "competitor_outflow_90d": 90, "broker_transfers_90d": 90, "lender_payments_60d": 60,
    "short_term_loans_60d": 60,
}  # fmt: skip
_CONTACT_DAYS: Mapping[str, int] = {
    "contacts_7d": 7, "contacts_30d": 30, "contacts_same_reason_7d": 7, "abandoned_waits_7d": 7,
}  # fmt: skip
LONGEST_CONTACT_MS = 31 * DAY_MS
"""A contact that began before its window is none of it, whatever was told of it later."""


class Alone(NamedTuple):
    """One event by itself. `brings`: fact → what it adds to it, unless that is nothing. `contacts`: what it tells of
    contacts, by their ids. `cancels`: the movement that it cancels, if no other has."""

    event: ChannelEvent
    brings: Mapping[str, float]
    contacts: Mapping[str, Thing]
    cancels: tuple[str, int, str] | None


class Counts(NamedTuple):
    """`each`: the events behind a fact, and what each brought to it. `total`: what the fact comes to over them."""

    each: list[tuple[ChannelEvent, float]]
    total: float


class Windowed:
    """`now`: when the facts were told (ms)."""

    def __init__(self, fold: Fold, measures: Measures, reference: Reference, now: int) -> None:
        self._fold, self._measures, self._reference, self.now = fold, measures, reference, now
        self._rules = {rule.name: rule for rule in measures.measures}

    def since(self, fact: str) -> int | None:
        """Where its window begins (ms, inclusive); None for a fact that has none."""
        rule = self._rules.get(fact)
        if rule is not None:
            unit = HOUR_MS if rule.window[-1] == "h" else DAY_MS
            return (self.now // unit - int(rule.window[:-1]) + 1) * unit
        if fact in _CROSSING_DAYS:
            return (self.now // DAY_MS - _CROSSING_DAYS[fact] + 1) * DAY_MS
        return self.now - _CONTACT_DAYS[fact] * DAY_MS + 1 if fact in _CONTACT_DAYS else None

    def read_since(self, fact: str) -> int | None:
        """From when on events must be known, to tell which of them counted."""
        since = self.since(fact)
        return since - LONGEST_CONTACT_MS if since is not None and fact in _CONTACT_DAYS else since

    def alone(self, event: ChannelEvent) -> Alone:
        state = State()
        self._fold.add(state, event)
        contacts = {one: thing for month in state.months.values() for one, thing in month.contacts.items()}
        return Alone(event, self._values(state, _summed(self._measures)), contacts, cancels(event))

    def behind(self, fact: str, events: Sequence[Alone]) -> Counts:
        """Of a fact that has a window. `events`: every one of the customer's since `read_since`."""
        if fact in _CONTACT_DAYS:
            return self._contacts(fact, events)
        each = [(one.event, brought) for one in _cancelling_once(events) if (brought := one.brings.get(fact))]
        rule = self._rules.get(fact)
        if rule is not None and rule.aggregate == "max":
            each = _of_greatest_day(each)
        state = State()
        for event, _ in each:
            self._fold.add(state, event)
        return Counts(each, self._values(state, self._measures).get(fact, 0.0))

    def _values(self, state: State, measures: Measures) -> dict[str, float]:
        """What is not nothing."""
        crossed = crossing_of(state.months, self._reference, self.now // DAY_MS)
        values = {name: float(value) for name, value in crossed.items() if value}
        for name, one in counted(measures, Buckets(state), self._reference, self.now).items():
            if one.amount:
                values[name] = one.amount / self._reference.home_unit if one.is_money else float(one.amount)
        return values

    def _contacts(self, fact: str, events: Sequence[Alone]) -> Counts:
        """A contact counts once, with the event by which it began; the others that tell of it are beside that one."""
        joined = join_all([dict(one.contacts) for one in events if one.contacts], join_things)
        newest = sorted([Contact(*told) for told in joined.items()], key=lambda one: (-one.at, one.contact_id))
        since = self.now - _CONTACT_DAYS[fact] * DAY_MS
        within = [one for one in newest if one.at > since]
        left = {one.contact_id for one in self._chosen(fact, within)}
        chosen, each = frozenset(left), list[tuple[ChannelEvent, float]]()
        for one in sorted(events, key=lambda one: one.event.occurred_at):
            for contact in one.contacts.keys() & chosen:
                each.append((one.event, float(contact in left)))
                left.discard(contact)
        return Counts(each, float(len(chosen)))

    def _chosen(self, fact: str, within: list[Contact]) -> list[Contact]:
        asked = [one for one in within if not one.is_outbound]
        if fact == "abandoned_waits_7d":
            return [one for one in asked if one.is_abandoned]
        if fact == "contacts_same_reason_7d":
            word = self._reference.reasons.word
            reason, _ = most_told_reason(asked, self._reference.reasons)
            return [one for one in asked if reason and word(one.reason) == reason]
        return within


def _cancelling_once(events: Sequence[Alone]) -> list[Alone]:
    """As a state does: of several reversals of one movement the earliest."""
    first: dict[tuple[str, int, str], Alone] = {}
    for one in events:
        if one.cancels is not None:
            first[one.cancels] = min(one, first.get(one.cancels, one), key=_place)
    return [one for one in events if one.cancels is None or first[one.cancels] is one]


def _place(one: Alone) -> tuple[int, int, str, str]:
    event = one.event
    return event.occurred_at, -1 if event.sequence is None else event.sequence, event.source, event.id


@lru_cache(16)
def _summed(measures: Measures) -> Measures:
    """The same with what is added up in place of means and greatest days, to which no single event brings its share."""

    def added(rule: MeasureRule) -> MeasureRule:
        aggregate = "sum" if rule.series in measures.summed else "count"
        return msgspec.structs.replace(rule, aggregate=aggregate) if rule.aggregate in ("mean", "max") else rule

    return msgspec.structs.replace(measures, measures=tuple(added(rule) for rule in measures.measures))


def _of_greatest_day(each: list[tuple[ChannelEvent, float]]) -> list[tuple[ChannelEvent, float]]:
    """The day whose events bring most, which are behind a `max`."""
    days: defaultdict[int, float] = defaultdict(float)
    for event, brought in each:
        days[effective_at(event) // DAY_MS] += brought
    greatest = max(days, key=lambda day: (days[day], day), default=None)
    return [one for one in each if effective_at(one[0]) // DAY_MS == greatest]
