"""USE CASE: from what a rule saw of a customer back to the events that it was counted from.

The timeline is never rewritten, so the same is told as long as it is kept: what was accepted afterwards stands apart.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from schemas.changes import Fact
from schemas.codec import decode_event
from schemas.events import ChannelEvent
from schemas.instants import instant
from services.profile.decide import pair_of, standing_merges
from services.profile.domain.facts.fed import feed_of, telling
from services.profile.domain.facts.windowed import Alone, Windowed
from services.profile.domain.identity.links import BEGINNING, END, Membership, clusters
from services.profile.domain.states.fold import Fold, effective_at
from services.profile.domain.value.policy import Policy
from services.profile.ports.reading import Cursor, TimelineFilter
from services.profile.ports.records import Decision
from services.profile.read import Read, spans_of

AT_ONCE, MOST_READ, MOST_TOLD = 100, 20_000, 200
SMALLEST = 1e-6
TELLING = "it is no sum: these are the events that tell of what it is about"
NO_EVENTS = "derived from balances, holdings or decisions; it has no events of its own"
OTHERWISE = (
    "the events do not come to this value: one was still on its way then, accounts were linked or taken away since, "
    "what is counted was declared anew, or some events are not kept any more"
)
Listed = Sequence[tuple[ChannelEvent, float | None]]
"""With what each counts; None where nothing is counted."""

Tell = Callable[[ChannelEvent], dict[str, Any]]
Spans = Sequence[tuple[str, int, int]]


class Seen(NamedTuple):
    """What a rule saw: the facts of a customer as they were told `at` (ms), and the event of the moment that it was
    judged on, which `occurred_at`; "" where there was none."""

    customer_id: str
    at: int
    values: Mapping[str, Fact]
    event_id: str
    occurred_at: int


class Trace:
    def __init__(self, read: Read, fold: Fold, policy: Callable[[], Policy]) -> None:
        self._read, self._fold, self._policy = read, fold, policy

    async def events(self, seen: Seen) -> bytes:
        """As JSON, personal values in clear: the moment's `event`, and each of the `facts` with its events."""
        spans, policy = await self._spans(seen.customer_id, seen.at), self._policy()
        tell = await self._read.teller(subject for subject, _, _ in spans)
        windowed = Windowed(self._fold, policy.measures, policy.reference, seen.at)
        facts = {name: value for name, value in sorted(seen.values.items()) if not name.startswith("moment.")}
        begins = [since for name in facts if (since := windowed.read_since(name)) is not None]
        events = [windowed.alone(one) async for one in self._events(spans, min(begins))] if begins else []
        about = await self._about(spans, facts, seen.at)
        listed = []
        for name, value in facts.items():
            await asyncio.sleep(0)  # whoever reads beside waits for one fact, not for all
            if windowed.since(name) is not None:
                listed.append(self._counted(name, value, windowed, events, tell))
            else:
                listed.append(self._telling(name, value, about, seen.at, tell))
        found = {"event": await self._moment(spans, seen, tell), "facts": listed}
        return (await self._read.in_clear([msgspec.json.encode(found)]))[0]

    def _telling(self, name: str, value: Fact, events: Sequence[ChannelEvent], at: int, tell: Tell) -> dict[str, Any]:
        feed = feed_of(name)
        if feed is None:
            return _stated(name, value) | {"why": NO_EVENTS}
        found = telling(feed, events, self._policy().reference.reasons, at)
        known = [(one, None) for one in found if one.accepted_at <= at]
        later = [(one, None) for one in found if one.accepted_at > at]
        return _stated(name, value) | _lists(known, later, tell) | {"why": TELLING}

    def _counted(
        self, name: str, value: Fact, windowed: Windowed, events: Sequence[Alone], tell: Tell
    ) -> dict[str, Any]:
        known = [one for one in events if one.event.accepted_at <= windowed.now]
        counts = windowed.behind(name, known)
        all_told = windowed.behind(name, events) if len(known) < len(events) else counts
        later = [one for one in all_told.each if one[0].accepted_at > windowed.now]
        adds_up = abs(counts.total - float(value)) < SMALLEST
        return _stated(name, value) | {
            **_lists(counts.each, later, tell), "since": instant(windowed.since(name) or 0),
            "until": instant(windowed.now), "counted": counts.total, "adds_up": adds_up,
            "why": None if adds_up else OTHERWISE,
        }  # fmt: skip

    async def _moment(self, spans: Spans, seen: Seen, tell: Tell) -> dict[str, Any] | None:
        if not seen.event_id:
            return None
        at = TimelineFilter(since=seen.occurred_at, until=seen.occurred_at + 1)
        rows = await self._read.reader.timeline(spans, None, at, MOST_TOLD)
        events = [decode_event(row.event) for row in rows]
        return next((tell(event) for event in events if event.id == seen.event_id), None)

    async def _about(self, spans: Spans, facts: Iterable[str], at: int) -> list[ChannelEvent]:
        feeds = [feed for name in facts if (feed := feed_of(name)) is not None]
        if not feeds:
            return []
        types = tuple(sorted({one for feed in feeds for one in feed.read}))
        return [one async for one in self._events(spans, min(feed.since(at) for feed in feeds), types)]

    async def _events(self, spans: Spans, since: int, types: tuple[str, ...] = ()) -> AsyncIterator[ChannelEvent]:
        """Newest first. A reversal is read wherever it lies, and belongs to the time of what it cancels."""
        held: dict[str, list[tuple[int, int]]] = {}
        for subject, begins, until in spans:
            held.setdefault(subject, []).append((begins, until))
        whole = [(subject, BEGINNING, END) for subject in sorted(held)]
        before: Cursor | None = None
        read = 0
        while read < MOST_READ:
            rows = await self._read.reader.timeline(whole, before, TimelineFilter(types, since=since), AT_ONCE)
            for event in [decode_event(row.event) for row in rows]:
                at = effective_at(event)
                if any(begins <= at < until for begins, until in held[event.subject]):
                    yield event
            if len(rows) < AT_ONCE:
                return
            read, before = read + len(rows), rows[-1][1:4]

    async def _spans(self, customer_id: str, at: int) -> Spans:
        """Of the subjects of whoever this id stood for then, before later merges and splits."""
        reader = self._read.reader
        async with reader.customers() as look:
            named = {one.subject for one in await look.resolve_alias(customer_id)}
        roots = sorted(await self._roots(named, at))
        own = [Membership(root, root, "self", BEGINNING, END) for root in roots]
        return spans_of([*own, *await reader.memberships(roots)])

    async def _roots(self, named: set[str], at: int) -> set[str]:
        """With what decisions had merged with them by then; those may lead on to others."""
        known: dict[str, Decision] = {}
        roots = set(named)
        while True:
            decisions = await self._read.reader.decisions_on(sorted(roots))
            known |= {one.decision_id: one for one in decisions if one.at <= at}
            stood = clusters(map(pair_of, standing_merges(known.values())))
            found = named.union(*[one.roots for one in stood if not named.isdisjoint(one.roots)])
            if found <= roots:
                return found
            roots |= found


def _lists(known: Listed, later: Listed, tell: Tell) -> dict[str, Any]:
    left_out = max(0, len(known) - MOST_TOLD)
    return {"events": _listed(known, tell), "left_out": left_out, "came_later": _listed(later, tell)}


def _listed(each: Listed, tell: Tell) -> list[dict[str, Any]]:
    newest = sorted(each, key=lambda one: (one[0].occurred_at, one[0].id), reverse=True)[:MOST_TOLD]
    return [tell(event) | {"counts": brought} for event, brought in newest]


def _stated(name: str, value: Fact) -> dict[str, Any]:
    untold = ("since", "until", "counted", "adds_up", "events", "left_out", "came_later", "why")
    return {"name": name, "value": value, **dict.fromkeys(untold)}
