"""USE CASE: refreshes the marked customers of some shards in one transaction.

Each customer is combined once, from one snapshot of all its subjects; view, facts, due times and the outbox row are
written together.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from services.failures import Unavailable
from services.outbox import OutboxMessage
from services.profile.dependents import collectives_first, dependents_of, still_to_see
from services.profile.domain.customers.customer import Completeness, Customer, Decided
from services.profile.domain.customers.summary import DueTime
from services.profile.domain.identity.links import COLLECTIVES, Cluster, cluster_of, kind_of
from services.profile.domain.shards import shard_of
from services.profile.domain.states.months import OtherShape
from services.profile.domain.summarise import summarise
from services.profile.domain.value.placing import Placing, moved, place
from services.profile.domain.value.policy import Policy
from services.profile.gathering import Context, Gathered, Gathering, facts_of, gathered
from services.profile.outbox import lane_of_shard
from services.profile.ports.records import Mark, Placement, Shard, StoredView
from services.profile.ports.refreshing import RefreshTransaction
from services.profile.ports.store import ProfileStore
from services.profile.resting import TOO_LONG_S, Resting
from services.profile.statement import change_of, change_of_gone, gone, is_news, statement_of

OPENED_AT_ONCE = 25
"""Roots whose states are read and decoded without a pause: a few milliseconds."""
FAILED_AT_ONCE = 20
"""When more customers than this fail and none succeeds, the release is at fault and not their data."""


class Refreshed(NamedTuple):
    """`shards`: the leases, moved on. `marks`: how many roots were taken; 0 when none waited. `seen`: the marks of
    those that were summed up. `changed`: ids of customers with a new version. `failed`: roots that were set aside, with
    what was raised."""

    shards: list[Shard]
    marks: int
    changed: list[str]
    seen: list[Mark]
    failed: Mapping[str, Exception]


class _Writes(NamedTuple):
    """What to write of one customer. Without `view` nothing is published: only the due times are written, and
    `decided` where a tier was judged again. `dependents`: roots whose views depend on what has changed here. `placed`:
    the new placement, where it differs from the one before."""

    due: Sequence[DueTime]
    view: StoredView | None = None
    change: OutboxMessage | None = None
    dependents: Sequence[str] = ()
    decided: bytes = b""
    placed: Decided | None = None


class Refresh:
    """`completeness` tells how far the sources have come; `policy` may be replaced while running. A customer that was
    refreshed rests for a moment (see `Resting`): its next marks wait and are taken together. `placing` chooses tier and
    owner; a backtest replaces it by what was chosen then."""

    def __init__(
        self, store: ProfileStore, policy: Callable[[], Policy], completeness: Callable[[], Completeness],
        alias_of: Callable[[str], str], resting: Resting, placing: Placing = place,
    ) -> None:  # fmt: skip
        self._store, self._policy, self._gathering = store, policy, Gathering(completeness, alias_of)
        self.resting, self.alias_of, self._placing = resting, alias_of, placing

    async def apply(self, shards: Sequence[Shard], limit: int, now: int, *, urgent: bool = False) -> Refreshed:
        """Takes the marks of at most `limit` customers; with `urgent` only of those with an urgent one. A customer that
        meets a bug, or whose states wait to be rebuilt, holds up nobody else: its mark stays and is tried again after a
        while.

        Raises `Fenced` when a lease was lost, `Contended`, `Unavailable`; nothing is written then.
        """
        numbers = [shard.shard for shard in shards]
        async with self._store.refreshing() as tx:
            held = await tx.fence(shards)
            marks = await tx.take_marks(numbers, limit, self.resting.roots(numbers), urgent=urgent)
            if not marks:
                return Refreshed(held, 0, [], [], {})
            clusters = await tx.clusters([mark.root for mark in marks])
            merged = [mark for mark in marks if mark.root in clusters and clusters[mark.root].lead != mark.root]
            await tx.mark([mark._replace(root=clusters[mark.root].lead) for mark in merged])
            wanted = {mark.root: clusters.get(mark.root) or cluster_of([mark.root]) for mark in marks}
            changed, failed = await self._refresh(tx, wanted, {mark.root for mark in merged}, now)
            if len(failed) > FAILED_AT_ONCE and len(failed) == len(wanted):
                raise _failure_of_all(next(iter(failed.values())))
            await tx.set_aside([mark for mark in marks if mark.root in failed])
        self.resting.note(wanted.keys() - failed.keys())
        self.resting.set_aside(failed)
        seen = [mark for mark in marks if mark.root not in failed]
        return Refreshed(held, len(marks), changed, seen, failed)

    async def put_aside(self, shards: Sequence[Shard], error: Exception, *, urgent: bool = False) -> Refreshed:
        """Sets the customer aside whose turn it is: alone it took longer than a transaction may. Raises as `apply`."""
        numbers = [shard.shard for shard in shards]
        async with self._store.refreshing() as tx:
            held = await tx.fence(shards)
            marks = await tx.take_marks(numbers, 1, self.resting.roots(numbers), urgent=urgent)
            await tx.set_aside(marks)
        failed = {mark.root: error for mark in marks}
        self.resting.set_aside(failed, TOO_LONG_S)
        return Refreshed(held, 0, [], [], failed)

    async def _refresh(
        self, tx: RefreshTransaction, wanted: Mapping[str, Cluster], merged: set[str], now: int
    ) -> tuple[list[str], Mapping[str, Exception]]:
        known = await tx.views(sorted(wanted.keys() | {root for one in wanted.values() for root in one.roots}))
        found = await _gathered(tx, sorted({root for lead in wanted.keys() - merged for root in wanted[lead].roots}))
        policy = self._policy()
        context = await self._gathering.context(tx, found.members, now, policy.portfolio.managers)
        leaving = [lead for lead in wanted if lead in known and known[lead].is_live and not found.members.get(lead)]
        erased = await tx.erased(sorted(leaving)) if leaving else {}
        writes: dict[str, _Writes] = {}
        failed: dict[str, Exception] = {}
        for lead in sorted(wanted, key=collectives_first):
            await asyncio.sleep(0)  # a reader in the same process waits for one customer, not for all
            try:
                members = [] if lead in merged else found.of(wanted[lead])
                others = {root: known[root] for root in wanted[lead].roots if root != lead and root in known}
                customer = self._gathering.customer(lead, wanted[lead], members, known.get(lead), context, others)
                erased_at = erased.get(lead, customer.wholly_erased_at)
                writes[lead] = self._writes(customer, wanted[lead], known.get(lead), erased_at, policy, now)
                self._note(context, lead, known.get(lead), writes[lead].view)
            except Exception as bug:
                failed[lead] = bug
        return await self._write(tx, writes, now), failed

    def _note(self, context: Context, lead: str, before: StoredView | None, after: StoredView | None) -> None:
        """For those that are summed up after it in the same run."""
        if after is not None and kind_of(lead) in COLLECTIVES:
            context.collectives[lead] = facts_of(after)
        elif after is not None:
            self._gathering.note_owner(context, _owner_of(before), _owner_of(after))

    def _writes(
        self, customer: Customer, cluster: Cluster, before: StoredView | None, erased_at: int, policy: Policy, now: int
    ) -> _Writes:
        alias_of = self._gathering.alias_of
        if customer.tells_nothing:
            if before is None or not before.is_live:
                return _Writes(())
            view = gone(before, now)
            return _Writes(
                (), view, change_of_gone(view, cluster, erased_at, alias_of), dependents_of(customer, before, view)
            )
        summary = summarise(customer, policy, now, self._placing)
        statement = statement_of(customer, summary, before, now, policy)
        placed = moved(customer.decided, summary.decided)
        if before is not None and not is_news(before, statement.view, policy.asked):
            # written nevertheless: those from before may have fired
            return _Writes(summary.due, decided=statement.view.decided, placed=placed)
        change = change_of(customer, summary, statement, alias_of)
        dependents = dependents_of(customer, before, statement.view)
        return _Writes(summary.due, statement.view, change, dependents, placed=placed)

    async def _write(self, tx: RefreshTransaction, writes: Mapping[str, _Writes], now: int) -> list[str]:
        views = [one.view for one in writes.values() if one.view is not None]
        lanes: defaultdict[str, list[OutboxMessage]] = defaultdict(list)
        for lead, one in writes.items():
            if one.change is not None:
                lanes[lane_of_shard(shard_of(lead))].append(one.change)
        await tx.mark([Mark(root, 0) for root in still_to_see({lead: one.dependents for lead, one in writes.items()})])
        await tx.save_views(views, {lead: one.due for lead, one in writes.items() if one.view or one.decided})
        await tx.save_judged({lead: one.decided for lead, one in writes.items() if one.decided})
        placed = [(lead, one.placed) for lead, one in writes.items() if one.placed is not None]
        await tx.note_placements([Placement(lead, now, msgspec.json.encode(decided)) for lead, decided in placed])
        await tx.send(lanes, now)
        return [view.customer_id for view in views]


async def _gathered(tx: RefreshTransaction, roots: Sequence[str]) -> Gathered:
    """Decodes the states of a few roots at a time, so that readers in the same process get their turn in between."""
    together = Gathered({}, {})
    for start in range(0, len(roots), OPENED_AT_ONCE):
        some = await gathered(tx, roots[start : start + OPENED_AT_ONCE])
        together.members.update(some.members)
        together.lost.update(some.lost)
    return together


def _owner_of(view: StoredView | None) -> str | None:
    return view.owner if view is not None and view.is_live else None


def _failure_of_all(error: Exception) -> Exception:
    """What to raise when every customer fails: states that wait to be rebuilt need time, anything else is a bug."""
    return Unavailable("states of another release wait to be rebuilt") if isinstance(error, OtherShape) else error
