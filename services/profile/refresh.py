"""USE CASE: one shard's marks, one transaction.

Each marked customer is combined once, from one snapshot of all its subjects; view, facts, due times and the outbox row
are written together.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from schemas.changes import Due as ChangeDue
from schemas.changes import ProfileChange
from services.failures import Unavailable
from services.profile.domain.customer import (
    Completeness,
    Decided,
    Manager,
    Whole,
    kind_of_customer,
    part_of,
    total,
)
from services.profile.domain.links import COLLECTIVES, Cluster, kind_of
from services.profile.domain.months import OtherShape
from services.profile.domain.policy import Policy
from services.profile.domain.summarise import summarise
from services.profile.domain.summary import Summary
from services.profile.outbox import change_message, lane_of_shard
from services.profile.ports import (
    DueTime,
    Mark,
    Member,
    OutboxMessage,
    ProfileStore,
    RefreshTransaction,
    Shard,
    StoredView,
)

GONE = "gone"
LIVE = "live"
_encode = msgspec.json.Encoder().encode  # what is told has an order of its own
_encode_sorted = msgspec.json.Encoder(order="deterministic").encode
_decode_json = msgspec.json.Decoder().decode
_decode_decided = msgspec.json.Decoder(Decided).decode


class Refreshed(NamedTuple):
    """`accepted`: the oldest acceptance behind each view now visible (ms). `changed`: customers with a new version."""

    shard: Shard
    marks: int
    changed: list[str]
    accepted: list[int]


class Refresh:
    """`completeness` tells how far the sources have come; `policy` may be replaced while running."""

    def __init__(
        self, store: ProfileStore, policy: Callable[[], Policy], completeness: Callable[[], Completeness],
        alias_of: Callable[[str], str],
    ) -> None:  # fmt: skip
        self._store, self._policy, self._completeness = store, policy, completeness
        self._alias_of = lru_cache(maxsize=200_000)(alias_of)

    async def apply(self, shard: Shard, limit: int, now: int) -> Refreshed:
        """Raises `Fenced` when the lease was lost, `Contended`, `Unavailable`; then nothing has happened."""
        async with self._store.refreshing() as tx:
            shard = await tx.fence(shard)
            marks = await tx.take_marks(shard.shard, limit)
            if not marks:
                return Refreshed(shard, 0, [], [])
            clusters = await tx.clusters([mark.root for mark in marks])
            moved = [mark for mark in marks if mark.root in clusters and clusters[mark.root].lead != mark.root]
            await tx.mark([Mark(clusters[mark.root].lead, mark.accepted_at) for mark in moved])
            wanted = {mark.root: clusters.get(mark.root, Cluster(mark.root, (mark.root,))) for mark in marks}
            try:
                changed = await self._refresh(tx, wanted, {mark.root for mark in moved}, shard, now)
            except OtherShape as error:
                raise Unavailable("states of another release wait to be rebuilt") from error
        return Refreshed(shard, len(marks), changed, [mark.accepted_at for mark in marks if mark.accepted_at])

    async def _refresh(
        self, tx: RefreshTransaction, wanted: Mapping[str, Cluster], merged: set[str], shard: Shard, now: int
    ) -> list[str]:
        known = await tx.views(list(wanted))
        members = await tx.members(sorted({root for lead in wanted.keys() - merged for root in wanted[lead].roots}))
        context = await self._context(tx, members)
        views: list[StoredView] = []
        due: dict[str, Sequence[DueTime]] = {}
        messages: list[OutboxMessage] = []
        for lead in sorted(wanted):
            parts = [] if lead in merged else [one for root in wanted[lead].roots for one in members.get(root, ())]
            before = known.get(lead)
            if not any(one.stored.version for one in parts):
                if before is not None and before.state == LIVE:
                    views.append(_gone(before, now))
                    messages.append(self._change_of_gone(views[-1], wanted[lead]))
                    due[lead] = ()
                continue
            whole = self._whole(lead, wanted[lead], parts, before, context)
            summary = summarise(whole, self._policy(), now)
            told = _told(summary)
            view = _view(whole, summary, told, before, now)
            due[lead] = [DueTime(*one) for one in summary.due]  # the ones before may have fired
            if before is not None and _same(before, view):
                continue
            views.append(view)
            messages.append(change_message(self._change(whole, summary, view), told))
            await _mark_household(tx, whole, before, summary)
        await tx.save_views(views, due)
        await tx.send(lane_of_shard(shard.shard), messages, now)
        return [view.customer_id for view in views]

    async def _context(self, tx: RefreshTransaction, members: Mapping[str, Sequence[Member]]) -> "Context":
        owned = await tx.owned_counts()
        staff = {
            manager_id: Manager(manager_id, fields, owned.get(manager_id, 0))
            for manager_id, fields in (await tx.staff()).items()
        }
        collectives = {
            root
            for found in members.values()
            for one in found
            for root in one.stored.roots
            if kind_of(root) in COLLECTIVES
        }
        views = await tx.views(sorted(collectives)) if collectives else {}
        facts = {lead: _decode_json(view.facts)["values"] for lead, view in views.items()}
        return Context(staff, facts)

    def _whole(
        self, lead: str, cluster: Cluster, members: Sequence[Member], before: StoredView | None, context: "Context"
    ) -> Whole:
        parts = [part_of(one.membership, one.stored.cuts, one.stored.heads, one.stored.months) for one in members]
        roots = {root for one in members for root in one.stored.roots}
        return Whole(
            customer_id=self._alias_of(lead), lead=lead, roots=cluster.roots, kind=kind_of_customer(lead, parts),
            parts=parts, state=total(parts),
            decided=Decided() if before is None else _decode_decided(before.decided),
            collectives={root: facts for root, facts in context.collectives.items() if root in roots},
            staff=context.staff, completeness=self._completeness(),
        )  # fmt: skip

    def _change(self, whole: Whole, summary: Summary, view: StoredView) -> ProfileChange:
        return ProfileChange(
            customer_id=view.customer_id, version=view.version, kind=view.kind, changed_at=view.changed_at,
            facts=summary.facts.values, missing=summary.facts.missing, not_covered=summary.facts.not_covered,
            moments=summary.moments,
            due=[ChangeDue(at=one.at, kind=one.kind, sources=list(one.sources)) for one in summary.due],
            aliases=sorted({self._alias_of(part.subject) for part in whole.parts} - {view.customer_id}),
        )  # fmt: skip

    def _change_of_gone(self, view: StoredView, cluster: Cluster) -> OutboxMessage:
        return change_message(ProfileChange(
            customer_id=view.customer_id, version=view.version, kind=GONE, changed_at=view.changed_at,
            aliases=[self._alias_of(cluster.lead)] if cluster.lead != view.lead else [],
        ))  # fmt: skip


class Context(NamedTuple):
    """What all customers of one batch share."""

    staff: dict[str, Manager]
    collectives: dict[str, dict[str, Any]]


def _told(summary: Summary) -> dict[str, bytes]:
    """The larger fields of a change as JSON: the view keeps the same bytes."""
    return {"facts": _encode(summary.facts.values), "moments": _encode(summary.moments)}


def _view(whole: Whole, summary: Summary, told: Mapping[str, bytes], before: StoredView | None, now: int) -> StoredView:
    facts = {
        "values": msgspec.Raw(told["facts"]),
        "missing": summary.facts.missing,
        "not_covered": summary.facts.not_covered,
        "moments": msgspec.Raw(told["moments"]),
    }
    return StoredView(
        customer_id=whole.customer_id, lead=whole.lead, version=before.version + 1 if before else 1, kind=summary.kind,
        state=LIVE, changed_at=now, body=_encode(summary.body),
        facts=_encode(facts),
        decided=_encode_sorted(summary.decided), owner=summary.decided.owner,
        tier=summary.decided.tier, name_ref=summary.name_ref,
    )  # fmt: skip


def _same(before: StoredView, after: StoredView) -> bool:
    """Nothing to tell: no new version, so a sweep publishes only what changed."""
    return (before.state, before.body, before.facts, before.decided) == (
        after.state,
        after.body,
        after.facts,
        after.decided,
    )


def _gone(before: StoredView, now: int) -> StoredView:
    """All its subjects count for others now. The row stays, because versions never restart."""
    nothing = msgspec.json.encode({"values": {}, "missing": [], "not_covered": [], "moments": []})
    return msgspec.structs.replace(
        before, version=before.version + 1, state=GONE, changed_at=now,
        body=b"{}", facts=nothing, owner=None, tier=None, name_ref=None,
    )  # fmt: skip


async def _mark_household(tx: RefreshTransaction, whole: Whole, before: StoredView | None, summary: Summary) -> None:
    """What a household owns together shows in the views of its members."""
    if whole.kind not in COLLECTIVES:
        return
    told = _decode_json(before.facts)["values"].get("assets") if before is not None else None
    if told != summary.facts.values.get("assets"):
        parties = sorted({part.subject for part in whole.parts if kind_of(part.subject) == "party"})
        await tx.mark([Mark(party, 0) for party in parties])
