"""A customer as the set of its subjects: what each one contributes, and the total. View, facts, moments and value are
pure functions of the `Customer` defined here."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from services.profile.domain.customers.parts import Flows, Part
from services.profile.domain.identity.links import COLLECTIVES, kind_of
from services.profile.domain.states.combine import combine_flows
from services.profile.domain.states.months import MonthPart, ReadableMonth, joined
from services.profile.domain.states.periods import month_of
from services.profile.domain.states.state import MONTHS_KEPT, Head

ANY_CHANNEL = "*"


class Manager(msgspec.Struct, frozen=True):
    """A customer manager: `fields` as the events described him or her, `owned` the number of customers in care."""

    manager_id: str
    fields: dict[str, Any]
    owned: int


class MemberCustomer(NamedTuple):
    """A member of a household or group, read from the last view of that member. `assets` in major units of the home
    currency; 0 where they are unknown."""

    customer_id: str
    owner: str | None
    assets: float


class Decided(msgspec.Struct, omit_defaults=True):
    """Tier, owner and band of assets as the last refresh left them: the next one starts from them (hysteresis)."""

    tier: str | None = None
    tier_since: int = 0
    candidate_tier: str | None = None
    candidate_since: int = 0
    judged_day: int = -1
    owner: str | None = None
    owner_since: int = 0
    former_owner: str | None = None
    assets_since: int = 0
    notes: dict[str, Any] = {}


class Completeness(msgspec.Struct, frozen=True, eq=False):
    """`until`: source → complete up to (ms). `channels`: source → channel, `*` where it speaks for several. `silent`:
    sources that have said nothing for longer than their rhythm. `retired`: sources that are switched off; the other
    fields leave them out. Hashed by identity, so that results derived from it can be cached."""

    until: dict[str, int] = {}
    channels: dict[str, str] = {}
    silent: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()


@lru_cache(256)
def sources_of(completeness: Completeness, channels: tuple[str, ...]) -> tuple[str, ...]:
    """The registered sources that speak for any of these channels."""
    wanted = {*channels, ANY_CHANNEL}
    return tuple(sorted(source for source, channel in completeness.channels.items() if channel in wanted))


class Total(NamedTuple):
    """The combined flows of several parts; see `total`. `head.things` is empty: things stay with their parts. The
    newest month comes first."""

    head: Head
    months: dict[int, ReadableMonth]


class Customer(msgspec.Struct):
    """Everything that is known of one customer when it is summed up.

    `state` combines the flows of all parts that count, each subject once. `collectives`: each household or group that
    the customer belongs to → the facts of its view, if it has one. `members`: for a household or group, party → member,
    as far as members have views. `staff`: manager id → manager.
    `merged`: root → what was decided of it before, of those that were merged with the lead."""

    customer_id: str
    lead: str
    roots: tuple[str, ...]
    kind: str
    parts: list[Part]
    state: Total
    decided: Decided
    collectives: dict[str, dict[str, Any]] = {}
    members: dict[str, MemberCustomer] = {}
    merged: dict[str, Decided] = {}
    staff: dict[str, Manager] = {}
    completeness: Completeness = Completeness()

    @property
    def tells_nothing(self) -> bool:
        """No part contributes anything, or nobody is left in it: there is no such customer (any more)."""
        if self.kind in COLLECTIVES and not self.parties:
            return True
        return all(part.tells_nothing for part in self.parts)

    def of_kind(self, kind: str) -> list[Part]:
        return [part for part in self.parts if part.kind == kind]

    @property
    def parties(self) -> list[Part]:
        """The customer numbers that are this customer now; of a household or group, its members."""
        return [part for part in self.parts if part.kind == "party" and part.role == "self" and part.current]

    @property
    def numbers(self) -> list[Part]:
        """The same, with those that were merged with a member's."""
        return [part for part in self.parts if part.kind == "party" and part.counts and part.current]

    @property
    def erased_at(self) -> int:
        """The last time (ms) that one of the customer numbers in it was erased; 0 for never."""
        return max(
            (part.erased_at for part in self.parts if part.kind == "party" or part.subject in self.roots), default=0
        )

    @property
    def wholly_erased_at(self) -> int:
        """The same where all that makes up this customer was erased; 0 where somebody is left whom nobody erased."""
        erased = [part.erased_at for part in self.parts if part.subject in self.roots]
        return max(erased, default=0) if all(erased) else 0

    @property
    def subjects(self) -> frozenset[str]:
        return frozenset(part.subject for part in self.parts if part.counts)


def total(parts: Iterable[Part]) -> Total:
    """Combines the parts that count. A subject that is reached twice (a joint account in a household) counts once."""
    seen: dict[str, set[int]] = {}
    heads: list[Head] = []
    months: dict[int, list[MonthPart]] = {}
    for part in parts:
        if part.counts:
            known = seen.get(part.subject)
            if known is None:
                seen[part.subject], flows = set(part.flows.places), part.flows
            else:
                flows = _without(part.flows, known)
            heads += flows.heads
            for number, told in flows.months.items():
                months.setdefault(number, []).extend(told)
    head = combine_flows(heads)
    oldest = month_of(head.newest_at) - MONTHS_KEPT
    return Total(head, {number: joined(months[number]) for number in sorted(months, reverse=True) if number > oldest})


def acted_for(parts: Sequence[Part]) -> list[Head]:
    """Each segment once of what the customer only acts for, as attorney, signatory or guardian."""
    others = [part for part in parts if not part.counts]
    if not others:
        return []
    seen: dict[str, set[int]] = {}
    for part in parts:
        if part.counts:
            seen.setdefault(part.subject, set()).update(part.flows.places)
    return [head for part in others for head in _without(part.flows, seen.setdefault(part.subject, set())).heads]


def _without(flows: Flows, seen: set[int]) -> Flows:
    """The segments that no earlier part has brought; they are added to `seen`."""
    fresh = [at for at, place in enumerate(flows.places) if place not in seen]
    seen.update(flows.places)
    if len(fresh) == len(flows.places):
        return flows
    chosen = {number: [told[at] for at in fresh] for number, told in flows.months.items() if fresh}
    return Flows([flows.places[at] for at in fresh], [flows.heads[at] for at in fresh], chosen)


def kind_of_customer(lead: str, parts: Iterable[Part]) -> str:
    """Of several numbers, some may have been told of by an account alone."""
    kind = kind_of(lead)
    if kind in COLLECTIVES:
        return kind
    if kind != "party":
        return "anonymous"
    own = (part.things.get(part.subject, {}) for part in parts if part.kind == "party" and part.role == "self")
    told = max([thing["kind"] for thing in own if "kind" in thing], key=lambda entry: entry.stamp, default=None)
    return "company" if told is not None and told.value == "company" else "person"
