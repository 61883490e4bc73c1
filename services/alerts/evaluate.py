"""USE CASE: profile changes, the batches of some partitions, one transaction: what the rules say becomes alerts."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from schemas.changes import ProfileChange
from schemas.codec import decode_change
from services.alerts.current import Current
from services.alerts.domain.alert import Alert
from services.alerts.domain.expressions import Expressions
from services.alerts.domain.judging import judge
from services.alerts.domain.merging import GONE, Side, departed, end, heir, is_spoken_for, meets, merge, part
from services.alerts.domain.notices import notice, standing
from services.alerts.domain.reminding import next_look
from services.alerts.domain.routing import Place, follow_owner, limited, place_of, route
from services.alerts.domain.settling import settle
from services.alerts.domain.standing import Standing
from services.alerts.outbox import message_of
from services.alerts.ports import AlertStore, AlertsTransaction
from services.log import Batch


class Evaluated(NamedTuple):
    """`skipped`: statements older than one acted on before. `changed`: alerts with a new step. `newest` (ms): when the
    profile made the oldest and the youngest of the statements."""

    statements: int
    skipped: int
    fired: int
    suppressed: int
    unknown: int
    changed: list[Alert]
    broken: Mapping[str, str]


class Evaluate:
    def __init__(self, store: AlertStore, expressions: Expressions, current: Current) -> None:
        self._store, self._expressions, self._current = store, expressions, current

    async def apply(self, batches: Sequence[Batch]) -> Evaluated:
        """At most one batch of a partition. Raises `Fenced`, `Contended`, `Unavailable`; then nothing has happened."""
        changes = newest(decode_change(record.value) for batch in batches for record in batch.records)
        # two workers share no partition, and so no lane
        lane = f"changes-{min(batch.partition for batch in batches)}"
        async with self._store.working() as tx:
            await tx.advance([batch.move for batch in batches])
            work = Work(tx, self._expressions, self._current)
            await work.take_up(changes)
            for change in changes:
                await work.one(change)
            await work.finish(lane, max((one.changed_at for one in changes), default=0))
        self._current.bursts.count(work.absences, work.day)
        self._current.pause(self._current.terms.paused | work.bursts.keys())
        for rule, why in work.broken.items():
            self._current.stop_rule(rule, why)
        skipped = sum(len(batch.records) for batch in batches) - work.applied
        return Evaluated(work.applied, skipped, work.fired, work.suppressed, work.unknown,
                         list(work.changed.values()), work.broken)  # fmt: skip


def newest(changes: Iterable[ProfileChange]) -> list[ProfileChange]:
    """A statement is whole: of several on one customer the newest says all, where none of them ends or begins it."""
    found: dict[str, ProfileChange] = {}
    kept: list[ProfileChange] = []
    for change in changes:
        before = found.get(change.customer_id)
        if before is not None and before.version > change.version:
            continue
        if before is not None and GONE in (before.kind, change.kind):
            kept.append(before)
        found[change.customer_id] = change
    return [*kept, *found.values()]


class Work:
    """One transaction's customers, as far as they have been read and changed."""

    def __init__(self, tx: AlertsTransaction, expressions: Expressions, current: Current) -> None:
        self._tx, self._expressions = tx, expressions
        self._current, self._rules, self._terms = current, current.rules, current.terms
        self._standings: dict[str, Standing] = {}
        self._alerts: dict[str, list[Alert]] = {}
        self._revisions: dict[str, int] = {}
        self.changed: dict[str, Alert] = {}
        self.broken: dict[str, str] = {}
        self.absences, self.bursts, self.day = Counter[str](), dict[str, int](), -1
        self.applied = self.fired = self.suppressed = self.unknown = 0

    async def take_up(self, changes: Sequence[ProfileChange]) -> None:
        others = {other for one in changes for other in (*one.merged, heir(one)) if other}
        await self._lock({one.customer_id for one in changes} | others)

    async def _lock(self, customer_ids: Iterable[str]) -> None:
        wanted = sorted({one for one in customer_ids if one not in self._standings})
        if wanted:
            self._standings |= await self._tx.lock(wanted)
            self._alerts |= {one: [] for one in wanted} | await self._tx.alerts_of(wanted)
            self._revisions |= {alert.alert_id: alert.revision for one in wanted for alert in self._alerts[one]}

    async def one(self, change: ProfileChange) -> None:
        standing = self._standings[change.customer_id]
        if change.version <= standing.version or is_spoken_for(change, standing):
            return
        self.applied += 1
        if change.kind == GONE:
            self._gone(change, standing)
            return
        if standing.merged_into:
            await self._part(change.customer_id, standing.merged_into, change.changed_at)
        await self._let_go(change)
        self._take_in(change)
        alerts = self._alerts[change.customer_id]
        settled = settle(change, standing, alerts, judge(change, self._rules, self._expressions), self._terms)
        known = {one.alert_id for one in alerts}
        alerts += [one for one in settled.changed if one.alert_id not in known]
        self.fired, self.suppressed = self.fired + settled.fired, self.suppressed + settled.suppressed
        self.unknown += settled.unknown
        self.broken |= settled.broken
        if settled.absences:
            self._count(settled.absences, self._terms.day_of(change.changed_at))
        self._note(settled.changed)
        place, desk = place_of(change), self._terms.desk
        self._note([one for one in alerts if follow_owner(one, place, desk, change.changed_at)])

    def _count(self, absences: Sequence[str], day: int) -> None:
        """A rule that speaks of too many customers of one day speaks of no more of them."""
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

    def _gone(self, change: ProfileChange, standing: Standing) -> None:
        standing.version, standing.as_of, standing.kind = change.version, change.changed_at, GONE
        if not (to := heir(change)):
            self._note(end(self._alerts[change.customer_id], change.changed_at))
        elif standing.merged_into != to:  # else its statement came first
            self._merge(change.customer_id, to, change.changed_at)

    def _merge(self, gone: str, to: str, at: int) -> None:
        self._note(merge(self._side(gone), self._side(to), self._terms, at))
        self._alerts[to] += [one for one in self._alerts[gone] if one.customer_id == to]

    def _take_in(self, change: ProfileChange) -> None:
        """Of two who become one, either may be told of first. The statement that speaks for both judges what was acted
        on for both: nothing that comes later would withdraw what it does not hold."""
        for other in change.merged:
            standing = self._standings[other]
            if meets(change, standing):
                self._merge(other, change.customer_id, change.changed_at)
                standing.as_of = change.changed_at

    async def _let_go(self, change: ProfileChange) -> None:
        """Of two who part, either may be told of first. A statement from before they met says nothing of the other."""
        away = departed(self._side(change.customer_id), change.merged)
        await self._lock(away)
        for other in sorted(away):
            if change.changed_at > self._standings[other].as_of:
                await self._part(other, change.customer_id, change.changed_at)

    async def _part(self, back: str, there: str, at: int) -> None:
        await self._lock([back, there])
        parted = part(self._side(back), self._side(there), self._terms, at)
        self._note(parted)
        for one in parted:
            known = self._standings[one.customer_id]
            follow_owner(one, Place(known.owner, known.acting, one.branch), self._terms.desk, at)
        self._alerts[back] += [one for one in parted if one.customer_id == back]
        self._alerts[there] = [one for one in self._alerts[there] if one.customer_id == there]

    def _side(self, customer_id: str) -> Side:
        return Side(customer_id, self._standings[customer_id], self._alerts[customer_id])

    async def finish(self, lane: str, now: int) -> None:
        """Routes what waits for nothing, and writes all of it."""
        ready = [one for one in self.changed.values() if one.state == "new"]
        owners = limited(ready)
        routed = await self._tx.routed_on(owners, self._terms.working_day_of(now)) if owners else {}
        self._note(route(ready, routed, self._terms, now))
        await self._tx.save_standings(self._standings)
        changed = list(self.changed.values())
        for alert in changed:
            if alert.revision == self._revisions.get(alert.alert_id):
                alert.revision += 1  # graver, or worded otherwise: no step of its life, but news for its readers
        await self._tx.save_alerts(changed, {one.alert_id: next_look(one, self._terms) for one in changed})
        if self.bursts:
            await self._tell_of_bursts(now)
        await self._tx.send(lane, [message_of(one) for one in changed], now)

    async def _tell_of_bursts(self, now: int) -> None:
        told = standing(await self._tx.notices())
        usual = self._current.bursts.usual
        await self._tx.notify([
            notice(self._rules, rule, "paused", now, began=True, seen=seen, among=usual(rule))
            for rule, seen in self.bursts.items() if (rule, "paused") not in told
        ])  # fmt: skip
