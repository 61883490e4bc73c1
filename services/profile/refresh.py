"""USE CASE: the marks of some shards, one transaction.

Each marked customer is combined once, from one snapshot of all its subjects; view, facts, due times and the outbox row
are written together.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from services.failures import Unavailable
from services.outbox import OutboxMessage
from services.profile.domain.customers.customer import Completeness, Whole
from services.profile.domain.identity.links import COLLECTIVES, Cluster, kind_of
from services.profile.domain.shards import shard_of
from services.profile.domain.states.months import OtherShape
from services.profile.domain.summarise import summarise
from services.profile.domain.value.policy import Policy
from services.profile.gathering import Gathering, facts_of
from services.profile.outbox import lane_of_shard
from services.profile.ports import (
    DueTime,
    Mark,
    Member,
    ProfileStore,
    RefreshTransaction,
    Shard,
    StoredView,
)
from services.profile.resting import Resting
from services.profile.statement import LIVE, change_of, change_of_gone, gone, is_news, statement_of

OPENED_AT_ONCE = 25
"""Customers whose states are read and decoded in one go: a few milliseconds."""


class Refreshed(NamedTuple):
    """`marks`: of how many roots; 0 when nothing could be done. `accepted`: the oldest acceptance behind each of them
    (ms). `changed`: customers with a new version."""

    shards: list[Shard]
    marks: int
    changed: list[str]
    accepted: list[int]


class Refresh:
    """`completeness` tells how far the sources have come; `policy` may be replaced while running. Whom it refreshes it
    lets rest: the marks of `resting` roots wait."""

    def __init__(
        self, store: ProfileStore, policy: Callable[[], Policy], completeness: Callable[[], Completeness],
        alias_of: Callable[[str], str], resting: Resting,
    ) -> None:  # fmt: skip
        self._store, self._policy, self._gathering = store, policy, Gathering(completeness, alias_of, chooses=True)
        self.resting = resting

    async def apply(self, shards: Sequence[Shard], limit: int, now: int) -> Refreshed:
        """Raises `Fenced` when a lease was lost, `Contended`, `Unavailable`; then nothing has happened."""
        numbers = [shard.shard for shard in shards]
        async with self._store.refreshing() as tx:
            held = await tx.fence(shards)
            marks = await tx.take_marks(numbers, limit, self.resting.roots(numbers))
            if not marks:
                return Refreshed(held, 0, [], [])
            clusters = await tx.clusters([mark.root for mark in marks])
            moved = [mark for mark in marks if mark.root in clusters and clusters[mark.root].lead != mark.root]
            await tx.mark([Mark(clusters[mark.root].lead, mark.accepted_at) for mark in moved])
            wanted = {mark.root: clusters.get(mark.root, Cluster(mark.root, (mark.root,))) for mark in marks}
            try:
                changed = await self._refresh(tx, wanted, {mark.root for mark in moved}, now)
            except OtherShape as error:  # a view without it would be wrong: the mark waits until the rebuild is by
                raise Unavailable("states of another release wait to be rebuilt") from error
        self.resting.note(wanted)
        return Refreshed(held, len(marks), changed, [mark.accepted_at for mark in marks if mark.accepted_at])

    async def _refresh(
        self, tx: RefreshTransaction, wanted: Mapping[str, Cluster], merged: set[str], now: int
    ) -> list[str]:
        known = await tx.views(list(wanted))
        members = await _members(tx, sorted({root for lead in wanted.keys() - merged for root in wanted[lead].roots}))
        gathering = self._gathering
        context = await gathering.context(tx, members, now)
        policy, views, judged = self._policy(), list[StoredView](), dict[str, bytes]()
        due: dict[str, Sequence[DueTime]] = {}
        lanes: defaultdict[str, list[OutboxMessage]] = defaultdict(list)
        for lead in sorted(wanted):
            await asyncio.sleep(0)  # whoever reads beside waits for one customer, not for all
            found = [] if lead in merged else [one for root in wanted[lead].roots for one in members.get(root, ())]
            before, lane = known.get(lead), lanes[lane_of_shard(shard_of(lead))]
            whole = gathering.whole(lead, wanted[lead], found, before, context)
            if whole.tells_nothing:
                if before is not None and before.state == LIVE:
                    views.append(gone(before, now))
                    lane.append(change_of_gone(views[-1], wanted[lead], gathering.alias_of))
                    due[lead] = ()
                continue
            summary = summarise(whole, policy, now)
            said = statement_of(whole, summary, before, now, policy.asked)
            due[lead] = [DueTime(*one) for one in summary.due]  # the ones before may have fired
            if before is not None and not is_news(before, said.view, policy.asked):
                judged[lead] = said.view.decided
                continue
            views.append(said.view)
            lane.append(change_of(whole, summary, said, gathering.alias_of))
            await _mark_household(tx, whole, before, said.view)
        if any(view.owner != (known[view.lead].owner if view.lead in known else None) for view in views):
            gathering.count_anew(now)
        await tx.save_views(views, due)
        await tx.save_judged(judged)
        await tx.send(lanes, now)
        return [view.customer_id for view in views]


async def _members(tx: RefreshTransaction, roots: Sequence[str]) -> dict[str, list[Member]]:
    """Opened a few at a time: between two of them, whoever reads beside has a turn."""
    members: dict[str, list[Member]] = {}
    for start in range(0, len(roots), OPENED_AT_ONCE):
        members |= await tx.members(roots[start : start + OPENED_AT_ONCE])
    return members


async def _mark_household(tx: RefreshTransaction, whole: Whole, before: StoredView | None, after: StoredView) -> None:
    """What a household owns together shows in the views of its members."""
    if whole.kind not in COLLECTIVES:
        return
    told = None if before is None else facts_of(before).get("assets")
    if told != facts_of(after).get("assets"):
        parties = sorted({part.subject for part in whole.parts if kind_of(part.subject) == "party"})
        await tx.mark([Mark(party, 0) for party in parties])
