"""How a worker works the shards that it leases: marks become views for as long as any wait, then it sleeps until woken.

A lease is proved inside every transaction; what is renewed and counted here only keeps others from taking it over.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import structlog

from services import metrics as measure
from services.attempts import again_when_contended, kind_of
from services.failures import Contended, Fenced, Interrupted, Unavailable, trace_of
from services.outage import Outage
from services.pace import woken
from services.profile.domain.shards import together
from services.profile.domain.states.months import OtherShape
from services.profile.giving_way import MARKS_AT_ONCE
from services.profile.refresh import Refreshed
from services.profile.worker import Worker

LEASE_MS = 10_000
RENEW_S, BEGIN_WITHIN_S = LEASE_MS / 3_000, LEASE_MS / 2_000
"""Leases are renewed after a third of their time; a transaction begins within half of it, or waits for new leases:
behind a busy writer it can take seconds."""
IDLE_S = 0.05
NARROWED = 8
"""After a transaction that was interrupted so many times fewer marks of its shards are taken at once, in the end one:
a customer that takes too long must not hold up the others for ever."""
log = structlog.get_logger(__name__)


class ShardWork:
    def __init__(self, worker: Worker) -> None:
        self._worker, self._renewed_at, self._turn = worker, 0.0, 0
        self._narrowed: dict[int, int] = {}
        self._outage = Outage("refresh")

    async def run(self) -> None:
        """Works until cancelled."""
        while True:
            await self._worker.may_refresh.wait()
            try:
                taken = await self._all_once()
            except (Fenced, Contended) as error:
                log.info("shard given up", reason=type(error).__name__)
                self._worker.metrics.add(measure.REFRESHES_FAILED, 1, kind_of(error))
                self._renewed_at, taken = 0.0, 0
            except Unavailable as error:
                self._outage.waits(error)
                self._worker.metrics.add(measure.REFRESHES_FAILED, 1, kind_of(error))
                await asyncio.sleep(error.retry_after)
                continue
            self._outage.goes_on()
            if not taken:
                await woken(self._worker.marked, IDLE_S)

    async def _all_once(self) -> int:
        """Takes the marks that wait in every leased shard; returns how many."""
        worker, taken = self._worker, 0
        if self._leases_age_s() > RENEW_S:
            await self._renew_leases()
        worker.marked.clear()
        resting = worker.refresh.resting.roots(worker.leases)
        waiting = await worker.store.marks_waiting(resting, measure.MARKS_COUNTED_TO)
        worker.metrics.set(measure.MARKS_WAITING, sum(waiting.values()))
        leased = self._leased(waiting)
        at_once = self._marks_at_once(leased)
        for numbers in together(leased, at_once):
            if self._leases_age_s() > BEGIN_WITHIN_S:
                break
            began = _now_s()
            if sum(leased.values()) > at_once:  # otherwise all go at once
                taken += await self._urgent_first()
            taken += await self._refresh(numbers)
            await self._give_way(_now_s() - began)
        return taken

    async def _urgent_first(self) -> int:
        """One transaction for urgent marks, wherever they wait; what it leaves has its turn before the next others."""
        worker, at_once = self._worker, self._marks_at_once(self._worker.leases)
        resting = worker.refresh.resting.roots(worker.leases)
        groups = together(self._leased(await worker.store.marks_waiting(resting, at_once, urgent=True)), at_once)
        self._turn += 1
        return await self._refresh(groups[self._turn % len(groups)], urgent=True) if groups else 0

    def _leased(self, waiting: Mapping[int, int]) -> dict[int, int]:
        return {number: waiting[number] for number in waiting.keys() & self._worker.leases.keys()}

    def _marks_at_once(self, numbers: Iterable[int]) -> int:
        narrowed = [self._narrowed[number] for number in numbers if number in self._narrowed]
        return min([self._worker.giving_way.marks_at_once, *narrowed])

    def _leases_age_s(self) -> float:
        return _now_s() - self._renewed_at

    async def _renew_leases(self) -> None:
        worker = self._worker
        held = await worker.store.lease(worker.name, LEASE_MS)
        worker.leases.clear()
        worker.leases.update({shard.shard: shard for shard in held})
        self._renewed_at = _now_s()

    async def _refresh(self, numbers: Sequence[int], *, urgent: bool = False) -> int:
        worker, began = self._worker, _now_s()
        shards, at_once = [worker.leases[number] for number in numbers], self._marks_at_once(numbers)
        try:
            done = await again_when_contended(
                lambda: worker.refresh.apply(shards, at_once, worker.clock.now_ms(), urgent=urgent)
            )
        except Interrupted as lost:
            if at_once > 1:
                self._narrowed |= dict.fromkeys(numbers, max(1, at_once // NARROWED))
                raise
            done = await worker.refresh.put_aside(shards, lost, urgent=urgent)
        self._widen(numbers)
        worker.metrics.observe(measure.REFRESH_DURATION, _now_s() - began)
        worker.leases.update({shard.shard: shard for shard in done.shards})
        self._measure(done)
        if done.changed:
            worker.written.set()
            await worker.notifications.publish([(f"customer/{changed}", b"changed") for changed in done.changed])
        return done.marks

    def _widen(self, numbers: Iterable[int]) -> None:
        """Back to what is usual, step by step."""
        for number in numbers:
            most = 2 * self._narrowed.pop(number, MARKS_AT_ONCE)
            if most < MARKS_AT_ONCE:
                self._narrowed[number] = most

    def _measure(self, done: Refreshed) -> None:
        worker, now = self._worker, self._worker.clock.now_ms()
        worker.metrics.add(measure.CUSTOMERS_REFRESHED, len(done.changed))
        for root, bug in done.failed.items():
            worker.metrics.add(measure.CUSTOMERS_FAILED, 1)
            tell = log.warning if isinstance(bug, OtherShape) else log.error  # only the latter wants another release
            tell("customer set aside", customer=worker.refresh.alias_of(root), error=trace_of(bug))
        for mark in done.seen:
            self._measure_since(measure.ACCEPTED_TO_CHANGED, mark.accepted_at, now)
            self._measure_since(measure.URGENT_TO_CHANGED, mark.urgent_at, now)

    def _measure_since(self, metric: measure.HistogramMetric, since: int, now: int) -> None:
        if since:
            self._worker.metrics.observe(metric, max(0, now - since) / 1000)

    async def _give_way(self, took_s: float) -> None:
        worker = self._worker
        worker.giving_way.look(await worker.store.sources_seen(), worker.clock.now_ms())
        await asyncio.sleep(worker.giving_way.pause_s(took_s))


def _now_s() -> float:
    return asyncio.get_running_loop().time()
