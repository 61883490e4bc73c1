"""One transaction's evaluation: the customers that it has locked, what the rules make of their statements, and what is
to be written at its end."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from schemas.changes import GONE, ProfileChange
from services.alerts.current import Current
from services.alerts.domain.alert import Alert
from services.alerts.domain.erasing import erase
from services.alerts.domain.expressions import Expressions
from services.alerts.domain.judging import judge
from services.alerts.domain.merging import (
    Side,
    departed,
    is_spoken_for,
    meets,
    merge,
    merged_into,
    moved_from,
    split,
    withdraw_all,
)
from services.alerts.domain.notices import in_force, notice
from services.alerts.domain.routing import Place, follow_owner, limited, place_of, route
from services.alerts.domain.settling import settle
from services.alerts.domain.standing import Standing
from services.alerts.domain.unjudged import Unjudged
from services.alerts.outbox import write
from services.alerts.ports import AlertsTransaction


class Evaluated(msgspec.Struct):
    """Counts over all batches. `skipped`: statements older than one acted on before. `fired`, `suppressed`, `unknown`:
    verdicts of rules. `handed_on`: customers for whom somebody else answers now. `changed`: alerts with a new step."""

    statements: int = 0
    skipped: int = 0
    fired: int = 0
    suppressed: int = 0
    unknown: Unjudged = msgspec.field(default_factory=Counter)
    handed_on: int = 0
    changed: list[Alert] = []


class Evaluation:
    """`changed`: alerts with a new step or without their notes, by id. `broken`: rule → why it cannot be evaluated.
    `absences`: how often each rule of absence has begun to hold on `day` (days since 1970). `bursts`: rule → customers
    of the day, of those that spoke of too many."""

    def __init__(self, tx: AlertsTransaction, expressions: Expressions, current: Current) -> None:
        self._tx, self._expressions = tx, expressions
        self._current, self._rules, self._terms = current, current.rules, current.terms
        self._standings: dict[str, Standing] = {}
        self._alerts: dict[str, list[Alert]] = {}
        self.changed: dict[str, Alert] = {}
        self.broken: dict[str, str] = {}
        self.absences, self.bursts, self.day = Counter[str](), dict[str, int](), -1
        self.done = Evaluated()

    async def lock(self, changes: Sequence[ProfileChange]) -> None:
        """Locks and reads the customers of these statements, and those that they say to have merged."""
        others = {other for one in changes for other in (*one.merged, merged_into(one)) if other}
        await self._lock({one.customer_id for one in changes} | others)

    async def _lock(self, customer_ids: Iterable[str]) -> None:
        wanted = sorted({one for one in customer_ids if one not in self._standings})
        if wanted:
            self._standings |= await self._tx.lock(wanted)
            self._alerts |= {one: [] for one in wanted} | await self._tx.alerts_of(wanted)

    async def evaluate(self, change: ProfileChange) -> None:
        """One statement of a locked customer. An older one than was acted on before changes nothing."""
        known = self._standings[change.customer_id]
        if change.version <= known.version or is_spoken_for(change, known):
            return
        self.done.statements += 1
        if change.kind == GONE:
            await self._end(change, known)
            return
        if known.merged_into:
            await self._split(change.customer_id, known.merged_into, change.changed_at)
        await self._split_departed(change)
        self._merge_named(change)
        await self._erase(change, known)
        self._judge(change, known)

    async def _erase(self, change: ProfileChange, known: Standing) -> None:
        if change.erased_at <= known.erased_at:
            return
        known.erased_at = change.erased_at
        concerned = [
            *self._alerts[change.customer_id], *await self._tx.ended_of([change.customer_id, *change.merged])
        ]  # fmt: skip
        if heir := known.merged_into:  # said so before this one was told to be erased
            there = [*self._alerts[heir], *await self._tx.ended_of([heir])]
            concerned += moved_from(change.customer_id, there)
        self._note(erase(concerned, change.erased_at, change.changed_at))

    def _judge(self, change: ProfileChange, known: Standing) -> None:
        alerts, had = self._alerts[change.customer_id], known.acting
        settled = settle(change, known, alerts, judge(change, self._rules, self._expressions), self._terms)
        before = {one.alert_id for one in alerts}
        alerts += [one for one in settled.changed if one.alert_id not in before]
        self.done.fired += settled.fired
        self.done.suppressed += settled.suppressed
        self.done.unknown += settled.unknown
        self.done.handed_on += bool(had) and known.acting != had
        self.broken |= settled.broken
        if settled.absences:
            self._count_absences(settled.absences, self._terms.day_of(change.changed_at))
        self._note(settled.changed)
        place, desk = place_of(change), self._terms.desk
        self._note([one for one in alerts if follow_owner(one, place, desk, change.changed_at)])

    def _count_absences(self, absences: Sequence[str], day: int) -> None:
        """Pauses a rule within the transaction once it speaks of too many customers of one day."""
        if day != self.day:
            self.absences, self.day = Counter(), day
        self.absences.update(absences)
        for rule in absences:
            seen = self._current.bursts.seen(rule, day) + self.absences[rule]
            if self._current.bursts.is_one(rule, day, seen, self._terms.desk):
                self.bursts[rule] = seen
                self._terms = self._terms._replace(paused=self._terms.paused | {rule})

    def _note(self, changed: Iterable[Alert]) -> None:
        self.changed |= {one.alert_id: one for one in changed}

    async def _end(self, change: ProfileChange, known: Standing) -> None:
        """The customer is gone: merged into another one, or standing for nobody any more. What was said of it may still
        stand with whom it had been merged into before."""
        known.version, known.as_of, known.kind = change.version, change.changed_at, GONE
        into = merged_into(change)
        if known.merged_into and known.merged_into != into:
            await self._split(change.customer_id, known.merged_into, change.changed_at)
        await self._erase(change, known)
        if not into:
            self._note(withdraw_all(self._alerts[change.customer_id], change.changed_at))
        elif known.merged_into != into:  # else the other's statement came first
            self._merge(change.customer_id, into, change.changed_at)

    def _merge(self, gone: str, into: str, at: int) -> None:
        self._note(merge(self._side(gone), self._side(into), self._terms, at))
        self._alerts[into] += [one for one in self._alerts[gone] if one.customer_id == into]

    def _merge_named(self, change: ProfileChange) -> None:
        """Merges those whom the statement names as merged. It speaks for both, and may come before the other says that
        it is gone: only now can what was said of the other be judged, and withdrawn where it does not hold."""
        for other in change.merged:
            known = self._standings[other]
            if meets(change, known):
                self._merge(other, change.customer_id, change.changed_at)
                known.as_of = change.changed_at

    async def _split_departed(self, change: ProfileChange) -> None:
        """Splits off those who were merged and whom the statement names no longer. A statement from before they merged
        says nothing of them."""
        away = departed(self._side(change.customer_id), change.merged)
        await self._lock(away)
        for other in sorted(away):
            if change.changed_at > self._standings[other].as_of:
                await self._split(other, change.customer_id, change.changed_at)

    async def _split(self, back: str, there: str, at: int) -> None:
        """`back` stands alone again; it was merged into `there`."""
        await self._lock([back, there])
        changed = split(self._side(back), self._side(there), self._terms, at)
        self._note(changed)
        for one in changed:
            known = self._standings[one.customer_id]
            follow_owner(one, Place(known.acting, one.branch), self._terms.desk, at)
        self._alerts[back] += [one for one in changed if one.customer_id == back]
        self._alerts[there] = [one for one in self._alerts[there] if one.customer_id == there]

    def _side(self, customer_id: str) -> Side:
        return Side(customer_id, self._standings[customer_id], self._alerts[customer_id])

    async def finish(self, lane: str, now: int) -> None:
        """Routes new alerts that wait for nothing, and writes everything."""
        ready = [one for one in self.changed.values() if one.state == "new"]
        owners = limited(ready)
        if owners:
            await self._route(ready, owners, now)
        else:
            self._note(route(ready, {}, self._terms, now))
        await self._tx.save_standings(self._standings)
        self.done.changed = list(self.changed.values())
        if self.bursts:
            await self._notify_of_bursts(now)
        await write(self._tx, lane, self.done.changed, self._terms, now)

    async def _route(self, ready: Sequence[Alert], owners: Sequence[str], now: int) -> None:
        before, changed = await self._tx.waiting_for(owners), list(self.changed.values())
        if any(one.gave_back_its_place for one in changed):
            await self._tx.save_alerts(changed, {})  # all at once: one may close what another opens
        routed = await self._tx.routed_on(owners, self._terms.working_day_of(now))
        self._note(route(ready, routed, self._terms, now, before))

    async def _notify_of_bursts(self, now: int) -> None:
        known = in_force(await self._tx.notices())
        usual = self._current.bursts.usual
        await self._tx.notify([
            notice(self._rules, rule, "paused", now, began=True, seen=seen, among=usual(rule))
            for rule, seen in self.bursts.items() if (rule, "paused") not in known
        ])  # fmt: skip
