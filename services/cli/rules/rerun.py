"""A past lived through again in the memory of this process: the profile's and the alerts' own steps, under a clock that
follows what happened. Nobody works the alerts, and desks have room for all of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from schemas.catalogue import EventType
from schemas.identifiers import SUBJECT_LIMITS
from schemas.instants import DAY_MS
from schemas.topics import CHANNEL_EVENTS, PROFILE_CHANGES
from services.alerts.adapters.cel import Cel
from services.alerts.adapters.memory import MemoryAlertStore
from services.alerts.attend import Attend
from services.alerts.current import Current
from services.alerts.domain.alert import Alert
from services.alerts.domain.asking import asked_of
from services.alerts.domain.compiled import RuleSet
from services.alerts.domain.rules import Desk
from services.alerts.evaluate import Evaluate
from services.alerts.ports import AlertFilter
from services.cli.rules.aged_past import NOTHING_AGED, AgedPast, lay_beneath, link_and_fold
from services.cli.rules.placements import Placements
from services.log import Batch, Record
from services.outbox import Outbox, OutboxRow
from services.profile.adapters.memory import MemoryProfileStore
from services.profile.adapters.policies import Declarations
from services.profile.decide import Decide
from services.profile.domain.customers.customer import Completeness
from services.profile.domain.customers.freshness import SourceSeen, completeness, latenesses
from services.profile.domain.identity.customer_ids import customer_id
from services.profile.domain.ledger import DAYS_KEPT
from services.profile.domain.shards import together
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.series import Counting
from services.profile.domain.value.placing import place
from services.profile.giving_way import MARKS_AT_ONCE
from services.profile.ports.records import Decision, Mark, Shard
from services.profile.refresh import Refresh
from services.profile.resting import Resting
from services.profile.settings import Choices
from services.profile.timers import fire, next_look
from services.profile.update import Update

ROOM = 1_000_000_000


class Happened(NamedTuple):
    """`at`: when the clock stood there (ms)."""

    at: int
    event: bytes


def steps(happened: Iterable[Happened], step_ms: int) -> Iterator[list[Happened]]:
    """What happened within so long of each other is taken up together. `happened` in order."""
    some: list[Happened] = []
    for one in happened:
        if some and one.at - some[0].at >= step_ms:
            yield some
            some = []
        some.append(one)
    if some:
        yield some


class Rerun:
    """`watched_from`: until then (ms) the past is only folded, and nobody looks at a customer. `sources`: how those
    that are registered are waited for; `choices` says it for the others. `placements`: how customers were placed, where
    that is known; else it is chosen anew."""

    def __init__(
        self, event_types: Mapping[str, EventType], declared: Declarations, secret: bytes, rules: RuleSet, desk: Desk,
        choices: Choices, watched_from: int = 0, sources: Sequence[SourceSeen] = (),
        placements: Placements | None = None,
    ) -> None:  # fmt: skip
        alias_of = partial(customer_id, secret=secret)
        self._fold = fold = Fold(event_types, Counting(declared.series), declared.series.version)
        self.now = 0
        self.profile, self.alerts = MemoryProfileStore(alias_of), MemoryAlertStore()
        self._update = Update(self.profile, fold, event_types, secret, SUBJECT_LIMITS)
        self._decide = Decide(self.profile, fold, SUBJECT_LIMITS)
        policy = msgspec.structs.replace(declared.policy, asked=asked_of(rules))
        placing = place if placements is None else placements.place
        self._refresh = Refresh(self.profile, lambda: policy, lambda: self._complete, alias_of, Resting(0, 0), placing)
        self._placements = Placements(()) if placements is None else placements
        roomy = msgspec.structs.replace(desk, daily_capacity=ROOM, capacities={}, open_budget=ROOM, burst_from=ROOM)
        self._current = Current(rules, roomy, declared.policy.reference.is_working_day)
        self._evaluate = Evaluate(self.alerts, Cel(), self._current)
        self._attend = Attend(self.alerts, self._current)
        self._complete, self._patience, self._sources = Completeness(), choices.patience(1), sources
        self._lateness_ms = latenesses(sources, self._patience)
        self._watched_from, self._watches = watched_from, False
        self._offsets: Counter[str] = Counter()
        self._shards: dict[int, Shard] = {}
        self._day = -1

    @property
    def broken(self) -> Mapping[str, str]:
        """Rules that met a value of a wrong type, and why."""
        return self._current.stopped

    async def take(self, some: Sequence[Happened]) -> None:
        """One step of time, after all before it."""
        await self.advance(some[0].at)
        self.now = max(self.now, some[-1].at)
        await self._update.apply([self._batch(CHANNEL_EVENTS.name, [one.event for one in some])], self.now)
        if self._watches:
            await self._settle()

    async def decide(self, decision: Decision) -> None:
        """What a person decided takes effect as it did then."""
        await self.advance(decision.at)
        self.now = max(self.now, decision.at)
        await self._decide.again(decision)
        if self._watches:
            await self._settle()

    async def advance(self, until: int) -> None:
        """Time passes in which nothing happens but what is due."""
        if until < self._watched_from:
            return
        if not self._watches:
            self._watches, self.now = True, max(self.now, self._watched_from)
            await self._settle()
        while (at := await self._next_look()) is not None and at <= until:
            self.now = at
            await self._settle()
        self.now = max(self.now, until)

    async def found(self) -> list[Alert]:
        return await self.alerts.find(AlertFilter(), None, ROOM)

    async def customer_of(self, subject: str) -> str:
        """The customer for whom a subject counts at the end; empty where it was never heard of."""
        async with self.profile.customers() as look:
            resolved = await look.resolve([subject])
        return resolved[0].view.customer_id if resolved and resolved[0].view is not None else ""

    async def _next_look(self) -> int | None:
        """When a customer was placed otherwise, or something is due."""
        looks = [await next_look(self.profile, self.now, self._lateness_ms), self._placements.next_at()]
        return min((at for at in looks if at is not None), default=None)

    async def _settle(self) -> None:
        seen = await self.profile.sources_seen()
        self._complete = completeness(seen, self.now, self._patience)
        await fire(self.profile, self._complete, self.now)
        if leads := self._placements.reached(self.now):
            async with self.profile.updating() as tx:
                await tx.mark([Mark(lead, 0) for lead in sorted(leads)])
        while waiting := await self.profile.marks_waiting():
            for numbers in together(waiting, MARKS_AT_ONCE):
                done = await self._refresh.apply([self._shards[one] for one in numbers], MARKS_AT_ONCE, self.now)
                self._shards |= {shard.shard: shard for shard in done.shards}
        changes = [row.message.value for row in await _sent(self.profile) if row.message.topic == PROFILE_CHANGES.name]
        if changes:
            await self._evaluate.apply([self._batch(PROFILE_CHANGES.name, changes)])
        if self.now // DAY_MS != self._day:
            self._day = self.now // DAY_MS
            await self._close_day()

    async def _close_day(self) -> None:
        """What a day leaves behind: alerts that nobody took up expire, and nothing is kept that is not asked again."""
        await self._attend.apply(self.now)
        await _sent(self.alerts)
        await self.profile.drop_ledgers(self._day - DAYS_KEPT)

    async def begin(self, past: AgedPast = NOTHING_AGED) -> None:
        """`past`: what is known already. It can be watched only from its end on."""
        self._watched_from = max(self._watched_from, past.until)
        async with self.profile.updating() as tx:
            await lay_beneath(tx, past, self._fold)
        async with self.profile.updating() as tx:
            await link_and_fold(tx, past, self._fold)
        held = await self.profile.lease("rerun", 0)
        self._shards = {shard.shard: shard for shard in held}
        async with self.profile.updating() as tx:
            await tx.note_sources(self._sources)

    def _batch(self, topic: str, values: Sequence[bytes]) -> Batch:
        start = self._offsets[topic]
        self._offsets[topic] += len(values)
        records = [Record(place, self.now, b"", value) for place, value in enumerate(values, start)]
        return Batch(topic, "rerun", 0, start, self._offsets[topic], records)


async def _sent(store: Outbox) -> list[OutboxRow]:
    """What waits in every lane leaves it."""
    found: list[OutboxRow] = []
    for lane in await store.lanes_waiting():
        rows = await store.outbox(lane, ROOM)
        await store.published({lane: (rows[0].n - 1, rows[-1].n)})
        found += rows
    return found
