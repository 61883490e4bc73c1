"""What is counted of each event: series and candidates, declared as data and compiled into one look-up for each
event."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from schemas.events import ChannelEvent


class Where(msgspec.Struct, forbid_unknown_fields=True):
    """All given conditions must hold; an empty one always does. `attributes`: name → accepted values, as text, `*rate*`
    for all that contain it; none accepted: it must be there. `not_attributes`: it must be there, and none of these.
    `party_kinds`: the source's words for what the other side is."""

    types: tuple[str, ...] = ()
    flows: tuple[str, ...] = ()
    not_flows: tuple[str, ...] = ()
    direction: str | None = None
    channels: tuple[str, ...] = ()
    attributes: dict[str, tuple[str, ...]] = {}
    not_attributes: dict[str, tuple[str, ...]] = {}
    party_kinds: tuple[str, ...] = ()

    @property
    def is_of_attributes(self) -> bool:
        """Whether an event without attributes can never match."""
        return bool(self.attributes or self.not_attributes)

    @property
    def is_conditional(self) -> bool:
        """Whether more must be looked at than type, flow, direction and channel."""
        return self.is_of_attributes or bool(self.party_kinds)


class SeriesRule(msgspec.Struct, forbid_unknown_fields=True):
    """`sums` true: minor units are added, a series for each currency (`outflow:CNY`). `hours`: kept by the hour too."""

    name: str
    where: Where
    sums: bool = False
    hours: bool = False


class CandidateRule(msgspec.Struct, forbid_unknown_fields=True):
    """An event that may become a moment. It is kept if its amount is at least the floor, or at least `share_percent` of
    the balance before it; both 0: always. `floors`: of amounts in these currencies, in their minor units, in place of
    `floor_minor`; an event is judged alone, without exchange rates."""

    name: str
    where: Where
    floor_minor: int = 0
    floors: dict[str, int] = {}
    share_percent: int = 0

    def floor_for(self, event: ChannelEvent) -> int:
        if event.amount is None or not self.floors:
            return self.floor_minor
        return self.floors.get(event.amount.currency, self.floor_minor)


class PartyFlow(msgspec.Struct, forbid_unknown_fields=True):
    """What a movement in this direction is for where its source says no more than who is on the other side."""

    direction: str
    party_kinds: tuple[str, ...]
    flow: str


class Declared(msgspec.Struct, forbid_unknown_fields=True):
    """The file `catalogue/series.yaml`. `version` is raised with every change: it is part of the fold version; a bank's
    own file counts its own, on top of the product's."""

    version: int
    series: tuple[SeriesRule, ...]
    candidates: tuple[CandidateRule, ...]
    party_flows: tuple[PartyFlow, ...] = ()


class Counted(NamedTuple):
    """What applies to one combination of type, flow, direction and channel. `of_attributes` and `of_party` depend on
    attributes (and perhaps the other side), or on the other side alone. Candidates may depend on both."""

    series: tuple[SeriesRule, ...]
    of_attributes: tuple[SeriesRule, ...]
    of_party: tuple[SeriesRule, ...]
    candidates: tuple[CandidateRule, ...]

    def for_event(self, event: ChannelEvent, attributes: Mapping[str, Any]) -> Sequence[SeriesRule]:
        """Skips the comparisons for events without any attribute that a series asks for, which are most."""
        asked = self.of_attributes if attributes else ()
        if event.counterparty is not None and event.counterparty.kind:
            asked += self.of_party
        return (
            [*self.series, *(rule for rule in asked if holds(rule.where, event, attributes))] if asked else self.series
        )


class Counting:
    """Compiled declarations. Combinations are few, so each is worked out once."""

    def __init__(self, declared: Declared) -> None:
        self._declared = declared
        self._flows = {(one.direction, kind): one.flow for one in declared.party_flows for kind in one.party_kinds}
        self._known: dict[tuple[str, str | None, str | None, str], Counted] = {}

    def of(self, event_type: str, flow: str | None, direction: str | None, channel: str) -> Counted:
        combination = (event_type, flow, direction, channel)
        counted = self._known.get(combination)
        if counted is None:
            counted = self._known[combination] = self._work_out(*combination)
        return counted

    def flow_of_party(self, event: ChannelEvent) -> str | None:
        """None where the other side does not tell what the movement is for."""
        other = event.counterparty
        return self._flows.get((event.direction or "", other.kind)) if other is not None and other.kind else None

    def candidates_of(self, direction: str | None) -> tuple[str, ...]:
        """Names of the candidates that movements of money in this direction may be."""
        return tuple(rule.name for rule in self._declared.candidates if rule.where.direction == direction)

    def _work_out(self, event_type: str, flow: str | None, direction: str | None, channel: str) -> Counted:
        def concerned(where: Where) -> bool:
            return (
                (not where.types or event_type in where.types)
                and (not where.flows or flow in where.flows)
                and (not where.not_flows or flow not in where.not_flows)
                and (where.direction is None or where.direction == direction)
                and (not where.channels or channel in where.channels)
            )

        series = [rule for rule in self._declared.series if concerned(rule.where)]
        return Counted(
            tuple(rule for rule in series if not rule.where.is_conditional),
            tuple(rule for rule in series if rule.where.is_of_attributes),
            tuple(rule for rule in series if rule.where.is_conditional and not rule.where.is_of_attributes),
            tuple(rule for rule in self._declared.candidates if concerned(rule.where)),
        )


def holds(where: Where, event: ChannelEvent, attributes: Mapping[str, Any]) -> bool:
    """Whether the conditions beyond type, flow, direction and channel hold."""
    if where.party_kinds and (event.counterparty is None or event.counterparty.kind not in where.party_kinds):
        return False
    for name, accepted in where.attributes.items():
        if not _is_accepted(attributes.get(name), accepted):
            return False
    for name, refused in where.not_attributes.items():
        if name not in attributes or _is_accepted(attributes[name], refused):
            return False
    return True


def _is_accepted(value: Any, accepted: Sequence[str]) -> bool:
    if value is None or not accepted:
        return value is not None
    told = str(value).lower() if isinstance(value, bool) else str(value)
    return told in accepted or any(one[0] == "*" and one.strip("*") in told for one in accepted)
