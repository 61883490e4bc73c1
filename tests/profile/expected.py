"""What the profile must hold after a set of events, worked out the plain way: everything in memory, all at once.

It shares the pure domain with the product, and nothing of the shell whose order of doing things is under test.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from schemas.events import HEARTBEAT, ChannelEvent
from schemas.identifiers import SUBJECT_LIMITS
from services.profile.adapters.memory import MemoryProfileStore
from services.profile.adapters.memory_update import stored_subject
from services.profile.adapters.rows import subject_of
from services.profile.adapters.sql import SqlProfileStore
from services.profile.domain.identity.assertions import links_of
from services.profile.domain.identity.links import Link, Membership, join
from services.profile.domain.identity.memberships import Graph, cuts_of, roots_of
from services.profile.domain.ledger import ledger_key
from services.profile.domain.states.combine import combine
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.packing import unpack
from services.profile.domain.states.personal import Pseudonymiser
from services.profile.domain.states.segments import Segments
from services.profile.domain.states.state import State
from services.profile.ports.records import StoredSubject
from services.sql.session import reading
from tests.profile.domain.states.canonical import canonical_bytes
from tests.profile.told import CATALOGUE, SECRET


class Held(NamedTuple):
    """`states`: subject → canonical bytes of each segment. `roots` of every such subject. `timeline`: ledger keys."""

    states: dict[str, list[bytes]]
    roots: dict[str, list[str]]
    memberships: set[Membership]
    timeline: set[bytes]


def expected(events: Iterable[ChannelEvent], fold: Fold, decided: Iterable[Link] = (), secret: bytes = SECRET) -> Held:
    """`events` as they stand in the log; of those with one id the first counts. `decided`: links barred and lifted."""
    pseudonymiser = Pseudonymiser(CATALOGUE, secret)
    distinct: dict[bytes, ChannelEvent] = {}
    links: dict[tuple[str, str, str], Link] = {}
    for event in events:
        if event.type != HEARTBEAT:
            distinct.setdefault(ledger_key(event.source, event.id), event)
    asserted = [link for event in distinct.values() for link in links_of(event, CATALOGUE.get(event.type), secret)]
    for link in (*asserted, *decided):
        links[link.key] = join(links[link.key], link) if link.key in links else link
    graph = Graph(links.values(), SUBJECT_LIMITS)
    by_subject: dict[str, list[ChannelEvent]] = {}
    for event in distinct.values():
        by_subject.setdefault(event.subject, []).append(pseudonymiser.apply(event).event)
    ends = {end for link in links.values() for end in (link.subject, link.target)}
    states = {}
    for subject, told in by_subject.items():
        states[subject] = canonical(Segments.of(cuts_of(graph.memberships(subject)), told, fold).states)
    return Held(
        states,
        {subject: roots_of(subject, graph.memberships(subject)) for subject in by_subject},
        {membership for subject in ends for membership in graph.memberships(subject)},
        set(distinct),
    )


def canonical(states: Iterable[State]) -> list[bytes]:
    """Months behind the horizon are left out, as every reader does."""
    return [canonical_bytes(combine(State(), state)) for state in states]


async def held(store: object) -> Held:
    """What a store really holds."""
    assert isinstance(store, MemoryProfileStore | SqlProfileStore)
    kept = _in_memory(store) if isinstance(store, MemoryProfileStore) else _in_sql(store)
    stored, memberships, timeline = await kept
    opened = {one.subject: unpack(one.cuts, one.heads, one.months) for one in stored}
    told = {
        subject: segments
        for subject, segments in opened.items()
        if any(head.count or head.latest or head.hours for head in segments.heads)
    }
    return Held(
        {subject: canonical(segments.states) for subject, segments in told.items()},
        {one.subject: one.roots for one in stored if one.subject in told},
        memberships,
        timeline,
    )


Kept = tuple[list[StoredSubject], set[Membership], set[bytes]]


async def _in_memory(store: MemoryProfileStore) -> Kept:
    async with store._tables.turn() as tables:
        months = frozenset(part.month for part in tables.parts.rows())
        stored = [stored_subject(tables, row, months) for row in tables.subjects.rows()]
        return stored, set(tables.memberships.rows()), {row.key for row in tables.timeline.rows()}


async def _in_sql(store: SqlProfileStore) -> Kept:
    async with reading(store._database) as session:
        parts: dict[str, list[tuple[int, bytes]]] = {}
        for subject, month, body in await session.rows("select subject, month, body from parts"):
            parts.setdefault(subject, []).append((month, body))
        rows = await session.rows("select subject, version, fold_version, cuts, roots, heads, erased_at from subjects")
        stored = [subject_of(row, parts.get(row[0], ())) for row in rows]
        found = await session.rows("select root, subject, role, from_at, until_at from memberships")
        keys = await session.rows("select key from timeline")
    timeline = [bytes(row[0]) for row in keys]
    assert len(timeline) == len(set(timeline)), "an event stands in the timeline twice"
    return stored, {Membership(*row) for row in found}, set(timeline)


def differences(wanted: Held, found: Held, most: int = 10) -> list[str]:
    """In words, the first of each kind; empty where the two are the same."""
    return [
        *(f"lost from the timeline: {key.hex()}" for key in sorted(wanted.timeline - found.timeline)[:most]),
        *(f"never accepted, yet there: {key.hex()}" for key in sorted(found.timeline - wanted.timeline)[:most]),
        *(f"membership missing: {one}" for one in sorted(wanted.memberships - found.memberships)[:most]),
        *(f"membership unfounded: {one}" for one in sorted(found.memberships - wanted.memberships)[:most]),
        *_unlike("roots", wanted.roots, found.roots, most),
        *_unlike("state", wanted.states, found.states, most),
    ]


def _unlike(what: str, wanted: Mapping[str, object], found: Mapping[str, object], most: int) -> list[str]:
    subjects = [one for one in sorted(wanted.keys() | found.keys()) if wanted.get(one) != found.get(one)]
    return [
        f"{what} of {one}: {wanted.get(one)!r:.300} is due, {found.get(one)!r:.300} found" for one in subjects[:most]
    ]
