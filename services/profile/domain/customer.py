"""A customer as the set of its subjects: what each brings, and all of it together. Everything shown or asked of a
customer (view, facts, moments, value) is a pure function of what stands here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from services.profile.domain.combine import combine_all, combine_heads
from services.profile.domain.links import COUNTED_ROLES, END, Membership, kind_of
from services.profile.domain.segments import states_between
from services.profile.domain.state import Head, Month, State, Thing


class Part(msgspec.Struct):
    """One subject in one role. `flows`: the state within the time of the link. `things`: what is known of the subject
    itself (balance, status), from all its past while the link holds, else up to the link's end."""

    subject: str
    role: str
    from_at: int
    until_at: int
    flows: State
    things: dict[str, Thing]

    @property
    def counts(self) -> bool:
        return self.role in COUNTED_ROLES

    @property
    def current(self) -> bool:
        return self.until_at == END


class Manager(msgspec.Struct, frozen=True):
    """What is known of a customer manager; `fields` as its events described it."""

    manager_id: str
    fields: dict[str, Any]
    owned: int


class Decided(msgspec.Struct, omit_defaults=True):
    """What was decided of this customer at its last refresh: hysteresis and continuity build on it."""

    tier: str | None = None
    tier_since: int = 0
    candidate_tier: str | None = None
    candidate_since: int = 0
    judged_day: int = -1
    owner: str | None = None
    owner_since: int = 0
    former_owner: str | None = None
    assets_minor: int = 0
    assets_since: int = 0
    notes: dict[str, Any] = {}


class Completeness(msgspec.Struct, frozen=True):
    """`until`: source → complete up to (ms). `channels`: source → channel. `silent`: sources beyond their rhythm."""

    until: dict[str, int] = {}
    channels: dict[str, str] = {}
    silent: tuple[str, ...] = ()


class Whole(msgspec.Struct):
    """`state` combines the flows of all counting parts, each subject once. `things` joins all that is known of things,
    listed roles included. `collectives`: household or group subject → facts of its own view."""

    customer_id: str
    lead: str
    roots: tuple[str, ...]
    kind: str
    parts: list[Part]
    state: State
    things: dict[str, Thing]
    decided: Decided
    collectives: dict[str, dict[str, Any]] = {}
    staff: dict[str, Manager] = {}
    completeness: Completeness = Completeness()

    def of_kind(self, kind: str) -> list[Part]:
        return [part for part in self.parts if kind_of(part.subject) == kind]

    @property
    def subjects(self) -> frozenset[str]:
        return frozenset(part.subject for part in self.parts if part.counts)


def part_of(membership: Membership, cuts: list[int], heads: Sequence[Head], months: Mapping[int, list[Month]]) -> Part:
    flows = combine_all(states_between(cuts, list(heads), dict(months), membership.from_at, membership.until_at))
    known = list(heads)
    if membership.until_at != END:
        borders = [*cuts, END]
        known = [head for place, head in enumerate(heads) if borders[place] <= membership.until_at]
    things = _things(known)
    return Part(membership.subject, membership.role, membership.from_at, membership.until_at, flows, things)


def _things(heads: Sequence[Head]) -> dict[str, Thing]:
    if len(heads) == 1:
        return heads[0].things
    joined = Head()
    for head in heads:
        joined = combine_heads(joined, head)
    return joined.things


def total(parts: Iterable[Part]) -> State:
    """Each subject's segments once, even where two paths lead to it (a joint account in a household)."""
    seen: set[tuple[str, int, int]] = set()
    states = []
    for part in sorted(parts, key=lambda one: (one.subject, one.from_at, -one.until_at)):
        span = (part.subject, part.from_at, part.until_at)
        covered = any(s == part.subject and f <= part.from_at and u >= part.until_at for s, f, u in seen)
        if part.counts and not covered:
            seen.add(span)
            states.append(part.flows)
    return combine_all(states)


def kind_of_customer(lead: str, things: Mapping[str, Thing]) -> str:
    kind = kind_of(lead)
    if kind in ("household", "group"):
        return kind
    if kind != "party":
        return "anonymous"
    told = things.get(lead, {}).get("kind")
    return "company" if told is not None and told.value == "company" else "person"
